"""Golden cases of arithmetic, functions of one tensor, and reductions; see ops.py."""

import torch
import torch.nn.functional as F

from opcases import Family, away_from, normal

# Every way in which axes can align: equal, inner, outer and middle axes of size 1, on one side or crossing, missing axes,
# scalars, single elements and empty axes.
PATTERNS = [
    ((3, 5), (3, 5)), ((3, 5), (5,)), ((3, 5), (1, 5)), ((3, 5), (3, 1)), ((3, 1), (1, 5)), ((4, 1, 3), (2, 1)), ((), ()),
    ((2, 3, 4), ()), ((2, 3, 4), (3, 1)), ((2, 3, 4), (2, 1, 4)), ((2, 1, 4, 1), (3, 1, 5)), ((1, 1), (1,)), ((1,), (7,)),
    ((2, 0, 3), (1, 3)), ((19,), (19,)), ((2, 37), (2, 1)), ((5,), (3, 1)),
]


def arithmetic():
    family = Family("arithmetic")
    operations = {
        "add": torch.add, "subtract": torch.subtract, "multiply": torch.multiply, "divide": torch.divide,
        "maximum": torch.maximum, "minimum": torch.minimum,
    }
    for name, function in operations.items():
        for number, (a, b) in enumerate(PATTERNS):
            x = normal(*a, seed="a")
            y = normal(*b, seed="b")
            if name == "divide":
                y = away_from(y, 0, by=0.5)
            if name in ("maximum", "minimum"):
                # No two numbers that meet may lie close: one side on even, the other on odd multiples of a tenth.
                x, y = (x * 5).round() * 0.2, (y * 5).round() * 0.2 + 0.1
            family.case(f"{name}{number:02}", function, x.float(), y.float())
    ties = torch.tensor([-1.0, 0.0, 0.0, 2.0, 3.0]), torch.tensor([-1.0, 0.0, 1.0, 1.0, 3.0])
    family.case("tie.maximum", torch.maximum, *ties)
    family.case("tie.minimum", torch.minimum, *ties)
    x = away_from(normal(3, 7, seed="scalar"), 0, by=0.5)
    family.case("scalar.add", lambda x: x + 1.5, x)
    family.case("scalar.subtract", lambda x: x - 1.5, x)
    family.case("scalar.subtractFrom", lambda x: 1.5 - x, x)
    family.case("scalar.multiply", lambda x: x * 1.5, x)
    family.case("scalar.divide", lambda x: x / 1.5, x)
    family.case("scalar.divideBy", lambda x: 1.5 / x, x)
    family.case("scalar.negate", torch.neg, x)
    family.case("twice", lambda x: x * x + x, x)
    return family


# name: function, the inputs' domain ("positive" or points where it has kinks).
UNARY = {
    "exp": (torch.exp, ()), "log": (torch.log, "positive"), "sqrt": (torch.sqrt, "positive"), "rsqrt": (torch.rsqrt, "positive"),
    "reciprocal": (torch.reciprocal, "far"), "squared": (torch.square, ()), "sin": (torch.sin, ()), "cos": (torch.cos, ()),
    "tanh": (torch.tanh, ()), "sigmoid": (torch.sigmoid, ()), "softplus": (F.softplus, ()),
    "magnitude": (torch.abs, (0,)), "relu": (torch.relu, (0,)), "leakyReLU": (lambda x: F.leaky_relu(x, 0.2), (0,)),
    "silu": (F.silu, ()), "gelu": (F.gelu, ()), "geluTanh": (lambda x: F.gelu(x, approximate="tanh"), ()),
    "clamped": (lambda x: x.clamp(-0.5, 1.25), (-0.5, 1.25)), "power": (lambda x: x.pow(1.7), "positive"),
    "cube": (lambda x: x.pow(3), ()), "negativePower": (lambda x: x.pow(-0.7), "positive"),
}
# Where functions overflow, saturate or have no value. Infinities are in the inputs, too.
SPECIAL = [
    0.0, -0.0, float("inf"), float("-inf"), float("nan"), 1e-30, -1e-30, 1.0, -1.0, 12.0, -12.0, 30.0, -30.0, 88.0, -88.0, 104.0,
    -104.0, 1000.0, -1000.0, 1e5, -1e5, 3e38, -3e38,
]


