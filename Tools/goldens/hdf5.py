"""Writes the goldens of Tests/TortoiseCoreTests/Formats/HDF5.

    python hdf5.py OUTPUT_FOLDER        (needs h5py, numpy)

arrays.h5    number arrays in many packings, in the format with checksums; element i of each is (7919 i + 13) mod 251, "noise" being full of random bits
python.h5    the layout of e-c-k-e-r/tortoise-tts (data.py --action=hdf5), LZF-compressed
packed.h5    that layout from other hands: codes in one piece, in the header, and through each filter
short.h5     arrays of which less is stored than their shape takes, each in another packing
dataset.h5   our layout (docs/dataset.md), written by h5py alone: what a reader of the document would write
"""

import json
import pathlib
import sys
import zlib

import h5py
import numpy as np


def ramp(count, dtype):
    return ((np.arange(count, dtype=np.int64) * 7919 + 13) % 251).astype(dtype)


def arrays(path):
    with h5py.File(path, "w", libver=("v110", "v110")) as file:
        file.create_dataset("lzf_int16", data=ramp(5000, "<i2"), chunks=(700,), compression="lzf")
        file.create_dataset("lzf_shuffle_float32", data=ramp(3200, "<f4").reshape(200, 16), chunks=(30, 16), compression="lzf",
                            shuffle=True)
        file.create_dataset("gzip_uint16", data=ramp(5000, "<u2"), chunks=(1000,), compression="gzip", shuffle=True,
                            fletcher32=True)
        file.create_dataset("contiguous_int64", data=ramp(300, "<i8"))
        file.create_dataset("big_endian_int32", data=ramp(300, ">i4"))
        file.create_dataset("chunked_uint8", data=ramp(3000, "u1"), chunks=(512,), maxshape=(None,))
        file.create_dataset("float64", data=ramp(100, "<f8"))
        noise = np.random.default_rng(5).integers(0, 2**32, 2000, dtype="<u4")
        file.create_dataset("lzf_noise_uint32", data=noise, chunks=(500,), compression="lzf")
        # An optional filter that the library lacks is passed over when it is written, but its number stays.
        unknown = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        unknown.set_chunk((100,))
        unknown.set_filter(32001, h5py.h5z.FLAG_OPTIONAL)
        h5py.h5d.create(file.id, b"unknown_filter", h5py.h5t.STD_I32LE, h5py.h5s.create_simple((300,)), unknown)
        file.create_dataset("text_list", data=["a", "b"])
        group = file.create_group("deep/er")
        group.attrs["text"] = "é"
        group.attrs["fixed"] = np.bytes_("bytes")
        group.attrs["whole"] = 42
        group.attrs["real"] = 2.5
        group.attrs["list"] = [1, 2]
        group.attrs["none"] = h5py.Empty("f4")


def python_layout(path):
    with h5py.File(path, "w") as file:
        for split, speaker, name, codes, text in [
            ("training", "LibriTTS/84", "utt_00000", ramp(60, "<i2") * 30, "hello"),
            ("training", "LibriTTS/84", "utt_00001", ramp(75, "<i2") * 31, "world"),
            ("training", "Other/x", "a", ramp(5, "<i2"), "né"),
            ("noise", "Noise/rain", "drop", ramp(9, "<i2"), None),
        ]:
            group = file.create_group(f"{split}/{speaker}/{name}")
            group.create_dataset("audio", data=codes[None], compression="lzf")
            if text is not None:
                group.create_dataset("text", data=np.frombuffer(text.encode(), dtype=np.uint8) % 250, compression="lzf")
                group.attrs["text"] = text
                group.attrs["language"] = "en"
            group.attrs["duration"] = len(codes) * 1024 / 22050
        file["symmap"] = json.dumps({"[STOP]": 0, "a": 14})


def packed_layout(path):
    with h5py.File(path, "w") as file:
        whole = np.arange(40, dtype="<i4")
        for name, packing in [
            ("contiguous", {}), ("gzip", dict(chunks=(16,), compression="gzip")), ("lzf", dict(chunks=(16,), compression="lzf")),
            ("shuffle", dict(chunks=(16,), compression="gzip", shuffle=True, fletcher32=True)), ("chunked", dict(chunks=(16,))),
        ]:
            file.create_dataset(f"training/A/b/{name}/audio", data=whole, **packing)
        compact = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        compact.set_layout(h5py.h5d.COMPACT)
        group = file.create_group("training/A/b/compact")
        space = h5py.h5s.create_simple((40,))
        h5py.h5d.create(group.id, b"audio", h5py.h5t.STD_I32LE, space, compact).write(h5py.h5s.ALL, h5py.h5s.ALL, whole)


