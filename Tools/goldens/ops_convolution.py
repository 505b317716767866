"""Writes Goldens/Ops/{convolution,stft,resampling}.safetensors: operations over time, forward and gradients, by PyTorch.

A case NAME has NAME/input0 …, NAME/output, the gradient NAME/upstream that is fed in, and NAME/gradientN of every input;
its attributes are JSON in the file's metadata. Values are computed in double precision and rounded once.

Needs torch, numpy and safetensors. Usage: python ops_convolution.py FOLDER
"""

import json
import pathlib
import sys

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import save_file

random = np.random.default_rng(20240917)


def draw(*shape):
    """Float32 values, as doubles."""
    return torch.tensor(random.standard_normal(shape).astype(np.float32), dtype=torch.float64)


class Cases:
    """The tensors and attributes of one file."""

    def __init__(self):
        self.tensors = {}
        self.attributes = {}

    def add(self, operation, attributes, inputs, compute):
        """Runs and differentiates `compute` of the inputs."""
        name = f"{operation}/{sum(key.startswith(operation + '/') for key in self.attributes):02}"
        self.attributes[name] = json.dumps(attributes)
        leaves = [value.clone().requires_grad_() for value in inputs]
        output = compute(*leaves)
        upstream = draw(*output.shape)
        output.backward(upstream)
        self.put(f"{name}/output", output)
        self.put(f"{name}/upstream", upstream)
        for number, leaf in enumerate(leaves):
            self.put(f"{name}/input{number}", leaf)
            self.put(f"{name}/gradient{number}", leaf.grad)

    def put(self, key, value):
        self.tensors[key] = np.ascontiguousarray(value.detach().numpy(), dtype=np.float32)

    def save(self, path):
        save_file(self.tensors, path, metadata=self.attributes)


