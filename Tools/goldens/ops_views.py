"""Golden cases of gathering and views; see ops.py."""

import torch
import torch.nn.functional as F

from opcases import Family, integers, normal


def gather():
    family = Family("gather")
    for number, (rows, width, shape) in enumerate([(7, 5, (4,)), (7, 5, (2, 3)), (3, 33, ()), (5, 1, (3, 0)), (11, 16, (40,)), (1, 4, (3,))]):
        family.case(f"embedding{number}", lambda t, i: F.embedding(i, t), normal(rows, width), integers(rows, *shape))
    for number, (shape, axis, taken) in enumerate([((5,), 0, 9), ((3, 4), 0, 2), ((3, 4), 1, 6), ((2, 5, 3), 1, 4), ((2, 5, 3), -1, 3), ((2, 5, 3), 0, 1)]):
        index_shape = list(shape)
        index_shape[axis] = taken
        index = integers(shape[axis], *index_shape)
        family.case(f"gather{number}", lambda x, i: x.gather(axis, i), normal(*shape), index, axis=axis)
    return family


def views():
    family = Family("views")
    x = normal(2, 3, 4)
    family.case("reshape.dense", lambda x: x.reshape(6, 4), x)
    family.case("reshape.free", lambda x: x.reshape(-1, 2), x)
    family.case("reshape.permuted", lambda x: x.permute(2, 0, 1).reshape(4, 6), x)
    family.case("reshape.permutedCopy", lambda x: x.permute(2, 0, 1).reshape(8, 3), x)
    family.case("reshape.sliced", lambda x: x[:, 1:].reshape(2, 8), x)
    family.case("reshape.slicedCopy", lambda x: x[:, :, 1:3].reshape(12), x)
    family.case("reshape.splitAxis", lambda x: x[:, ::2].reshape(2, 2, 2, 2), x)
    family.case("permute.012", lambda x: x.permute(0, 1, 2), x)
    family.case("permute.120", lambda x: x.permute(1, 2, 0), x)
    family.case("permute.210", lambda x: x.permute(2, 1, 0), x)
    family.case("transpose", lambda x: x.transpose(-2, -1), x)
    family.case("transpose.02", lambda x: x.transpose(0, 2), x)
    family.case("slice", lambda x: x[:, 1:3], x)
    family.case("slice.step", lambda x: x[:, :, 0:4:3], x)
    family.case("slice.step2", lambda x: x[:, 1:3:2], x)
    family.case("slice.empty", lambda x: x[:, 1:1], x)
    family.case("slice.twice", lambda x: x[:, 1:, ::2][1:], x)
    family.case("select", lambda x: x[:, 1], x)
    family.case("expand", lambda x: x.expand(2, 3, 5), normal(2, 3, 1))
    family.case("expand.new", lambda x: x.expand(4, 2, 3), normal(2, 3))
    family.case("expand.middle", lambda x: x.expand(3, 2, 4, 5), normal(2, 1, 5))
    family.case("expand.scalar", lambda x: x.expand(2, 3), normal())
    family.case("unsqueeze", lambda x: x.unsqueeze(1), x)
    family.case("unsqueeze.last", lambda x: x.unsqueeze(-1), x)
    family.case("squeeze", lambda x: x.squeeze(1), normal(3, 1, 2))
    pieces = normal(2, 3, 4), normal(2, 1, 4), normal(2, 5, 4)
    family.case("concatenate", lambda *x: torch.cat(x, 1), *pieces)
    family.case("concatenate.first", lambda *x: torch.cat(x, 0), normal(2, 3), normal(1, 3), normal(0, 3))
    family.case("concatenate.last", lambda *x: torch.cat(x, -1), normal(2, 3), normal(2, 4))
    family.case("concatenate.same", lambda x: torch.cat([x, x], 0), normal(2, 3))
    family.case("stack", lambda *x: torch.stack(x), normal(2, 3, seed="a"), normal(2, 3, seed="b"))
    family.case("stack.last", lambda *x: torch.stack(x, -1), normal(2, 3, seed="a"), normal(2, 3, seed="b"))
    # The pieces weighted differently, and one of them unused.
    family.case("split", lambda x: torch.cat([p.reshape(-1) * s for p, s in zip(x.split([1, 3, 2], 1), (1, 2, 0))]), normal(2, 6, 3))
    family.case("split.unused", lambda x: x.split([1, 2], 1)[1] * 1, x)
    family.case("chunks", lambda x: x.chunk(2, -1)[0] * x.chunk(2, -1)[1], x)
    family.case("chain", lambda x: x.permute(2, 0, 1)[1:3].reshape(2, 6).T.unsqueeze(0).expand(3, 6, 2), x)
    return family
