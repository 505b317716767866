"""Writes the goldens of the vocoders and their discriminators.

    python vocoders.py OUTPUT_FOLDER        (needs torch, transformers, safetensors, tortoise-tts --no-deps)

UnivNet and HiFi-GAN are tortoise-tts 3.0.0's own at small size; BigVGAN, Vocos and the discriminators are written down here from their
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


def low_pass_filter(cutoff=0.25, half_width=0.3, count=12):
    attenuation = 2.285 * (count // 2 - 1) * math.pi * 4 * half_width + 7.95
    beta = 0.1102 * (attenuation - 8.7)
    window = torch.kaiser_window(count, beta=beta, periodic=False, dtype=torch.float64)
    taps = 2 * cutoff * window * torch.sinc(2 * cutoff * (torch.arange(-(count // 2), count // 2, dtype=torch.float64) + 0.5))
    return (taps / taps.sum()).float().view(1, 1, count)


class Filter(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("filter", low_pass_filter())


class Downsampling(nn.Module):
    def __init__(self):
        super().__init__()
        self.lowpass = Filter()


class Periodic(nn.Module):
    def __init__(self, channels, has_beta, is_log):
        super().__init__()
        self.alpha = nn.Parameter(torch.zeros(channels))
        self.beta = nn.Parameter(torch.zeros(channels)) if has_beta else None
        self.is_log = is_log

    def forward(self, x):
        alpha, beta = self.alpha, self.alpha if self.beta is None else self.beta
        if self.is_log:
            alpha, beta = alpha.exp(), beta.exp()
        return x + (alpha[:, None] * x).sin() ** 2 / (beta[:, None] + 1e-9)


class AntiAliased(nn.Module):
    def __init__(self, *arguments):
        super().__init__()
        self.act, self.upsample, self.downsample = Periodic(*arguments), Filter(), Downsampling()

    def forward(self, x):
        channels = x.shape[1]
        taps = lambda module: module.filter.expand(channels, -1, -1)
        up = F.conv_transpose1d(F.pad(x, (5, 5), mode="replicate"), taps(self.upsample), stride=2, groups=channels)
        y = self.act(2 * up[..., 15:-15])
        return F.conv1d(F.pad(y, (5, 6), mode="replicate"), taps(self.downsample.lowpass), stride=2, groups=channels)


def same(channels, kernel, dilation):
    return weight_norm(nn.Conv1d(channels, channels, kernel, dilation=dilation, padding=(kernel - 1) * dilation // 2))


class PeriodicBlock(nn.Module):
    def __init__(self, channels, kernel, dilations, paired, *activation):
        super().__init__()
        self.paired = paired
        if paired:
            self.convs1 = nn.ModuleList(same(channels, kernel, d) for d in dilations)
            self.convs2 = nn.ModuleList(same(channels, kernel, 1) for _ in dilations)
        else:
            self.convs = nn.ModuleList(same(channels, kernel, d) for d in dilations)
        self.activations = nn.ModuleList(AntiAliased(channels, *activation) for _ in range(len(dilations) * (1 + paired)))

    def forward(self, x):
        if not self.paired:
            for convolution, activation in zip(self.convs, self.activations):
                x = x + convolution(activation(x))
            return x
        for first, second, a, b in zip(self.convs1, self.convs2, self.activations[::2], self.activations[1::2]):
            x = x + second(b(first(a(x))))
        return x


class BigVGAN(nn.Module):
    def __init__(self, bands, initial, factors, kernels, block_kernels, dilations, paired, *activation):
        super().__init__()
        self.conv_pre = weight_norm(nn.Conv1d(bands, initial, 7, padding=3))
        self.ups, self.resblocks = nn.ModuleList(), nn.ModuleList()
        for stage, (factor, kernel) in enumerate(zip(factors, kernels)):
            inputs, outputs = initial >> stage, initial >> stage + 1
            up = weight_norm(nn.ConvTranspose1d(inputs, outputs, kernel, factor, padding=(kernel - factor) // 2))
            self.ups.append(nn.ModuleList([up]))
            self.resblocks.extend(PeriodicBlock(outputs, k, d, paired, *activation) for k, d in zip(block_kernels, dilations))
        self.activation_post = AntiAliased(outputs, *activation)
        self.conv_post = weight_norm(nn.Conv1d(outputs, 1, 7, padding=3))

    def forward(self, x):
        x = self.conv_pre(x)
        count = len(self.resblocks) // len(self.ups)
        for stage, (up,) in enumerate(self.ups):
            x = up(x)
            x = sum(block(x) for block in self.resblocks[stage * count:(stage + 1) * count]) / count
        return torch.tanh(self.conv_post(self.activation_post(x)))

    def inference(self, mel):
        return self(F.pad(mel, (0, 10), value=-11.5129))[..., :-10 * 6].clamp(-1, 1)


def bigvgan(folder):
    for name, paired, has_beta, is_log in [("bigvgan", True, True, True), ("bigvgan2", False, False, False)]:
        torch.manual_seed(0)
        model = originals.randomize(BigVGAN(5, 8, [3, 2], [7, 4], [3, 5], [[1, 3], [1, 2]], paired, has_beta, is_log), 13)
        for key, parameter in model.named_parameters():
            if is_log and ".act." in key:
                parameter.data = (parameter.data - 1) * 4
        model = model.double()
        mel = normal(7, 2, 5, 4)
        output = model(mel)
        upstream = normal(8, *output.shape)
        (output * upstream).sum().backward()
        with torch.no_grad():
            inference = model.inference(mel)
        save(folder, name, model, {"mel": mel, "output": output, "upstream": upstream, "inference": inference})


class ConvNeXt(nn.Module):
    """Vocos' block, from its equations."""

    def __init__(self, width, inner):
        super().__init__()
        self.dwconv, self.norm = nn.Conv1d(width, width, 7, padding=3, groups=width), nn.LayerNorm(width, eps=1e-6)
        self.pwconv1, self.pwconv2 = nn.Linear(width, inner), nn.Linear(inner, width)
        self.gamma = nn.Parameter(torch.ones(width))

    def forward(self, x):
        y = self.pwconv2(F.gelu(self.pwconv1(self.norm(self.dwconv(x).transpose(1, 2)))))
        return x + (self.gamma * y).transpose(1, 2)


