"""What each stage is compared on: PyTorch's model with random weights in the published layout, inputs, and expected outputs.

A stage is a function of a size ("small" or "full") that gives `Stage`s which share one weights file. Weights are random with a scale
that keeps activations of order one, zero-initialised layers included; files have the published names, layouts and leftovers.
"""

import contextlib
import dataclasses
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "goldens"))

import originals
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn


@dataclasses.dataclass
class Stage:
    """One comparison."""

    name: str
    inputs: dict
    run: object                 # () -> outputs by name, computed by PyTorch
    integers: tuple = ()        # outputs that must be equal


@dataclasses.dataclass
class Group:
    """Stages that share a weights file."""

    file: str
    config: dict | None         # sizes for --config; None for the published ones
    save: object                # (path) -> None
    stages: list


def generator(seed):
    return torch.Generator().manual_seed(seed)


def normal(seed, *shape):
    return torch.randn(*shape, generator=generator(seed))


def integers(seed, low, high, *shape):
    return torch.randint(low, high, shape, generator=generator(seed))


def prepare(model, seed):
    """Random weights of a scale that keeps signals alive through any depth."""
    random = generator(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() > 1:
                fan = parameter[0].numel() if not isinstance(owner(model, name), nn.Embedding) else 1
                parameter.copy_(torch.randn(parameter.shape, generator=random) * 0.7 / fan**0.5)
            elif name.endswith("bias"):
                parameter.copy_(torch.randn(parameter.shape, generator=random) * 0.05)
            elif parameter.dim() == 1:
                parameter.copy_(1 + torch.randn(parameter.shape, generator=random) * 0.1)
    return model.eval()


def owner(model, name):
    return model.get_submodule(name.rpartition(".")[0])


def unified_voice(size):
    """The autoregressive model, and its sizes as --config takes them."""
    from tortoise.models.autoregressive import UnifiedVoice

    full = dict(layers=30, model_dim=1024, heads=16, max_text_tokens=402, max_mel_tokens=604, max_conditioning_inputs=2,
                number_text_tokens=255, start_text_token=255, number_mel_codes=8194, start_mel_token=8192, stop_mel_token=8193)
    small = full | dict(layers=2, model_dim=64, heads=4, number_mel_codes=258, start_mel_token=256, stop_mel_token=257)
    sizes = full if size == "full" else small
    return prepare(UnifiedVoice(mel_length_compression=1024, checkpointing=False, **sizes), 1), sizes


def autoregressive(size):
    model, sizes = unified_voice(size)
    codes_end, width = sizes["start_mel_token"], sizes["model_dim"]
    text, codes = integers(2, 1, 255, 2, 50), integers(3, 0, codes_end, 2, 120)
    x = {"auto_latent": normal(4, 2, width), "text": text, "text_lengths": torch.tensor([50, 41]), "codes": codes,
         "wav_lengths": torch.tensor([120 * 1024 - 1000, 90 * 1024])}
    args = lambda: (x["auto_latent"], text.clone(), x["text_lengths"], codes.clone(), x["wav_lengths"])

    def save(path):
        state = dict(model.state_dict())
        for layer in range(sizes["layers"]):
            state[f"gpt.h.{layer}.attn.bias"] = torch.ones(1, 1, 1012, 1012, dtype=torch.bool).tril()
            state[f"gpt.h.{layer}.attn.masked_bias"] = torch.tensor(-1e4)
        torch.save(state, path)

    greedy = lambda: {"codes": greedy_codes(model, sizes, x["auto_latent"][:1], text[:1], 100 if size == "full" else 30)}
    mel = normal(5, 1, 2, 80, 517 if size == "full" else 60)
    greedy_inputs = {"auto_latent": x["auto_latent"][:1], "text": text[:1], "max_steps": torch.tensor([100 if size == "full" else 30])}
    return Group("autoregressive.pth", None if size == "full" else sizes, save, [
        Stage("autoregressive-loss", x, lambda: dict(zip(("loss_text", "loss_mel", "mel_logits"), model(*args())))),
        Stage("autoregressive-latents", x, lambda: {"latents": model(*args(), return_latent=True, clip_inputs=False)}),
        Stage("autoregressive-conditioning", {"mel": mel}, lambda: {"auto_latent": model.get_conditioning(mel)}),
        Stage("autoregressive-greedy", greedy_inputs, greedy, ("codes",)),
    ])


def greedy_codes(model, sizes, latent, text, steps):
    """The most likely codes one after another, through the original's cache."""
    ids = torch.cat([torch.tensor([[255]]), text, torch.tensor([[0]])], dim=1)
    hidden = torch.cat([latent[:, None], model.text_embedding(ids) + model.text_pos_embedding(ids)], dim=1)
    start = model.mel_embedding(torch.tensor([[sizes["start_mel_token"]]])) + model.mel_pos_embedding.emb(torch.tensor([[0]]))
    out = model.gpt(inputs_embeds=torch.cat([hidden, start], dim=1), use_cache=True, return_dict=True)
    found = []
    while True:
        code = int(model.mel_head(model.final_norm(out.last_hidden_state[:, -1])).argmax())
        found.append(code)
        if code == sizes["stop_mel_token"] or len(found) == steps:
            return torch.tensor([found])
        # The original's cached generation counts positions from 2.
        step = model.mel_embedding(torch.tensor([[code]])) + model.mel_pos_embedding.emb(torch.tensor([[len(found) + 1]]))
        out = model.gpt(inputs_embeds=step, past_key_values=out.past_key_values, use_cache=True, return_dict=True)


def random_latents(file, channels):
    from tortoise.models.random_latent_generator import RandomLatentConverter

    def group(size):
        width = channels if size == "full" else 32
        torch.manual_seed(6)
        model = RandomLatentConverter(width).eval()
        noise = normal(7, 2, width)
        return Group(file, None, lambda path: torch.save(model.state_dict(), path), [
            Stage("random-latents", {"noise": noise}, lambda: {"latent": model.layers(noise)})])

    return group


def clvp_model(size):
    from tortoise.models.clvp import CLVP

    full = dict(dim_text=768, dim_speech=768, dim_latent=768, num_text_tokens=256, text_enc_depth=20, text_heads=12,
                num_speech_tokens=8192, speech_enc_depth=20, speech_heads=12)
    small = full | dict(dim_text=48, dim_speech=48, dim_latent=32, text_enc_depth=2, text_heads=2, speech_enc_depth=2, speech_heads=2)
    sizes = full if size == "full" else small
    return prepare(CLVP(text_seq_len=350, speech_seq_len=430, use_xformers=True, **sizes), 8), sizes


def clvp(size):
    model, sizes = clvp_model(size)
    text, codes = integers(9, 0, 256, 2, 60), integers(10, 0, 8192, 2, 200)
    return Group("clvp2.pth", None if size == "full" else sizes, legacy(model), [
        Stage("clvp", {"text": text, "codes": codes}, lambda: {"similarity": model(text, codes)})])


def cvvp(size):
    from tortoise.models.cvvp import CVVP

    width, depth = (512, 8) if size == "full" else (64, 2)
    model = prepare(CVVP(model_dim=width, transformer_heads=width // 64 * 1 if size == "full" else 2, dropout=0, mel_codes=8192,
                         conditioning_enc_depth=depth, cond_mask_percentage=0, speech_enc_depth=depth, speech_mask_percentage=0,
                         latent_multiplier=1), 11)
    mel, codes = normal(12, 2, 80, 517 if size == "full" else 60), integers(13, 0, 8192, 2, 100)
    config = None if size == "full" else dict(model_dim=64, transformer_heads=2, cond_enc_depth=2, speech_enc_depth=2)
    return Group("cvvp.pth", config, lambda path: torch.save(model.state_dict(), path), [
        Stage("cvvp", {"mel": mel, "codes": codes}, lambda: {"similarity": model(mel, codes)})])


def classifier(size):
    from tortoise.models.classifier import AudioMiniEncoderWithClassifierHead

    sizes = dict(spec_dim=1, embedding_dim=512, depth=5, downsample_factor=4, resnet_blocks=2, attn_blocks=4, num_attn_heads=4,
                 base_channels=32, kernel_size=5)
    if size != "full":
        sizes |= dict(embedding_dim=64, depth=2, resnet_blocks=1, attn_blocks=1)
    model = prepare(AudioMiniEncoderWithClassifierHead(2, dropout=0, **sizes), 14)
    audio = normal(15, 1, 1, 110_000 if size == "full" else 3_000) * 0.1
    return Group("classifier.pth", None if size == "full" else sizes, lambda path: torch.save(model.state_dict(), path), [
        Stage("classifier", {"audio": audio}, lambda: {"logits": model(audio)})])


def diffusion_decoder(size):
    from tortoise.models.diffusion_decoder import DiffusionTts

    full = dict(model_channels=1024, num_layers=10, in_channels=100, in_latent_channels=1024, in_tokens=8193, out_channels=200, num_heads=16)
    small = full | dict(model_channels=64, num_layers=2, in_latent_channels=64, in_tokens=65, num_heads=4)
    sizes = full if size == "full" else small
    return prepare(DiffusionTts(dropout=0, layer_drop=0, unconditioned_percentage=0, **sizes), 21), sizes


def diffusion(size):
    model, sizes = diffusion_decoder(size)
    frames, count, channels = (435, 100, 1024) if size == "full" else (150, 35, 64)
    x = {"x": normal(22, 1, 100, frames), "timesteps": torch.tensor([1311]), "latents": normal(23, 1, count, sizes["in_latent_channels"]),
         "conditioning_latent": normal(24, 1, 2 * channels) * 0.3}
    mel = normal(25, 1, 2, 100, 401 if size == "full" else 60)

    def run():
        aligned = model.timestep_independent(x["latents"], x["conditioning_latent"], frames, False)
        passes = [model(x["x"], x["timesteps"], precomputed_aligned_embeddings=aligned, conditioning_free=free) for free in (False, True)]
        return dict(zip(("output", "output_unconditioned"), passes))

    return Group("diffusion_decoder.pth", None if size == "full" else sizes, lambda path: torch.save(model.state_dict(), path), [
        Stage("diffusion", x, run),
        Stage("diffusion-conditioning", {"mel": mel}, lambda: {"conditioning_latent": model.get_conditioning(mel)})])


class ResBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.net = nn.Sequential(nn.Conv1d(width, width, 3, padding=1), nn.ReLU(), nn.Conv1d(width, width, 3, padding=1), nn.ReLU(),
                                 nn.Conv1d(width, width, 1))

    def forward(self, x):
        return x + self.net(x)


class Upsampled(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv = nn.Conv1d(inputs, outputs, 3, padding=1)

    def forward(self, x):
        return self.conv(F.interpolate(x, scale_factor=2))


class DVAE(nn.Module):
    """tortoise-tts 3.0.0 has no DVAE: this is the published one's architecture, from its equations."""

    def __init__(self, hidden, width, count, blocks):
        super().__init__()
        halve = lambda a, b: nn.Sequential(nn.Conv1d(a, b, 3, stride=2, padding=1), nn.ReLU())
        double = lambda a, b: nn.Sequential(Upsampled(a, b), nn.ReLU())
        residual = lambda: [ResBlock(2 * hidden) for _ in range(blocks)]
        self.encoder = nn.Sequential(halve(80, hidden), halve(hidden, 2 * hidden), *residual(), nn.Conv1d(2 * hidden, width, 1))
        self.decoder = nn.Sequential(nn.Conv1d(width, 2 * hidden, 1), *residual(), double(2 * hidden, 2 * hidden),
                                     double(2 * hidden, hidden), nn.Conv1d(hidden, 80, 1))
        self.codebook = nn.Module()
        self.codebook.register_buffer("embed", normal(16, width, count))
        self.codebook.register_buffer("cluster_size", torch.ones(count))
        self.codebook.register_buffer("embed_avg", normal(17, width, count))

    def encode(self, mel):
        x = self.encoder(mel).transpose(1, 2)
        return (2 * x @ self.codebook.embed - self.codebook.embed.pow(2).sum(0)).argmax(-1)

    def decode(self, codes):
        return self.decoder(self.codebook.embed.T[codes].transpose(1, 2))


def dvae(size):
    sizes = dict(hidden_dim=512, codebook_dim=512, num_tokens=8192, num_resnet_blocks=3)
    if size != "full":
        sizes = dict(hidden_dim=16, codebook_dim=12, num_tokens=64, num_resnet_blocks=2)
    model = prepare(DVAE(sizes["hidden_dim"], sizes["codebook_dim"], sizes["num_tokens"], sizes["num_resnet_blocks"]), 18)
    mel, codes = normal(19, 1, 80, 401), integers(20, 0, sizes["num_tokens"], 1, 100)
    return Group("dvae.pth", None if size == "full" else sizes, legacy(model), [
        Stage("dvae-encode", {"mel": mel}, lambda: {"codes": model.encode(mel)}, ("codes",)),
        Stage("dvae-decode", {"codes": codes}, lambda: {"mel": model.decode(codes)})])


def normed(model, seed):
    """Random weights for a network under weight norm, whose lengths keep it from amplifying rounding: at twice these PyTorch's own
    float32 is 2 % away from its float64."""
    originals.randomize(model, seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("weight_g"):
                parameter.copy_(parameter.abs() * 0.5)
    return model


def univnet_generator(size):
    from tortoise.models.vocoder import UnivNetGenerator

    model = UnivNetGenerator() if size == "full" else UnivNetGenerator(channel_size=4)
    model = normed(model, 26)
    model.eval()  # which returns nothing here
    return model


def univnet(size):
    model = univnet_generator(size)
    frames = 200 if size == "full" else 20
    mel, noise = normal(27, 1, 100, frames) - 4, normal(28, 1, 64, frames + 10)
    return Group("vocoder.pth", None if size == "full" else dict(channel_size=4),
                 lambda path: torch.save({"model_g": model.state_dict()}, path), [
        Stage("univnet", {"mel": mel, "z": noise}, lambda: {"wav": model.inference(mel, noise)})])


def hifigan(size):
    from tortoise.models.hifigan_decoder import HifiganGenerator

    width, initial = (1024, 512) if size == "full" else (32, 16)
    model = HifiganGenerator(in_channels=width, out_channels=1, resblock_type="1", resblock_dilation_sizes=[[1, 3, 5]] * 3,
                             resblock_kernel_sizes=[3, 7, 11], upsample_kernel_sizes=[16, 16, 4, 4], upsample_initial_channel=initial,
                             upsample_factors=[8, 8, 2, 2], cond_channels=width)
    model = normed(model, 29)
    model.eval()
    latents, voice = normal(30, 1, 50 if size == "full" else 10, width), normal(31, 1, width)

    def run():
        stretched = F.interpolate(F.interpolate(latents.transpose(1, 2), scale_factor=[4.0], mode="linear"),
                                  scale_factor=[24000 / 22050], mode="linear")
        return {"wav": model(stretched, voice.unsqueeze(2))}

    config = None if size == "full" else dict(in_channels=width, cond_channels=width, upsample_initial_channel=initial)
    return Group("hifidecoder.pth", config, lambda path: torch.save(model.state_dict(), path), [
        Stage("hifigan", {"latents": latents, "auto_latent": voice}, run)])


def bigvgan(size):
    from vocoders import BigVGAN

    initial = 1536 if size == "full" else 64
    torch.manual_seed(0)
    model = BigVGAN(100, initial, [4, 4, 2, 2, 2, 2], [8, 8, 4, 4, 4, 4], [3, 7, 11], [[1, 3, 5]] * 3, True, True, True)
    model = normed(model, 32)
    for key, parameter in model.named_parameters():
        if ".act." in key:
            parameter.data = (parameter.data - 1) * 4
    model.eval()
    mel = normal(33, 1, 100, 60 if size == "full" else 12) - 4

    def run():
        return {"wav": model(F.pad(mel, (0, 10), value=-11.5129))[..., :-10 * 256].clamp(-1, 1)}

    config = None if size == "full" else dict(upsample_initial_channel=initial)
    return Group("bigvgan_24khz_100band.pth", config, lambda path: torch.save({"generator": model.state_dict()}, path), [
        Stage("bigvgan", {"mel": mel}, run)])


def vocos(size):
    from vocoders import Vocos

    sizes = (100, 512, 1_536, 8, 1_024, 256) if size == "full" else (100, 32, 48, 2, 64, 16)
    model = prepare(Vocos(*sizes), 34)
    mel = normal(35, 1, 100, 200 if size == "full" else 20) - 4
    names = ("input_channels", "dim", "intermediate_dim", "num_layers", "n_fft", "hop_length")
    return Group("vocos.safetensors", None if size == "full" else dict(zip(names, sizes)),
                 lambda path: save_file(model.state_dict(), path), [
        Stage("vocos", {"mel": mel}, lambda: {"wav": model.inference(mel)})])


def legacy(model):
    """Some published files are older than PyTorch 1.6's zip layout."""
    return lambda path: torch.save(model.state_dict(), path, _use_new_zipfile_serialization=False)


GROUPS = {
    "autoregressive": autoregressive, "diffusion": diffusion, "rlg_auto": random_latents("rlg_auto.pth", 1024),
    "rlg_diffuser": random_latents("rlg_diffuser.pth", 2048), "clvp": clvp, "cvvp": cvvp, "classifier": classifier, "dvae": dvae,
    "univnet": univnet, "vocos": vocos, "hifigan": hifigan, "bigvgan": bigvgan,
}