def convolution(cases):
    # batch, inputs, outputs, time, taps, stride, dilation, padding, groups, bias
    for b, ci, co, t, k, s, d, p, g, bias in [
        (2, 3, 5, 17, 3, 1, 1, 1, 1, 1),
        (1, 6, 7, 23, 1, 1, 1, 0, 1, 1),  # one tap: a matrix product
        (2, 5, 4, 9, 1, 1, 1, 0, 1, 0),
        (1, 4, 6, 20, 1, 2, 1, 0, 1, 1),
        (2, 4, 6, 31, 1, 1, 1, 2, 2, 1),
        (1, 5, 9, 40, 7, 1, 5, 15, 1, 1),  # a residual block's widest
        (2, 4, 8, 33, 5, 3, 1, 2, 1, 1),
        (1, 3, 2, 50, 4, 4, 3, 1, 1, 1),  # stride and dilation at odds
        (1, 2, 3, 29, 2, 3, 6, 4, 1, 0),  # dilation a multiple of the stride
        (2, 6, 6, 26, 12, 2, 1, 5, 6, 0),  # depthwise
        (1, 8, 12, 37, 41, 4, 1, 20, 4, 1),  # a scale discriminator's
        (3, 1, 6, 30, 15, 1, 1, 7, 1, 1),  # one channel in
        (2, 6, 1, 45, 7, 1, 1, 3, 1, 1),  # one channel out
        (1, 1, 1, 7, 7, 1, 1, 0, 1, 1),  # a single step out
        (1, 2, 3, 2, 5, 1, 1, 2, 1, 1),  # shorter than the kernel
        (1, 3, 3, 260, 3, 1, 27, 27, 1, 1),  # more than one tile
        (1, 2, 4, 11, 3, 5, 1, 0, 2, 1),
        (2, 70, 33, 12, 3, 1, 1, 1, 1, 1),
    ]:
        inputs = [draw(b, ci, t), draw(co, ci // g, k)] + [draw(co)] * bias
        cases.add(
            "conv1d", {"stride": s, "dilation": d, "padding": p, "groups": g}, inputs,
            lambda x, weight, bias=None: F.conv1d(x, weight, bias, s, p, d, g))


def transposed(cases):
    # batch, inputs, outputs, time, taps, stride, dilation, padding, output padding, groups, bias
    for b, ci, co, t, k, s, d, p, op, g, bias in [
        (2, 4, 3, 9, 16, 8, 1, 4, 0, 1, 1),  # HiFi-GAN's
        (1, 3, 5, 11, 4, 2, 1, 1, 0, 1, 1),
        (2, 3, 4, 8, 10, 5, 1, 3, 1, 1, 1),  # UnivNet's, odd stride
        (1, 4, 4, 13, 12, 2, 1, 5, 0, 4, 0),  # depthwise
        (1, 2, 3, 7, 3, 4, 1, 0, 2, 1, 1),  # steps that no tap reaches
        (2, 4, 6, 10, 3, 2, 3, 2, 1, 2, 1),
        (1, 3, 2, 6, 5, 3, 2, 4, 2, 1, 0),
        (1, 3, 5, 12, 1, 1, 1, 0, 0, 1, 1),
        (1, 1, 1, 1, 3, 2, 1, 0, 0, 1, 1),
        (1, 2, 2, 5, 3, 1, 4, 3, 2, 1, 1),  # output padding below the dilation
        (1, 5, 1, 130, 7, 2, 1, 3, 1, 1, 1),
    ]:
        inputs = [draw(b, ci, t), draw(ci, co // g, k)] + [draw(co)] * bias
        cases.add(
            "convTranspose1d", {"stride": s, "dilation": d, "padding": p, "groups": g, "outputPadding": op}, inputs,
            lambda x, weight, bias=None: F.conv_transpose1d(x, weight, bias, s, p, op, g, d))


def location_variable(x, kernels, bias, hop, dilation):
    """Straight from the definition: every frame is an ordinary convolution of its part of the padded signal."""
    padding = dilation * (kernels.shape[3] - 1) // 2
    padded = F.pad(x, (padding, padding))
    frames = []
    for frame in range(kernels.shape[4]):
        part = padded[:, :, frame * hop : (frame + 1) * hop + 2 * padding]
        items = [
            F.conv1d(part[i : i + 1], kernels[i, :, :, :, frame].transpose(0, 1), bias[i, :, frame], dilation=dilation)
            for i in range(len(x))
        ]
        frames.append(torch.cat(items))
    return torch.cat(frames, 2)


def location_variable_convolution(cases):
    # batch, inputs, outputs, taps, frames, hop, dilation
    for b, ci, co, k, frames, hop, d in [
        (2, 3, 6, 3, 5, 8, 1),
        (1, 4, 8, 3, 19, 4, 1),  # more than one band of frames
        (1, 2, 5, 3, 3, 33, 1),
        (2, 3, 3, 5, 4, 7, 2),
        (1, 2, 3, 3, 4, 3, 9),  # taps that reach over several frames
        (1, 1, 1, 1, 2, 6, 1),
    ]:
        inputs = [draw(b, ci, frames * hop), draw(b, ci, co, k, frames), draw(b, co, frames)]
        cases.add(
            "locationVariableConvolution", {"hop": hop, "dilation": d}, inputs,
            lambda x, kernels, bias: location_variable(x, kernels, bias, hop, d))


def stft(cases):
    # batch, time, size, hop, window, padding, power
    for b, t, n, hop, window, mode, power in [
        (2, 300, 64, 16, 64, "reflect", 1),
        (1, 700, 256, 100, 240, "reflect", 1),
        (1, 200, 32, 8, 20, "none", 1),
        (2, 90, 16, 5, 16, "zero", 2),
        (1, 150, 30, 7, 30, "reflect", 1),  # 2 · 3 · 5
        (1, 120, 21, 6, 15, "none", 2),  # odd
        (1, 60, 11, 4, 11, "none", 1),  # prime
        (1, 64, 64, 64, 64, "none", 1),  # one frame
        (1, 900, 8, 8, 8, "none", 1),  # more than one band of frames
    ]:
        def compute(x):
            spectrum = torch.stft(
                x, n, hop, window, torch.hann_window(window, dtype=x.dtype), center=mode != "none",
                pad_mode="constant" if mode == "zero" else "reflect", return_complex=True)
            return spectrum.abs() if power == 1 else spectrum.real**2 + spectrum.imag**2

        attributes = {"fftSize": n, "hop": hop, "windowLength": window, "padding": mode, "power": power}
        cases.add("stftMagnitude", attributes, [draw(b, t)], compute)


def resampling(cases):
    for mode, name in {"zero": "constant", "reflect": "reflect", "replicate": "replicate"}.items():
        for shape, before, after in [((2, 3, 7), 3, 2), ((1, 4), 0, 3), ((2, 2, 5), 4, 4), ((3, 6), 5, 0)]:
            cases.add(
                "padded", {"mode": mode, "before": before, "after": after}, [draw(*shape)],
                lambda x: F.pad(x.reshape(1, -1, shape[-1]), (before, after), name).reshape(*shape[:-1], -1))
    for mode in ["nearest", "linear"]:
        corners = {"align_corners": False} if mode == "linear" else {}
        for shape, size in [((2, 3, 7), 13), ((1, 2, 10), 4), ((1, 1, 5), 5), ((1, 2, 1), 6), ((2, 1, 31), 45)]:
            cases.add(
                "interpolatedToSize", {"mode": mode, "size": size}, [draw(*shape)],
                lambda x: F.interpolate(x, size=size, mode=mode, **corners))
        for shape, scale in [((2, 3, 7), 4), ((1, 2, 10), 0.4), ((1, 1, 29), 1.73), ((1, 2, 8), 1)]:
            cases.add(
                "interpolatedByScale", {"mode": mode, "scale": scale}, [draw(*shape)],
                lambda x: F.interpolate(x, scale_factor=scale, mode=mode, **corners))


def main(folder):
    files = {
        "convolution": (convolution, transposed, location_variable_convolution),
        "stft": (stft,),
        "resampling": (resampling,),
    }
    for name, writers in files.items():
        cases = Cases()
        for writer in writers:
            writer(cases)
        cases.save(pathlib.Path(folder) / f"{name}.safetensors")


if __name__ == "__main__":
    main(sys.argv[1])
