"""Writes Tests/TortoiseCoreTests/Goldens/Weights: small weight files and NumPy files made by the official writers.

    python Tools/goldens/weights.py Tests/TortoiseCoreTests/Goldens/Weights

Packages: torch 2.13, safetensors 0.8, numpy 2.4. The output is deterministic, except that the legacy layout
names and orders its storages by their addresses (legacy.pth, latents.pth).

Every tensor is filled with a byte pattern that the tests can compute for themselves: byte k of a tensor with seed s is
(73 k + s) mod 256, and for bool its lowest bit. So all bits are compared, NaN payloads too.

`written.*` in that folder come from the Swift tests; `Tools/check_weights.py` loads them with torch and numpy.
"""

import collections
import pathlib
import pickle
import sys
import zipfile

import numpy as np
import safetensors.torch
import torch

DTYPES = [
    torch.float32, torch.float16, torch.bfloat16, torch.float64, torch.int8, torch.uint8, torch.int16, torch.int32,
    torch.int64, torch.bool,
]


def pattern_bytes(count, seed):
    return (np.arange(count, dtype=np.int64) * 73 + seed).astype(np.uint8)


def pattern(dtype, shape, seed):
    """A tensor whose bytes are the pattern of this file's docstring."""
    size = torch.empty((), dtype=dtype).element_size() * int(np.prod(shape, dtype=np.int64))
    data = pattern_bytes(size, seed)
    if dtype == torch.bool:
        data &= 1
    if size == 0:
        return torch.zeros(shape, dtype=dtype)
    return torch.frombuffer(bytearray(data.tobytes()), dtype=dtype).reshape(shape).clone()


def array_pattern(dtype, shape, seed):
    dtype = np.dtype(dtype)
    data = pattern_bytes(dtype.itemsize * int(np.prod(shape, dtype=np.int64)), seed)
    if dtype == np.bool_:
        data &= 1
    return np.frombuffer(data.tobytes(), dtype=dtype).reshape(shape)


def every_dtype():
    """One tensor of each type, an empty one, a scalar, and names that need escapes in JSON."""
    tensors = {str(t).removeprefix("torch."): pattern(t, (3, 5), i + 1) for i, t in enumerate(DTYPES)}
    tensors["empty"] = torch.zeros((0, 4))
    tensors["scalar"] = pattern(torch.float32, (), 40)
    tensors['quoted "é" \\ \u0001'] = pattern(torch.float32, (2,), 41)
    return tensors


def views():
    """Tensors that share one storage of seed 50: all of it, a transposed part, a column, a repeated row, a parameter."""
    base = pattern(torch.float32, (4, 6), 50)
    return {
        "base": base,
        "transposed": base.t()[1:5, 1:3],
        "column": base[:, 2],
        "repeated": base[1].expand(3, 6),
        "parameter": torch.nn.Parameter(base[2:]),
        "every_other": base[::2, ::3],
    }


def plain_values():
    """What a training program keeps beside its weights."""
    return {
        "none": None, "yes": True, "no": False, "small": 7, "negative": -3, "wide": 70000, "wider": 1 << 40,
        "lowest": -(1 << 63), "huge": (1 << 70) + 5,
        "hugely_negative": -(1 << 64) - 1, "float": 0.1, "text": "é\n\U0001F600\\ŷ", "empty": "",
        "list": [1, [2, [3]]], "tuple": (1, 2, 3, 4), "pair": (1, 2), "nothing": (), "bytes": b"\x00\xff",
        "nested": {"a": {"b": {"c": 1}}}, 5: "five", "set": {3}, "ordered": collections.OrderedDict(x=1, y=2),
    }


def write_safetensors(folder):
    safetensors.torch.save_file(every_dtype(), folder / "dtypes.safetensors", metadata={"config": '{"a": "é\\n"}'})


def checkpoint():
    module = collections.OrderedDict(every_dtype() | views())
    module._metadata = collections.OrderedDict(version=1)
    return {
        "module": module, "lora": {"h.0.lora_A": pattern(torch.float16, (2, 3), 60)},
        "stats": {"global_step": 12, "loss": 0.5}, "config": {"name": "autoregressive", "path": None}, "note": "a text",
        "optimizer": {"state": {0: {"exp_avg": pattern(torch.float32, (2,), 61), "step": 3}}},
    }


def extras():
    """Values that PyTorch and NumPy pickle through constructors of their own."""
    return plain_values() | {
        "size": torch.Size([1, 2]), "device": torch.device("cuda:1"), "dtype": torch.bfloat16,
        "numpy_float": np.float64(2.5), "numpy_int": np.int32(-4), "numpy_bool": np.bool_(True),
        "array": array_pattern("<f4", (2, 3), 70), "big_endian": array_pattern(">i2", (3,), 71),
        "fortran": np.asfortranarray(array_pattern("<u2", (2, 3), 72)), "path": pathlib.PurePosixPath("/a/b"),
        "default": collections.defaultdict(list, k=[1]), "tensor": pattern(torch.int64, (2,), 73),
    }