def short_chunks(path):
    """What h5py refuses to make by itself: chunks are written as they are to be stored."""
    few = np.arange(5, dtype="<i4").tobytes()
    with h5py.File(path, "w") as file:
        for name, stored, skipped, packing in [
            ("gzip", zlib.compress(few), 0, dict(compression="gzip")),
            ("gzip_skipped", few, 1, dict(compression="gzip")),
            ("lzf_skipped", few, 1, dict(compression="lzf")),
            ("shuffle", zlib.compress(few), 0, dict(compression="gzip", shuffle=True)),
            ("fletcher", few, 0, dict(fletcher32=True)),
            ("gzip_endless", zlib.compress(bytes(4 << 20)), 0, dict(compression="gzip")),
        ]:
            array = file.create_dataset(name, (1000,), "<i4", chunks=(1000,), **packing)
            array.id.write_direct_chunk((0,), stored, filter_mask=skipped)


def our_layout(path):
    utterances = [
        ("one", 0, "Hello.", [3, 5, 255], ramp(7, "<u2") * 32), ("two", 1, "", [], ramp(1, "<u2")),
        ("née", 0, "Grüße, 日本!", list(range(40)), ramp(300, "<u2")),
    ]
    packed = dict(compression="gzip", compression_opts=1, shuffle=True)
    with h5py.File(path, "w", libver=("v110", "v110")) as file:
        file.attrs.update({"version": 1, "autoregressive_latent_width": 4, "diffusion_latent_width": 8, "waveform_rate": 24000,
                           "sample_rate": 22050})
        for key, text in [("format", "tortoise-dataset"), ("mels", "dvae:3"), ("tokenizer_sha256", "abc"),
                          ("model_sha256", "autoregressive=1,dvae=2"), ("settings", "{}")]:
            file.attrs[key] = np.bytes_(text)

        def ragged(name, dtype, rows, width=1):
            group = file.create_group(name)
            rows = [np.asarray(row, dtype=dtype).reshape((-1, width) if width > 1 else -1) for row in rows]
            tail = (width,) if width > 1 else ()
            group.create_dataset("values", data=np.concatenate(rows), maxshape=(None, *tail), chunks=(100, *tail), **packed)
            ends = np.cumsum([len(row) for row in rows]).astype("<i8")
            group.create_dataset("ends", data=ends, maxshape=(None,), chunks=(100,), **packed)
            return rows

        def utf8(texts):
            return [np.frombuffer(text.encode(), dtype=np.uint8) for text in texts]

        names = ragged("name", "u1", utf8([u[0] for u in utterances]))
        texts = ragged("text", "u1", utf8([u[2] for u in utterances]))
        tokens = ragged("tokens", "<u2", [u[3] for u in utterances])
        codes = ragged("codes", "<u2", [u[4] for u in utterances])
        ragged("speakers", "u1", utf8(["G/a", "G/b"]))
        ragged("languages", "u1", utf8(["en"]))
        mels = ragged("mels/dvae", "<f4", [ramp(6, "<f4") / 8, [], ramp(30, "<f4") / 16], 3)
        waves = ragged("waveform", "<i2", [ramp(10, "<i2") - 100, ramp(1, "<i2"), ramp(55, "<i2")])
        latents = {w: (ramp(3 * w, "<f4") / 4).reshape(3, w) for w in (4, 8)}
        file.create_dataset("latents/autoregressive", data=latents[4], maxshape=(None, 4), chunks=(10, 4))
        file.create_dataset("latents/diffusion", data=latents[8], maxshape=(None, 8), chunks=(10, 8))
        samples = np.array([len(u[4]) * 1024 for u in utterances], "<i8")
        speakers = np.array([u[1] for u in utterances], "<i4")
        languages = np.zeros(3, "<i4")
        sums = []
        for i in range(3):
            parts = [codes[i], tokens[i], texts[i], names[i], latents[4][i], latents[8][i], mels[i], waves[i], samples[i:i + 1],
                     speakers[i:i + 1], languages[i:i + 1]]
            sums.append(zlib.crc32(b"".join(part.tobytes() for part in parts)))
        for name, data in [("samples", samples), ("speaker", speakers), ("language", languages),
                           ("checksum", np.array(sums, "<u4"))]:
            file.create_dataset(name, data=data, maxshape=(None,), chunks=(100,))
        file["committed"] = np.array([3, 2, 1], "<i8")


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    arrays(folder / "arrays.h5")
    python_layout(folder / "python.h5")
    packed_layout(folder / "packed.h5")
    short_chunks(folder / "short.h5")
    our_layout(folder / "dataset.h5")
