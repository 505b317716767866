"""Golden cases of normalisation and of the snake activations; see ops.py."""

import torch
import torch.nn.functional as F

from opcases import Family, normal


def rms_norm(x, weight=None, epsilon=1e-8):
    """Zhang and Sennrich, 2019."""
    y = x / (x.square().mean(-1, keepdim=True) + epsilon).sqrt()
    return y if weight is None else y * weight


def norms():
    family = Family("norms")
    for number, shape in enumerate([(3, 5), (2, 3, 17), (7,), (2, 130), (0, 4)]):
        n = shape[-1]
        x, weight, bias = normal(*shape, scale=1.5, shift=0.3), normal(n, seed="weight"), normal(n, seed="bias")
        family.case(f"layer.full{number}", lambda x, w, b: F.layer_norm(x, (n,), w, b, 1e-5), x, weight, bias)
        family.case(f"layer.weight{number}", lambda x, w: F.layer_norm(x, (n,), w, None, 1e-5), x, weight)
        family.case(f"layer.bias{number}", lambda x, b: F.layer_norm(x, (n,), None, b, 1e-5), x, bias)
        family.case(f"layer.plain{number}", lambda x: F.layer_norm(x, (n,), None, None, 1e-5), x)
        family.case(f"rms.weight{number}", rms_norm, x, weight)
        family.case(f"rms.plain{number}", rms_norm, x)
    family.case("layer.far", lambda x: F.layer_norm(x, (64,)), normal(3, 64, shift=100))
    group(family)
    weight_norm(family)
    return family


def group(family):
    shapes = [((2, 4, 5), 2), ((2, 4, 5), 1), ((2, 4, 5), 4), ((3, 12), 3), ((1, 8, 33), 4), ((2, 4, 3, 2), 2), ((2, 32, 3), 32)]
    for number, (shape, groups) in enumerate(shapes):
        x, weight, bias = normal(*shape, shift=0.3), normal(shape[1], seed="weight"), normal(shape[1], seed="bias")
        for silu in (False, True):
            after = F.silu if silu else (lambda y: y)
            attributes = {"groups": groups, "silu": silu}
            name = f"{number}.{'silu' if silu else 'norm'}"
            family.case(f"group.full{name}", lambda x, w, b: after(F.group_norm(x, groups, w, b)), x, weight, bias, **attributes)
            family.case(f"group.weight{name}", lambda x, w: after(F.group_norm(x, groups, w)), x, weight, **attributes)
            family.case(f"group.plain{name}", lambda x: after(F.group_norm(x, groups)), x, **attributes)


def weight_norm(family):
    for number, (shape, axis) in enumerate([((4, 3, 5), 0), ((4, 3, 5), 1), ((4, 3, 5), 2), ((6, 2), 0), ((3, 4), 1)]):
        kept = [size if i == axis else 1 for i, size in enumerate(shape)]
        family.case(
            f"weightNorm{number}", lambda v, g: torch._weight_norm(v, g, axis), normal(*shape, seed="v"), normal(*kept, seed="g"), axis=axis)


def snake():
    family = Family("snake")
    for number, shape in enumerate([(2, 3, 5), (1, 1, 1), (2, 4, 67), (3, 2, 16), (1, 2, 0)]):
        x = normal(*shape, scale=2)
        alpha, beta = normal(shape[1], seed="alpha").abs() + 0.5, normal(shape[1], seed="beta").abs() + 0.5
        family.case(
            f"snake{number}", lambda x, a: x + (a[:, None] * x).sin().square() / (a[:, None] + 1e-9), x, alpha)
        family.case(
            f"beta{number}", lambda x, a, b: x + (a[:, None] * x).sin().square() * b[:, None], x, alpha, beta)
    return family
