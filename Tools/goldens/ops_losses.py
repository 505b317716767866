"""Golden cases of softmax and losses; see ops.py."""

import torch
import torch.nn.functional as F

from opcases import Family, away_from, integers, normal


def softmax():
    family = Family("softmax")
    cases = [((5,), 0), ((3, 7), -1), ((3, 7), 0), ((2, 3, 4), 1), ((2, 3, 4), 0), ((2, 3, 4), -1), ((2, 5, 2, 3), 1), ((4, 1), 1), ((2, 101), 1),
             ((0, 3), 1)]
    for number, (shape, axis) in enumerate(cases):
        family.case(f"softmax{number}", lambda x: x.softmax(axis), normal(*shape, scale=2), axis=axis)
        family.case(f"logSoftmax{number}", lambda x: x.log_softmax(axis), normal(*shape, scale=2), axis=axis)
    # Far from zero and far apart: the largest must be taken off before the exponential.
    large = torch.tensor([[1000.0, 1001.0, 999.0], [-1000.0, -1001.0, -1000.0], [0.0, 200.0, -200.0], [3e4, 3e4, 3e4]])
    family.case("large.softmax", lambda x: x.softmax(-1), large)
    family.case("large.logSoftmax", lambda x: x.log_softmax(-1), large)
    infinite = torch.tensor([[0.0, float("-inf"), 1.0], [float("-inf"), 2.0, float("-inf")]])
    family.case("masked.softmax", lambda x: x.softmax(-1), infinite, gradient=False)
    family.case("masked.logSoftmax", lambda x: x.log_softmax(-1), infinite, gradient=False)
    return family


def cross_entropy(family):
    layouts = [((6, 5), -1, (6,)), ((5,), 0, ()), ((2, 3, 7), -1, (2, 3)), ((2, 7, 3), 1, (2, 3)), ((2, 5, 3, 2), 1, (2, 3, 2)), ((3, 101), -1, (3,))]
    number = 0
    for shape, axis, targets in layouts:
        for reduction in ("mean", "sum", "none"):
            for smoothing in (0.0, 0.1):
                for ignored in ((-100, 1) if number % 3 == 0 else (-100,)):
                    classes = shape[axis]
                    target = integers(classes, *targets, seed=str(number))
                    if ignored == 1 and target.numel() > 1:
                        target.view(-1)[0], target.view(-1)[1] = 1, 0
                    elif ignored == 1:
                        target = torch.zeros_like(target)
                    def loss(x, t):
                        x = x.movedim(axis, 1) if x.dim() > 1 else x
                        return F.cross_entropy(x, t, ignore_index=ignored, label_smoothing=smoothing, reduction=reduction)
                    family.case(
                        f"crossEntropy{number:02}", loss, normal(*shape, scale=2), target, axis=axis, ignored=ignored,
                        smoothing=smoothing, reduction=reduction)
                    number += 1
    target = torch.tensor([0, 2, 1], dtype=torch.int32)
    large = torch.tensor([[1000.0, 0.0, -1000.0], [30.0, 20.0, 40.0], [-5000.0, -5000.0, -5000.0]])
    family.case("large.crossEntropy", lambda x, t: F.cross_entropy(x, t), large, target)


def losses():
    family = Family("losses")
    cross_entropy(family)
    for reduction in ("mean", "sum", "none"):
        for number, shape in enumerate([(7,), (2, 3, 5), ()]):
            a = normal(*shape, seed="a", scale=2)
            # Differences stay away from 0, where losses have kinks, and from 0.5 and 1, where others would.
            b = (a - away_from(normal(*shape, seed="b", scale=2), 0, 1, -1, 0.5, -0.5)).float()
            name = f"{reduction}{number}"
            family.case(f"meanSquared.{name}", lambda a, b: F.mse_loss(a, b, reduction=reduction), a, b, reduction=reduction)
            family.case(f"l1.{name}", lambda a, b: F.l1_loss(a, b, reduction=reduction), a, b, reduction=reduction)
    return family