class Vocos(nn.Module):
    def __init__(self, bands, width, inner, layers, size, hop):
        super().__init__()
        self.size, self.hop = size, hop
        self.backbone = nn.Module()
        self.backbone.embed, self.backbone.norm = nn.Conv1d(bands, width, 7, padding=3), nn.LayerNorm(width, eps=1e-6)
        self.backbone.convnext = nn.ModuleList(ConvNeXt(width, inner) for _ in range(layers))
        self.backbone.final_layer_norm = nn.LayerNorm(width, eps=1e-6)
        self.head = nn.Module()
        self.head.out = nn.Linear(width, size + 2)

    def forward(self, mel):
        x = self.backbone.norm(self.backbone.embed(mel).transpose(1, 2)).transpose(1, 2)
        for block in self.backbone.convnext:
            x = block(x)
        magnitude, phase = self.head.out(self.backbone.final_layer_norm(x.transpose(1, 2))).transpose(1, 2).chunk(2, dim=1)
        spectrum = torch.polar(magnitude.exp().clamp(max=100), phase)
        # Frames under the window, overlapped and added, over what the squared windows add up to.
        window = torch.hann_window(self.size, periodic=True, dtype=mel.dtype)
        frames = torch.fft.irfft(spectrum, self.size, dim=1) * window[:, None]
        length, margin = mel.shape[-1] * self.hop, (self.size - self.hop) // 2
        fold = lambda f: F.fold(f, (1, length + 2 * margin), (1, self.size), stride=(1, self.hop))[:, :, 0, margin:margin + length]
        envelope = fold((window**2)[None, :, None].expand(1, -1, mel.shape[-1]))
        return fold(frames) / envelope

    def inference(self, mel):
        return self(F.pad(mel, (0, 10), value=-11.5129))[..., :-10 * self.hop].clamp(-1, 1)


