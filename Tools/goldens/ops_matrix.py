"""Golden cases of matrix products and linear maps; see ops.py."""

import torch
import torch.nn.functional as F

from opcases import Family, normal


def matmul():
    family = Family("matmul")
    pairs = [
        ((3, 4), (4, 5)), ((1, 1), (1, 1)), ((1, 7), (7, 1)), ((17, 33), (33, 19)), ((2, 3, 4), (4, 5)), ((2, 3, 4), (2, 4, 5)),
        ((3, 4), (2, 4, 5)), ((2, 1, 3, 4), (3, 4, 2)), ((2, 1, 3, 4), (1, 3, 4, 2)), ((1, 3, 4), (5, 4, 2)), ((2, 3, 1, 6), (2, 3, 6, 1)),
        ((0, 4), (4, 3)), ((3, 0), (0, 4)), ((2, 3, 0), (2, 0, 4)), ((0, 3, 4), (0, 4, 2)), ((3, 4), (4, 0)),
    ]
    for number, (a, b) in enumerate(pairs):
        family.case(f"plain{number:02}", torch.matmul, normal(*a, seed="a"), normal(*b, seed="b"))
    # The Swift test transposes the same inputs before it multiplies.
    for number, (a, b) in enumerate([((4, 3), (4, 5)), ((2, 4, 3), (2, 4, 5)), ((2, 3, 4, 2), (2, 3, 4, 5))]):
        family.case(f"left{number}", lambda x, y: x.mT @ y, normal(*a, seed="a"), normal(*b, seed="b"))
    for number, (a, b) in enumerate([((3, 4), (5, 4)), ((2, 3, 4), (2, 5, 4)), ((2, 3, 4), (5, 4))]):
        family.case(f"right{number}", lambda x, y: x @ y.mT, normal(*a, seed="a"), normal(*b, seed="b"))
    family.case("both", lambda x, y: x.mT @ y.mT, normal(2, 4, 3, seed="a"), normal(2, 5, 4, seed="b"))
    # Heads split from a projection: [batch, time, heads x width] becomes [batch, heads, time, width].
    def scores(x, y):
        q, k = (z.reshape(2, 5, 3, 4).transpose(1, 2) for z in (x, y))
        return q @ k.mT
    family.case("heads", scores, normal(2, 5, 12, seed="a"), normal(2, 5, 12, seed="b"))
    return family


def linear():
    family = Family("linear")
    for number, (x, n) in enumerate([((3, 4), 5), ((4,), 3), ((2, 3, 8), 7), ((1, 1), 1), ((2, 2, 2, 5), 3), ((0, 4), 3), ((19, 65), 33)]):
        weight, bias = normal(n, x[-1], seed="weight"), normal(n, seed="bias")
        family.case(f"bias{number}", F.linear, normal(*x), weight, bias)
        family.case(f"plain{number}", F.linear, normal(*x), weight)
    return family
