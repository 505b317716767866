"""Writes the goldens of Tests/TortoiseCoreTests/Models/AutoregressiveTests from tortoise-tts 3.0.0's own models.

    python autoregressive.py OUTPUT_FOLDER        (needs torch, transformers, safetensors, tortoise-tts --no-deps)

autoregressive.safetensors: `weights.*` in the published layout (stale mask buffers included), the inputs of a small UnifiedVoice,
losses (with text first and with codes first), logits, latents, the conditioning latent, greedy cached codes (with the original's
positions), `gradient.*` of the sum that `outputs` makes of losses and conditioning latent. lora.safetensors: the same with a parametrised adapter.
random_latents.safetensors: a small random latent converter.
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
from tortoise.models.autoregressive import UnifiedVoice
from tortoise.models.random_latent_generator import RandomLatentConverter

WIDTH, LAYERS, HEADS, TEXT, MEL = 32, 2, 2, 30, 42
START, STOP = 40, 41


def make_model():
    model = UnifiedVoice(
        layers=LAYERS, model_dim=WIDTH, heads=HEADS, max_text_tokens=20, max_mel_tokens=30, max_conditioning_inputs=2,
        mel_length_compression=1024, number_text_tokens=TEXT, start_text_token=TEXT, number_mel_codes=MEL,
        start_mel_token=START, stop_mel_token=STOP, checkpointing=False)
    return originals.randomize(model, 1).double().eval()


def inputs():
    generator = torch.Generator().manual_seed(2)
    integers = lambda limit, *shape: torch.randint(1, limit, shape, generator=generator)
    return {
        "latent": torch.randn(2, WIDTH, generator=generator).float(),
        "text": integers(TEXT, 2, 7), "text_lengths": torch.tensor([7, 5]),
        "codes": integers(START, 2, 11), "wav_lengths": torch.tensor([10 * 1024 + 500, 6 * 1024 + 3]),
        "mel": torch.randn(2, 3, 80, 13, generator=generator).float(),
        "upstream": torch.randn(2, WIDTH, generator=generator).float(),
    }


def gpt_hidden(model, embedded):
    return model.final_norm(model.gpt(inputs_embeds=embedded, return_dict=True).last_hidden_state)


def greedy(model, latent, text, steps, offset):
    """The most likely codes; code j gets position j + offset, 2 in the original's cached generation."""
    ids = torch.cat([torch.tensor([[TEXT]]), text, torch.tensor([[0]])], dim=1)
    embedded = torch.cat([latent.unsqueeze(1), model.text_embedding(ids) + model.text_pos_embedding(ids)], dim=1)
    codes = [START]
    for _ in range(steps):
        positions = torch.tensor([0] + [j + offset for j in range(len(codes) - 1)])
        mel = model.mel_embedding(torch.tensor([codes])) + model.mel_pos_embedding.emb(positions)
        logits = model.mel_head(gpt_hidden(model, torch.cat([embedded, mel], dim=1))[:, -1])
        codes.append(int(logits.argmax()))
    return torch.tensor(codes[1:])


def as_stored(value):
    return value.detach().float().contiguous() if value.is_floating_point() else value.int().contiguous()


def outputs(model, x, whole=True):
    conditioning = model.get_conditioning(x["mel"].double())
    forward = lambda **more: model(
        x["latent"].double(), x["text"].clone(), x["text_lengths"], x["codes"].clone(), x["wav_lengths"], **more)
    loss_text, loss_mel, logits = forward()
    latents = forward(return_latent=True, clip_inputs=False)
    heard_text, heard_mel, _ = forward(text_first=False)
    total = loss_text + loss_mel
    if whole:
        total = total + 0.5 * heard_text + 0.25 * heard_mel + (conditioning * x["upstream"].double()).sum()
    total.backward()
    return {
        "conditioning": conditioning, "loss_text": loss_text, "loss_mel": loss_mel, "mel_logits": logits, "latents": latents,
        "codes_first_loss_text": heard_text, "codes_first_loss_mel": heard_mel}


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    model, x = make_model(), inputs()
    result = {f"inputs.{k}": v for k, v in x.items()} | outputs(model, x)
    with torch.no_grad():
        for name, offset in (("original", 2), ("training", 1)):
            result[f"greedy_{name}"] = greedy(model, x["latent"][:1].double(), x["text"][:1], 20, offset)
    for name, parameter in model.named_parameters():
        result[f"weights.{name}"] = parameter
        if parameter.grad is not None:
            result[f"gradient.{name}"] = parameter.grad
    for layer in range(LAYERS):
        result[f"weights.gpt.h.{layer}.attn.bias"] = torch.ones(1, 1, 4, 4, dtype=torch.int32)
        result[f"weights.gpt.h.{layer}.attn.masked_bias"] = torch.tensor(-1e4)
    save_file({k: as_stored(v) for k, v in result.items()}, folder / "autoregressive.safetensors")

    save_file({k: as_stored(v) for k, v in adapted(x).items()}, folder / "lora.safetensors")
    save_file({k: as_stored(v) for k, v in random_latents().items()}, folder / "random_latents.safetensors")


def adapted(x):
    """The loss and the gradients of a rank-3 adapter on the four projections of every block."""
    model, rank, alpha = make_model(), 3, 6.0
    generator = torch.Generator().manual_seed(5)
    adapters, result = {}, {}
    for layer, block in enumerate(model.gpt.h):
        for key, module in (("attn.c_attn", block.attn.c_attn), ("attn.c_proj", block.attn.c_proj),
                            ("mlp.c_fc", block.mlp.c_fc), ("mlp.c_proj", block.mlp.c_proj)):
            rows, columns = module.weight.shape
            b = (torch.randn(rows, rank, generator=generator) * 0.2).double().requires_grad_()
            a = (torch.randn(rank, columns, generator=generator) * 0.2).double().requires_grad_()
            name = f"gpt.h.{layer}.{key}.parametrizations.weight.0"
            adapters[f"{name}.lora_A"], adapters[f"{name}.lora_B"] = a, b
            changed = module.weight.detach() + b @ a * (alpha / rank)
            module.forward = (lambda w, bias: lambda y: (y.view(-1, y.size(-1)) @ w + bias).view(*y.shape[:-1], -1))(
                changed, module.bias)
    found = outputs(model, x, whole=False)
    for key, value in adapters.items():
        result[f"weights.{key}"], result[f"gradient.{key}"] = value, value.grad
    for key in ("loss_text", "loss_mel", "latents"):
        result[key] = found[key]
    return result


def random_latents():
    torch.manual_seed(7)
    model = RandomLatentConverter(16)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_((torch.randn(parameter.shape) * 1024).round() / 1024)
    model = model.double()
    noise = torch.randn(3, 16).float()
    x = noise.double()
    output = model.layers(x)
    upstream = torch.randn(3, 16).float()
    (output * upstream.double()).sum().backward()
    result = {"noise": noise, "output": output, "upstream": upstream}
    for name, parameter in model.named_parameters():
        result[f"weights.{name}"], result[f"gradient.{name}"] = parameter, parameter.grad
    return result


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