def vocos(folder):
    model = originals.randomize(Vocos(5, 8, 12, 2, 16, 4), 15, scale=0.7).double()
    mel = normal(9, 2, 5, 7) - 1
    output = model(mel)
    upstream = normal(10, *output.shape)
    (output * upstream).sum().backward()
    with torch.no_grad():
        inference = model.inference(mel)
    save(folder, "vocos", model, {"mel": mel, "output": output, "upstream": upstream, "inference": inference})


def leaky(x):
    return F.leaky_relu(x, 0.1)


class Judge(nn.Module):
    """Two-dimensional convolutions with a leaky ReLU after each but the last."""

    def __init__(self, layers, last):
        super().__init__()
        self.convs = nn.ModuleList(weight_norm(layer) for layer in layers)
        self.conv_post = weight_norm(last)

    def judge(self, x):
        features = []
        for layer in self.convs:
            x = leaky(layer(x))
            features.append(x)
        return features + [self.conv_post(x)]


class PeriodJudge(Judge):
    def __init__(self, period, channels):
        inputs = [1] + channels
        strides = [3] * (len(channels) - 1) + [1]
        super().__init__([nn.Conv2d(a, b, (5, 1), (s, 1), padding=(2, 0))
                          for a, b, s in zip(inputs, channels, strides)], nn.Conv2d(channels[-1], 1, (3, 1), padding=(1, 0)))
        self.period = period

    def forward(self, x):
        x = F.pad(x, (0, -x.shape[-1] % self.period), mode="reflect")
        return self.judge(x.view(x.shape[0], 1, -1, self.period))


class SpectrogramJudge(Judge):
    def __init__(self, resolution, width):
        wide = [nn.Conv2d(width, width, (3, 9), (1, 2), padding=(1, 4)) for _ in range(3)]
        super().__init__([nn.Conv2d(1, width, (3, 9), padding=(1, 4)), *wide, nn.Conv2d(width, width, (3, 3), padding=1)],
                         nn.Conv2d(width, 1, (3, 3), padding=1))
        self.resolution = resolution

    def forward(self, x):
        frame, hop, length = self.resolution
        around = (frame - hop) // 2
        x = F.pad(x, (around, around), mode="reflect")[:, 0]
        window = torch.hann_window(length, dtype=x.dtype)
        spectrum = torch.stft(x, frame, hop, length, window, center=False, return_complex=True)
        return self.judge(spectrum.abs()[:, None])


class Judges(nn.Module):
    def __init__(self, kinds):
        super().__init__()
        self.discriminators = nn.ModuleList(kinds)


def discriminators(folder):
    model = nn.Module()
    model.mpd = Judges([PeriodJudge(p, [3, 4, 4]) for p in (2, 3)])
    model.mrd = Judges([SpectrogramJudge(r, 3) for r in ([32, 6, 20], [16, 4, 16])])
    model = originals.randomize(model, 14).double()
    real, generated = normal(9, 2, 1, 100) * 0.5, (normal(10, 2, 1, 100) * 0.5).requires_grad_()
    judged = lambda x: [part(x) for part in [*model.mpd.discriminators, *model.mrd.discriminators]]
    a, b = judged(real), judged(generated)
    loss = sum(((1 - x[-1]) ** 2).mean() + (y[-1] ** 2).mean() for x, y in zip(a, b))
    loss.backward(retain_graph=True)
    tensors = {"real": real, "generated": generated, "loss": loss}
    for index, part in enumerate(a):
        flat = part[-1].squeeze(1)
        # Columns are signals of their own on the other side.
        tensors[f"scores{index}"] = flat.transpose(1, 2).reshape(-1, 1, flat.shape[1]) if index < 2 else part[-1]
    adversarial = sum(((1 - y[-1]) ** 2).mean() for y in b)
    matching = 2 * sum((x.detach() - y).abs().mean() for p, q in zip(a, b) for x, y in zip(p, q))
    tensors |= {"adversarial": adversarial, "matching": matching}
    tensors["waveform_gradient"] = torch.autograd.grad(adversarial + matching, generated)[0]
    save(folder, "discriminators", model, tensors)


if __name__ == "__main__":
    output = pathlib.Path(sys.argv[1])
    output.mkdir(parents=True, exist_ok=True)
    for write in (univnet, hifigan, bigvgan, vocos, discriminators):
        write(output)
