"""Writes Tests/TortoiseCoreTests/Goldens/Optimizers: what other implementations of the optimizers and schedules compute.

    python Tools/goldens/optimizers.py Tests/TortoiseCoreTests/Goldens/Optimizers

Packages: torch 2.15, prodigyopt 1.1.2, numpy 2.4, safetensors 0.8. The output is deterministic.

`trajectories.safetensors`: four small parameters in two groups, pulled towards targets for 50 steps: the gradient is
(w - target) * pull * c(step), all in float32. Gradients are clipped, rates follow a cosine with a warm-up, and some
parameters have no gradient in some steps. The metadata key `cases` lists the optimizers with their settings.

`eight_bit.safetensors`: 8-bit AdamW by the rules of Sources/TortoiseCore/Optimizers/DynamicQuantization.swift, in NumPy.

`schedules.json`: factors of the learning rate, most of them by PyTorch's schedulers.
"""

import json
import math
import pathlib
import sys

import numpy as np
import prodigyopt
import safetensors.numpy
import torch

STEPS = 50
WARMUP = 8
MINIMUM = 0.1
MAXIMUM_NORM = 0.7
SHAPES = {"a": (7, 5), "b": (5,), "c": (3, 4, 2), "d": (33,)}
GROUPS = [["a", "b"], ["c", "d"]]

CASES = [
    dict(name="sgd", optimizer="sgd", rate=0.1, decay=0.02, settings={}),
    dict(name="momentum", optimizer="sgd", rate=0.05, decay=0.02, settings=dict(momentum=0.9, dampening=0.1)),
    dict(name="nesterov", optimizer="sgd", rate=0.05, decay=0, settings=dict(momentum=0.9, nesterov=True)),
    dict(name="adam", optimizer="adam", rate=0.05, decay=0.03, settings={}),
    dict(name="adamw", optimizer="adamw", rate=0.05, decay=0.1, settings={}),
    dict(name="reference", optimizer="adamw", rate=0.02, decay=0.01, settings=dict(betas=(0.9, 0.96), eps=1e-7)),
    dict(name="prodigy", optimizer="prodigy", rate=1, decay=0.01, settings={}, shrink=2.0**-12),
    dict(name="prodigy-coupled", optimizer="prodigy", rate=1, decay=0.01, settings=dict(decouple=False, d0=1e-3)),
    dict(
        name="prodigy-safe", optimizer="prodigy", rate=1, decay=0,
        settings=dict(
            use_bias_correction=True, safeguard_warmup=True, growth_rate=1.2, d_coef=0.7, d0=1e-2, betas=(0.9, 0.99))),
    dict(name="prodigy-slice", optimizer="prodigy", rate=1, decay=0, settings=dict(slice_p=3, beta3=0.9),
        shrink=2.0**-12),
    dict(name="muon", optimizer="muon", rate=0.05, decay=0.1, settings={}),
    dict(name="muon-heavy", optimizer="muon", rate=0.05, decay=0, settings=dict(momentum=0.8, nesterov=False, ns_steps=3)),
]


class MuonAndAdamW(torch.optim.Optimizer):
    """PyTorch's Muon for matrices (kernels flattened after their first axis) in float32, its AdamW for all others."""

    def __init__(self, groups, lr, **settings):
        super().__init__(groups, dict(lr=lr, weight_decay=0))
        self.parts = []
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.dim() > 1:
                    matrix = torch.nn.Parameter(parameter.data.view(parameter.shape[0], -1))
                    part = torch.optim.Muon([matrix], adjust_lr_fn="match_rms_adamw", **settings)
                else:
                    matrix = parameter
                    part = torch.optim.AdamW([matrix], betas=(0.95, 0.95), eps=1e-8)
                self.parts.append((group, parameter, matrix, part))

    @torch.no_grad()
    def step(self):
        half, torch.bfloat16 = torch.bfloat16, torch.float32
        for group, parameter, matrix, part in self.parts:
            matrix.grad = None if parameter.grad is None else parameter.grad.view(matrix.shape)
            part.param_groups[0].update(lr=group["lr"], weight_decay=group["weight_decay"])
            part.step()
            self.state[parameter] = {
                key: value.view(parameter.shape) for key, value in part.state[matrix].items() if key != "step"}
        torch.bfloat16 = half


