"""Cases of operations for `checkOp` in the Swift tests: inputs, output, upstream gradient, input gradients.

Everything is computed by PyTorch in double precision from float32 inputs, and stored as float32. Needs torch, safetensors.
"""

import hashlib
import json
import pathlib

import torch
from safetensors.torch import save_file


def normal(*shape, seed="", scale=1.0, shift=0.0):
    """Standard normal numbers that follow from shape and seed, as float32."""
    digest = hashlib.sha256(f"{shape} {seed}".encode()).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(digest[:7], "little"))
    return (torch.randn(shape, generator=generator, dtype=torch.float64) * scale + shift).float()


def away_from(x, *points, by=0.05):
    """x with what is nearer than `by` to a point moved away from it: where a function has kinks."""
    for point in points:
        near = (x - point).abs() < by
        x = torch.where(near, point + torch.where(x >= point, by, -by), x)
    return x.float()


def integers(limit, *shape, seed=""):
    """Integers below a limit that follow from shape and seed, as int32."""
    digest = hashlib.sha256(f"{limit} {shape} {seed}".encode()).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(digest[:7], "little"))
    return torch.randint(0, limit, shape, generator=generator).int()


class Family:
    """The cases of one file."""

    def __init__(self, name):
        self.name, self.tensors, self.attributes = name, {}, {}

    def case(self, name, function, *inputs, gradient=True, **attributes):
        """Adds a case; float inputs get gradients unless `gradient` is false, integer inputs reach the function as int64."""
        assert f"{name}/output" not in self.tensors, f"two cases are named {name}"
        leaves = [
            x.double().requires_grad_(gradient) if x.is_floating_point() else x.long() for x in inputs
        ]
        output = function(*leaves)
        for index, x in enumerate(inputs):
            self.tensors[f"{name}/input{index}"] = x.contiguous()
        self.tensors[f"{name}/output"] = (output.float() if output.is_floating_point() else output.int()).detach().contiguous()
        if output.requires_grad:
            upstream = normal(*output.shape, seed=f"upstream {name}")
            self.tensors[f"{name}/upstream"] = upstream
            used = [x for x in leaves if x.requires_grad]
            gradients = iter(torch.autograd.grad(output, used, upstream.double()))
            for index, x in enumerate(leaves):
                if x.requires_grad:
                    self.tensors[f"{name}/gradient{index}"] = next(gradients).float().contiguous()
        if attributes:
            self.attributes[name] = json.dumps(attributes)

    def special(self, name, function, values):
        """Adds NAME.special: values and slopes one by one; those beyond float32's range become infinite."""
        x = values.double().requires_grad_()
        output = function(x)
        (slope,) = torch.autograd.grad(output.sum(), x)
        self.tensors[f"{name}.special/input0"] = values.float()
        self.tensors[f"{name}.special/output"] = output.detach().float()
        self.tensors[f"{name}.special/slope"] = slope.float()

    def save(self, folder):
        """Writes FOLDER/NAME.safetensors."""
        tensors = {key: x.clone() for key, x in self.tensors.items()}
        path = pathlib.Path(folder) / f"{self.name}.safetensors"
        save_file(tensors, path, metadata=self.attributes)
        path.chmod(0o644)
