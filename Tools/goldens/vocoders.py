"""Writes the goldens of the vocoders and their discriminators.

    python vocoders.py OUTPUT_FOLDER        (needs torch, transformers, safetensors, tortoise-tts --no-deps)

UnivNet and HiFi-GAN are tortoise-tts 3.0.0's own at small size; BigVGAN and the discriminators are written down here from their
equations. Each file: `weights.*` with weight norms as published, inputs, outputs, `gradient.*` of the sum of the output times
`upstream`, in double precision.
"""

import math
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import originals
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn
from torch.nn.utils import weight_norm
from tortoise.models.hifigan_decoder import HifiganGenerator
from tortoise.models.vocoder import LVCBlock, UnivNetGenerator

torch.set_num_threads(1)


def save(folder, name, model, tensors):
    result = dict(tensors)
    for key, value in model.state_dict().items():
        result[f"weights.{key}"] = value
    for key, parameter in model.named_parameters():
        if parameter.grad is not None:
            result[f"gradient.{key}"] = parameter.grad
    save_file({k: v.detach().float().contiguous().clone() for k, v in result.items()}, folder / f"{name}.safetensors")


def normal(seed, *shape):
    """Random numbers that float32 holds exactly."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).float().double()


def univnet(folder):
    strides, dilations, bands = [3, 2], [1, 3], 7
    model = UnivNetGenerator(noise_dim=5, channel_size=4, dilations=dilations, strides=strides, hop_length=6, n_mel_channels=bands)
    hops = [3, 6]
    model.res_stack = nn.ModuleList([
        LVCBlock(4, bands, stride=s, dilations=dilations, lReLU_slope=0.2, cond_hop_length=h, kpnet_hidden_channels=6)
        for s, h in zip(strides, hops)])
    model = originals.randomize(model, 11).double().train()
    mel, noise = normal(1, 2, bands, 5) - 4, normal(2, 2, 5, 15)
    output = model(mel, noise[..., :5])
    upstream = normal(3, *output.shape)
    (output * upstream).sum().backward()
    with torch.no_grad():
        inference = model.inference(mel, noise)
    save(folder, "univnet", model, {"mel": mel, "noise": noise, "output": output, "upstream": upstream, "inference": inference})


def hifigan_model(resblock, dilations):
    model = HifiganGenerator(
        in_channels=6, out_channels=1, resblock_type=resblock, resblock_dilation_sizes=dilations, resblock_kernel_sizes=[3, 5],
        upsample_kernel_sizes=[8, 4], upsample_initial_channel=8, upsample_factors=[4, 2], cond_channels=6)
    return originals.randomize(model, 12).double()


def hifigan(folder):
    for name, resblock, dilations in [("hifigan", "1", [[1, 3, 5]] * 2), ("hifigan2", "2", [[1, 3]] * 2)]:
        model = hifigan_model(resblock, dilations)
        latents, voice = normal(4, 2, 5, 6), normal(5, 2, 6)
        x = latents.transpose(1, 2).requires_grad_()
        stretched = F.interpolate(F.interpolate(x, scale_factor=[4.0], mode="linear"), scale_factor=[24000 / 22050], mode="linear")
        output = model(stretched, voice.unsqueeze(2))
        upstream = normal(6, *output.shape)
        (output * upstream).sum().backward()
        save(folder, name, model, {
            "latents": latents, "voice": voice, "output": output, "upstream": upstream, "inputs_gradient": x.grad.transpose(1, 2)})


if __name__ == "__main__":
    output = pathlib.Path(sys.argv[1])
    output.mkdir(parents=True, exist_ok=True)
    for write in (univnet, hifigan):
        write(output)