CLASSES = dict(
    sgd=torch.optim.SGD, adam=torch.optim.Adam, adamw=torch.optim.AdamW, prodigy=prodigyopt.Prodigy, muon=MuonAndAdamW)


def warm_cosine(step):
    if step < WARMUP:
        return (step + 1) / WARMUP
    t = min(1, (step - WARMUP) / (STEPS - WARMUP))
    return MINIMUM + (1 - MINIMUM) * (1 + math.cos(math.pi * t)) / 2


def has_gradient(name, step):
    return not (name == "c" and step % 7 == 3) and not (name == "d" and step < 4)


def trajectory(case, start, target, pull, results):
    # From d0 = 1e-6 the first steps are a few units in the last place of a weight near 1, and every rounding error grows
    # with d: these cases start from small weights.
    shrink = np.float32(case.get("shrink", 1))
    parameters = {name: torch.nn.Parameter(torch.tensor(value * shrink)) for name, value in start.items()}
    # Prodigy has one rate for all; the others halve that of the second group.
    rates = [case["rate"], case["rate"] if case["optimizer"] == "prodigy" else case["rate"] / 2]
    decays = [case["decay"], 0]
    groups = [
        dict(params=[parameters[name] for name in names], lr=rate, weight_decay=decay)
        for names, rate, decay in zip(GROUPS, rates, decays)
    ]
    optimizer = CLASSES[case["optimizer"]](groups, lr=case["rate"], **case["settings"])
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, warm_cosine)
    norms, distances = [], []
    for step in range(STEPS):
        c = np.float32((step * 7 % 5 + 1) / 5)
        for name, parameter in parameters.items():
            gradient = (parameter.detach() - torch.tensor(target[name])) * torch.tensor(pull[name]) * torch.tensor(c)
            parameter.grad = gradient if has_gradient(name, step) else None
        norms.append(torch.nn.utils.clip_grad_norm_(parameters.values(), MAXIMUM_NORM).item())
        optimizer.step()
        schedule.step()
        if case["optimizer"] == "prodigy":
            distances.append(optimizer.param_groups[0]["d"])
        if step + 1 in (STEPS // 2, STEPS):
            for name, parameter in parameters.items():
                results[f"{case['name']}.{step + 1}.{name}"] = parameter.detach().numpy().copy()
    for name, parameter in parameters.items():
        for key, value in optimizer.state[parameter].items():
            if torch.is_tensor(value) and key != "step":
                results[f"{case['name']}.state.{name}.{key}"] = value.detach().numpy().copy()
    results[f"{case['name']}.norms"] = np.array(norms)
    if distances:
        results[f"{case['name']}.d"] = np.array(distances)


def trajectories(folder):
    random = np.random.default_rng(20)
    start = {name: random.normal(size=shape).astype(np.float32) for name, shape in SHAPES.items()}
    target = {name: random.normal(size=shape).astype(np.float32) for name, shape in SHAPES.items()}
    pull = {name: (10 ** random.uniform(-2, 0, size=shape)).astype(np.float32) for name, shape in SHAPES.items()}
    results = {}
    for label, arrays in dict(start=start, target=target, pull=pull).items():
        results.update({f"{label}.{name}": value for name, value in arrays.items()})
    for case in CASES:
        trajectory(case, start, target, pull, results)
    safetensors.numpy.save_file(
        results, folder / "trajectories.safetensors", metadata=dict(cases=", ".join(case["name"] for case in CASES)))


# -- 8-bit AdamW -------------------------------------------------------------------------------------------------------

BLOCK = 256


def dynamic_map(signed):
    """256 ascending numbers: 1, seven decades, each with twice the values of the one below, and 0 or (unsigned) 1e-7."""
    values = [0.0 if signed else 1e-7, 1.0]
    for decade in range(7):
        edges = np.linspace(0.1, 1, (1 if signed else 2) * 2**decade + 1)
        middles = 10.0 ** (decade - 6) * (edges[:-1] + edges[1:]) / 2
        values += list(middles) + (list(-middles) if signed else [])
    return np.sort(np.array(values)).astype(np.float32)


def quantize(values, map_):
    """Codes of the nearest numbers of the map after division by the largest magnitude of each block."""
    padded = np.zeros(-(-values.size // BLOCK) * BLOCK, np.float32)
    padded[: values.size] = values
    blocks = padded.reshape(-1, BLOCK)
    scales = np.abs(blocks).max(axis=1)
    inverse = np.where(scales > 0, np.float32(1) / np.where(scales > 0, scales, 1), 0).astype(np.float32)
    borders = (map_[:-1] + map_[1:]) * np.float32(0.5)
    codes = np.searchsorted(borders, (blocks * inverse[:, None]).reshape(-1)[: values.size]).astype(np.uint8)
    return codes, scales


def dequantize(codes, scales, map_):
    return map_[codes] * np.repeat(scales, BLOCK)[: codes.size]


def eight_bit(folder):
    rate, beta1, beta2, epsilon, decay, steps, count = 0.01, 0.9, 0.99, 1e-8, 0.1, 6, 4196
    index = np.arange(count)
    w = ((index * 7919 + 13) % 1009).astype(np.float32) / np.float32(1009)
    pull = (2.0 ** -(index % 9)).astype(np.float32)
    target = ((index * 104729 + 7) % 997).astype(np.float32) / np.float32(997)
    signed, unsigned = dynamic_map(True), dynamic_map(False)
    m, v = (np.zeros(count, np.uint8),) * 2
    m_scales, v_scales = (np.zeros(-(-count // BLOCK), np.float32),) * 2
    for step in range(1, steps + 1):
        g = (w - target) * pull
        first = dequantize(m, m_scales, signed).astype(np.float64)
        second = dequantize(v, v_scales, unsigned).astype(np.float64)
        first = first + (1 - beta1) * (g - first)
        second = beta2 * second + (1 - beta2) * g.astype(np.float64) ** 2
        direction = first / (1 - beta1**step) / (np.sqrt(second / (1 - beta2**step)) + epsilon)
        w = (w * (1 - rate * decay) - rate * direction).astype(np.float32)
        m, m_scales = quantize(first.astype(np.float32), signed)
        v, v_scales = quantize(second.astype(np.float32), unsigned)
    safetensors.numpy.save_file(
        dict(w=w, m=m, v=v, m_scales=m_scales, v_scales=v_scales, signed=signed, unsigned=unsigned),
        folder / "eight_bit.safetensors")


# -- Schedules ---------------------------------------------------------------------------------------------------------

LENGTH = 64


def torch_schedule(make, length=LENGTH):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = make(optimizer)
    rates = []
    for step in range(length):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if step + 1 < length:
            schedule.step()
    return rates


def schedules(folder):
    lr = torch.optim.lr_scheduler
    ramp = [(step + 1) / 10 for step in range(10)]

    def warmup(step):
        factor = min(1, (step + 1) / 10)
        return factor * 0.98 ** (step - 10) if step >= 10 else factor

    tables = {
        "warmup": torch_schedule(lambda o: lr.LambdaLR(o, warmup)),
        "noam": torch_schedule(lambda o: lr.LambdaLR(o, lambda n: 384**-0.5 * min((n + 1) ** -0.5, (n + 1) * 16**-1.5))),
        "cosineAnnealing": torch_schedule(lambda o: lr.CosineAnnealingLR(o, T_max=20, eta_min=0.05)),
        "oneCycle": torch_schedule(lambda o: lr.OneCycleLR(o, max_lr=1.0, total_steps=LENGTH, cycle_momentum=False)),
        "oneCycleEarly": torch_schedule(
            lambda o: lr.OneCycleLR(
                o, max_lr=1.0, total_steps=LENGTH, pct_start=0.1, div_factor=5.0, final_div_factor=100.0,
                cycle_momentum=False)),
        # After the warm-up and up to their ends; from there on they stay.
        "cosine": ramp + torch_schedule(lambda o: lr.CosineAnnealingLR(o, T_max=40, eta_min=0.1), 41) + [0.1] * 13,
        "linear": ramp + torch_schedule(lambda o: lr.LinearLR(o, 1.0, 0.2, total_iters=40), LENGTH - 10),
    }
    (folder / "schedules.json").write_text(json.dumps(tables))


if __name__ == "__main__":
    output = pathlib.Path(sys.argv[1])
    output.mkdir(parents=True, exist_ok=True)
    trajectories(output)
    eight_bit(output)
    schedules(output)