def save_legacy(value, path):
    torch.save(value, path, _use_new_zipfile_serialization=False)


def repack(source, target, method=zipfile.ZIP_STORED, zip64=False, drop=(), prefix=None):
    """Copies an archive with Python's own writer."""
    limit = zipfile.ZIP64_LIMIT
    zipfile.ZIP64_LIMIT = 0 if zip64 else limit
    try:
        with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", method) as new:
            for info in old.infolist():
                name = info.filename
                if prefix is not None:
                    name = prefix + name.partition("/")[2]
                if not any(name.endswith(d) for d in drop):
                    new.writestr(zipfile.ZipInfo(name), old.read(info.filename), method)
    finally:
        zipfile.ZIP64_LIMIT = limit


def write_torch(folder):
    torch.save(checkpoint(), folder / "zip.pth")
    save_legacy(checkpoint(), folder / "legacy.pth")
    for protocol in range(1, 6):
        torch.save(extras(), folder / f"protocol{protocol}.pth", pickle_protocol=protocol)
    torch.save(pattern(torch.float32, (80,), 80), folder / "bare.pth")
    save_legacy((pattern(torch.float32, (1, 4), 81), pattern(torch.float32, (1, 8), 82)), folder / "latents.pth")
    torch.save({"model_g": {"a.weight": pattern(torch.float32, (2,), 83)}, "epoch": 3}, folder / "vocoder.pth")
    repack(folder / "vocoder.pth", folder / "zip64.pth", zip64=True, prefix="deep/er/")
    repack(folder / "vocoder.pth", folder / "rootless.pth", prefix="", drop=["byteorder", "version"])
    repack(folder / "vocoder.pth", folder / "deflated.pth", method=zipfile.ZIP_DEFLATED)


def write_numpy(folder):
    types = ["?", "<i1", "<i2", "<i4", "<i8", "<u1", "<u2", "<u4", "<u8", "<f2", "<f4", "<f8"]
    for index, dtype in enumerate(types):
        np.save(folder / f"type-{np.dtype(dtype).name}.npy", array_pattern(dtype, (2, 3), 90 + index))
    np.save(folder / "fortran.npy", np.asfortranarray(array_pattern("<f4", (2, 3, 4), 110)))
    np.save(folder / "big-endian.npy", array_pattern(">f8", (2, 2), 111))
    np.save(folder / "scalar.npy", array_pattern("<f4", (), 112))
    for version in [(2, 0), (3, 0)]:
        with open(folder / f"version{version[0]}.npy", "wb") as file:
            np.lib.format.write_array(file, array_pattern("<f4", (5,), 113), version=version)
    np.save(folder / "text.npy", np.array(["a", "b"]))
    np.save(folder / "fields.npy", np.zeros(2, dtype=[("a", "<f4"), ("b", "<i4")]))
    np.savez(folder / "archive.npz", first=array_pattern("<f4", (2,), 114), second=array_pattern("<i8", (), 115))
    np.savez_compressed(folder / "compressed.npz", first=array_pattern("<f4", (2,), 114))
    values = np.empty((), dtype=object)
    values[()] = plain_values()
    for protocol in range(6):
        with open(folder / f"object{protocol}.npy", "wb") as file:
            np.lib.format.write_array_header_1_0(file, {"descr": "|O", "fortran_order": False, "shape": ()})
            pickle.dump(values, file, protocol=protocol)


def artifact():
    """A dictionary of the form that the original trainer's `emb/process.py` saves, with smaller arrays."""
    return {
        "codes": array_pattern("<u2", (1, 9), 120),
        "conds": (array_pattern("<f4", (1, 1, 4, 5), 121), array_pattern("<f4", (1, 1, 5, 4), 122)),
        "latent": (array_pattern("<f4", (1, 6), 123), array_pattern("<f4", (1, 7), 124)),
        "metadata": {
            "original_length": 22050, "sample_rate": 44100, "duration": 0.5, "text": "Tortoise, é.", "language": "en",
        },
        "text": array_pattern("|u1", (11,), 125),
    }


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    (folder / "NumPy").mkdir(parents=True, exist_ok=True)
    write_safetensors(folder)
    write_torch(folder)
    write_numpy(folder / "NumPy")
    with open(folder / "NumPy" / "artifact.mel", "wb") as file:
        np.save(file, artifact())
    for path in folder.rglob("*.*"):
        path.chmod(0o644)
