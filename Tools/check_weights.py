"""Loads what the Swift writers wrote with the official readers, and checks every bit of it.

    python Tools/check_weights.py Tests/TortoiseCoreTests/Goldens/Weights

Packages: torch 2.13, safetensors 0.8, numpy 2.4. Checks `written.pth`, `written-zip64.pth` and `written.mel`, whose bytes the
Swift tests reproduce exactly; `dtypes.safetensors` and the `.npy` goldens need no check, because the Swift writers
reproduce the official writers' own bytes.
"""

import pathlib
import sys
import zipfile

import numpy as np
import torch

sys.path.insert(0, str(pathlib.Path(__file__).parent / "goldens"))
import weights  # noqa: E402


def bits(tensor):
    return tensor.detach().contiguous().view(-1).view(torch.uint8).numpy().tobytes() if tensor.numel() else b""


def check_torch(path):
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None, "a checksum is wrong"
    for mmap in (False, True):
        value = torch.load(path, weights_only=True, mmap=mmap)
        expected = weights.every_dtype()
        assert list(value["module"]) == list(expected)
        for name, tensor in expected.items():
            found = value["module"][name]
            assert found.dtype == tensor.dtype and found.shape == tensor.shape, name
            assert found.is_contiguous() and bits(found) == bits(tensor), name
        assert value["stats"] == {"global_step": 12, "loss": 0.5, "big": -(1 << 63), "none": None}
        assert value["config"] == {
            "name": "autoregressive", "list": [1, 300, 70_000, -1, True, False], "empty": [],
        }
        latent, nothing = value["tuple"]
        assert bits(latent) == bits(weights.pattern(torch.float32, (1, 4), 81)) and nothing == ()
        assert value["set"] == {3} and value["dtype"] is torch.float16 and value["bytes"] == b"\x00\xff"
        assert value["optimizer"] == {"state": {0: {"step": 3}}}


def check_artifact(path):
    found = np.load(path, allow_pickle=True)[()]
    expected = weights.artifact()
    assert list(found) == list(expected) and found["metadata"] == expected["metadata"]

    def same(a, b):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()

    assert same(found["codes"], expected["codes"]) and same(found["text"], expected["text"])
    for name in ("conds", "latent"):
        assert isinstance(found[name], tuple) and all(map(same, found[name], expected[name])), name


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    for name in ("written.pth", "written-zip64.pth"):
        check_torch(folder / name)
        print(name, "is right")
    check_artifact(folder / "written.mel")
    print("written.mel is right")
