"""Writes Tests/TortoiseCoreTests/Goldens/Weights: small weight files made by the official writers.

    python Tools/goldens/weights.py Tests/TortoiseCoreTests/Goldens/Weights

Packages: torch 2.13, safetensors 0.8, numpy 2.4. The output is deterministic.

Every tensor is filled with a byte pattern that the tests can compute for themselves: byte k of a tensor with seed s is
(73 k + s) mod 256, and for bool its lowest bit. So all bits are compared, NaN payloads too.
"""

import pathlib
import sys

import numpy as np
import safetensors.torch
import torch

DTYPES = [
    torch.float32, torch.float16, torch.bfloat16, torch.float64, torch.int8, torch.uint8, torch.int16, torch.int32,
    torch.int64, torch.bool,
]


def pattern(dtype, shape, seed):
    """A tensor whose bytes are the pattern of this file's docstring."""
    size = torch.empty((), dtype=dtype).element_size() * int(np.prod(shape, dtype=np.int64))
    data = (np.arange(size, dtype=np.int64) * 73 + seed).astype(np.uint8)
    if dtype == torch.bool:
        data &= 1
    if size == 0:
        return torch.zeros(shape, dtype=dtype)
    return torch.frombuffer(bytearray(data.tobytes()), dtype=dtype).reshape(shape).clone()


def every_dtype():
    """One tensor of each type, an empty one, a scalar, and names that need escapes in JSON."""
    tensors = {str(t).removeprefix("torch."): pattern(t, (3, 5), i + 1) for i, t in enumerate(DTYPES)}
    tensors["empty"] = torch.zeros((0, 4))
    tensors["scalar"] = pattern(torch.float32, (), 40)
    tensors['quoted "é" \\ \u0001'] = pattern(torch.float32, (2,), 41)
    return tensors


def write_safetensors(folder):
    safetensors.torch.save_file(every_dtype(), folder / "dtypes.safetensors", metadata={"config": '{"a": "é\\n"}'})


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    write_safetensors(folder)