def unary():
    family = Family("unary")
    for name, (function, domain) in UNARY.items():
        for number, shape in enumerate([(), (5,), (3, 11), (2, 3, 21), (0, 4)]):
            x = normal(*shape, seed=name, scale=1.5)
            if domain == "positive":
                x = x.abs() + 0.5
            elif domain == "far":
                x = away_from(x, 0, by=0.5)
            else:
                x = away_from(x, *domain)
            family.case(f"{name}.{number}", function, x)
        # x Phi(x) by erfc, which keeps its digits where 1 + erf has none left.
        exact = (lambda x: 0.5 * x * torch.erfc(-x * 0.5**0.5)) if name == "gelu" else function
        family.special(name, exact, torch.tensor(SPECIAL))
    return family


def reductions():
    family = Family("reductions")
    shapes = {
        (2, 3, 4): [[0], [1], [2], [0, 1], [1, 2], [0, 2], [0, 1, 2], [-1], []],
        (2, 3, 2, 5): [[0, 2], [1, 3], [0, 3], [1, 2], [0, 1, 3], [0, 2, 3]],
        (33,): [[0]], (1, 1): [[0], [0, 1]], (3, 1, 7): [[1], [0, 1]], (): [[]], (5, 67): [[0], [1]],
    }
    number = 0
    for shape, all_axes in shapes.items():
        for axes in all_axes:
            keep = number % 2 == 1
            x = normal(*shape, seed="reduction")
            attributes = {"axes": axes, "keep": keep}
            # PyTorch reduces everything when no axis is named.
            family.case(f"sum{number:02}", lambda x: x.sum(axes, keepdim=keep) if axes else x + 0, x, **attributes)
            family.case(f"mean{number:02}", lambda x: x.mean(axes, keepdim=keep) if axes else x + 0, x, **attributes)
            counted = x.numel() if not axes else torch.tensor([shape[a] for a in axes]).prod().item()
            for correction in (0, 1):
                if axes and counted > correction:
                    family.case(
                        f"variance{number:02}.{correction}", lambda x: x.var(axes, correction=correction, keepdim=keep), x,
                        correction=correction, **attributes)
            number += 1
    for number, (shape, axis) in enumerate([((2, 3, 4), 0), ((2, 3, 4), 1), ((2, 3, 4), -1), ((37,), 0), ((3, 41), 1), ((1, 5), 0)]):
        # Numbers a tenth apart in random order: no ties, and differences never change which is the largest.
        count = normal(*shape).numel()
        x = (torch.randperm(count, generator=torch.Generator().manual_seed(number)).float() * 0.1 - 1).reshape(shape)
        for keep in (False, True):
            attributes = {"axis": axis, "keep": keep}
            family.case(f"maximum{number}.{int(keep)}", lambda x: x.amax(axis, keepdim=keep), x, **attributes)
            family.case(f"minimum{number}.{int(keep)}", lambda x: x.amin(axis, keepdim=keep), x, **attributes)
    ties = torch.tensor([[1.0, 3.0, 3.0, 0.0], [2.0, 2.0, 2.0, 2.0]])
    family.case("tie.maximum", lambda x: x.amax(1), ties)
    family.case("tie.minimum", lambda x: x.amin(1), ties)
    family.case("everything.sum", torch.sum, normal(3, 4))
    family.case("everything.mean", torch.mean, normal(3, 4))
    family.case("argmax.0", lambda x: x.argmax(-1), normal(4, 50), gradient=False)
    family.case("argmax.1", lambda x: x.argmax(-1), normal(1), gradient=False)
    family.case("argmax.first", lambda x: x.argmax(-1), ties, gradient=False)
    return family
