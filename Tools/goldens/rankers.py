"""Writes the goldens of CLVP, CVVP, the audio classifier and the DVAE.

    python rankers.py OUTPUT_FOLDER        (needs torch, transformers, safetensors, einops, tortoise-tts --no-deps)

CLVP, CVVP and the classifier are tortoise-tts 3.0.0's own at small size; that package has no DVAE, so it is written down here from
its equations. Each file: `weights.*` in the published layout, inputs, outputs, `gradient.*` of the sum of the outputs times
`upstream` (CLVP: of the contrastive loss; DVAE: of the reconstruction's mean squared error plus the commitment).
"""

import pathlib
import sys

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import originals
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn
from tortoise.models.classifier import AudioMiniEncoderWithClassifierHead
from tortoise.models.clvp import CLVP
from tortoise.models.cvvp import CVVP


def save(folder, name, model, tensors):
    result = dict(tensors)
    for key, value in model.state_dict().items():
        result[f"weights.{key}"] = value
    for key, parameter in model.named_parameters():
        if parameter.grad is not None:
            result[f"gradient.{key}"] = parameter.grad
    convert = lambda v: v.detach().float().contiguous() if v.is_floating_point() else v.int().contiguous()
    save_file({k: convert(v).clone() for k, v in result.items()}, folder / f"{name}.safetensors")


def generator(seed):
    return torch.Generator().manual_seed(seed)


def clvp(folder):
    model = CLVP(dim_text=24, dim_speech=24, dim_latent=16, num_text_tokens=30, text_enc_depth=2, text_seq_len=20, text_heads=2,
                 num_speech_tokens=40, speech_enc_depth=2, speech_heads=2, speech_seq_len=30, use_xformers=True)
    model = originals.randomize(model, 3).double().eval()
    with torch.no_grad():
        model.temperature.fill_(1.25)
    text = torch.randint(0, 30, (3, 9), generator=generator(1))
    codes = torch.randint(0, 40, (3, 13), generator=generator(2))
    loss = model(text, codes, return_loss=True)
    loss.backward()
    with torch.no_grad():
        similarity = model(text, codes)
        first = model(text[:1].repeat(3, 1), codes)
    save(folder, "clvp", model, {"text": text, "codes": codes, "loss": loss, "similarity": similarity, "similarity_first": first})


def cvvp(folder):
    model = CVVP(model_dim=32, transformer_heads=2, dropout=0, conditioning_enc_depth=2, cond_mask_percentage=0, mel_channels=80,
                 mel_codes=40, speech_enc_depth=2, speech_mask_percentage=0, latent_multiplier=1)
    model = originals.randomize(model, 4).double().eval()
    mel = torch.randn(1, 80, 21, generator=generator(3))
    codes = torch.randint(0, 40, (2, 11), generator=generator(4))
    upstream = torch.tensor([1.0, -0.5]).double()
    similarity = model(mel.double().repeat(2, 1, 1), codes)
    (similarity * upstream).sum().backward()
    save(folder, "cvvp", model, {"mel": mel, "codes": codes, "similarity": similarity, "upstream": upstream})


def classifier(folder):
    model = AudioMiniEncoderWithClassifierHead(2, spec_dim=1, embedding_dim=32, depth=2, downsample_factor=4, resnet_blocks=1,
                                               attn_blocks=1, num_attn_heads=2, base_channels=16, dropout=0, kernel_size=5)
    model = originals.randomize(model, 5).double().eval()
    audio = torch.randn(2, 1, 333, generator=generator(5))
    upstream = torch.randn(2, 2, generator=generator(6)).double()
    logits = model(audio.double())
    (logits * upstream).sum().backward()
    save(folder, "classifier", model, {"audio": audio, "logits": logits, "upstream": upstream})


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


class Codebook(nn.Module):
    def __init__(self, width, count):
        super().__init__()
        self.register_buffer("embed", torch.randn(width, count, generator=generator(7)))
        self.register_buffer("cluster_size", torch.rand(count, generator=generator(8)) * 3)
        self.register_buffer("embed_avg", torch.randn(width, count, generator=generator(9)))

    def nearest(self, x):
        return (2 * x @ self.embed - self.embed.pow(2).sum(0)).argmax(-1)

    def update(self, x, codes, decay=0.99, epsilon=1e-5):
        hot = F.one_hot(codes, self.embed.shape[1]).to(x.dtype)
        size = self.cluster_size * decay + hot.sum(0) * (1 - decay)
        average = self.embed_avg * decay + x.T @ hot * (1 - decay)
        total = size.sum()
        smoothed = (size + epsilon) / (total + size.numel() * epsilon) * total
        return {"updated_cluster_size": size, "updated_embed_avg": average, "updated_embed": average / smoothed}


class DVAE(nn.Module):
    """Two halvings, one residual block, 80 bands; hidden width 8, codes of 6."""

    def __init__(self, hidden=8, width=6, count=12):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Sequential(nn.Conv1d(80, hidden, 3, stride=2, padding=1), nn.ReLU()),
            nn.Sequential(nn.Conv1d(hidden, 2 * hidden, 3, stride=2, padding=1), nn.ReLU()),
            ResBlock(2 * hidden), nn.Conv1d(2 * hidden, width, 1))
        self.decoder = nn.Sequential(
            nn.Conv1d(width, 2 * hidden, 1), ResBlock(2 * hidden), nn.Sequential(Upsampled(2 * hidden, 2 * hidden), nn.ReLU()),
            nn.Sequential(Upsampled(2 * hidden, hidden), nn.ReLU()), nn.Conv1d(hidden, 80, 1))
        self.codebook = Codebook(width, count)


def dvae(folder):
    model = originals.randomize(DVAE(), 6).double()
    mel = torch.randn(2, 80, 26, generator=generator(10)).float()
    encoded = model.encoder(mel.double())
    rows = encoded.transpose(1, 2).reshape(-1, 6)
    codes = model.codebook.nearest(rows)
    quantized = model.codebook.embed.T[codes].reshape(2, -1, 6).transpose(1, 2)
    decoded = model.decoder(encoded + (quantized - encoded).detach())
    loss, commitment = F.mse_loss(decoded[..., :26], mel.double()), F.mse_loss(encoded, quantized)
    (loss + commitment).backward()
    updated = model.codebook.update(rows.detach(), codes)
    save(folder, "dvae", model, {
        "mel": mel, "codes": codes.reshape(2, -1), "decoded": model.decoder(quantized), "loss": loss, "commitment": commitment} | updated)


if __name__ == "__main__":
    output = pathlib.Path(sys.argv[1])
    output.mkdir(parents=True, exist_ok=True)
    for write in (clvp, cvvp, classifier, dvae):
        write(output)
