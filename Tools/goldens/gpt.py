"""Writes the golden of Tests/TortoiseCoreTests/Models/GPTTrainingTests: a small GPT trained for 20 steps by PyTorch.

    python gpt.py OUTPUT_FOLDER        (needs torch, safetensors)

training.safetensors: `batches` int32 [steps, sequences, tokens + 1], `losses` [steps], for each parameter its first
value `initial.NAME` (matrices as int8, in units of 1/1024) and its gradient at the first step, `gradient.NAME`.
Everything is computed in double precision and stored as float32.
"""

import pathlib
import sys

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

LAYERS, WIDTH, HEADS, VOCABULARY, POSITIONS = 4, 64, 4, 101, 32
STEPS, SEQUENCES = 20, 4
UNIT = 1 / 1024


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.c_attn, self.c_proj = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)

    def forward(self, x):
        batch, time, _ = x.shape
        q, k, v = (part.view(batch, time, HEADS, -1).transpose(1, 2) for part in self.c_attn(x).split(WIDTH, dim=2))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.c_proj(y.transpose(1, 2).reshape(batch, time, WIDTH))


class MLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.c_fc, self.c_proj = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x):
        return self.c_proj(F.gelu(self.c_fc(x), approximate="tanh"))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.ln_1, self.attn, self.ln_2, self.mlp = nn.LayerNorm(WIDTH), Attention(), nn.LayerNorm(WIDTH), MLP()

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class GPT(nn.Module):
    def __init__(self):
        super().__init__()
        self.wte, self.wpe = nn.Embedding(VOCABULARY, WIDTH), nn.Embedding(POSITIONS, WIDTH)
        self.h, self.ln_f = nn.ModuleList(Block() for _ in range(LAYERS)), nn.LayerNorm(WIDTH)
        self.head = nn.Linear(WIDTH, VOCABULARY, bias=False)

    def forward(self, tokens):
        x = self.wte(tokens) + self.wpe.weight[: tokens.shape[1]]
        for block in self.h:
            x = block(x)
        return self.head(self.ln_f(x))


def sequences(generator):
    """Tokens that follow one another by a rule with exceptions, so that there is something to learn."""
    start = torch.randint(0, VOCABULARY, (STEPS, SEQUENCES, 1), generator=generator)
    tokens = [start]
    for _ in range(POSITIONS):
        surprise = torch.randint(0, VOCABULARY, start.shape, generator=generator)
        is_surprise = torch.rand(start.shape, generator=generator) < 0.1
        tokens.append(torch.where(is_surprise, surprise, (tokens[-1] * 3 + 7) % VOCABULARY))
    return torch.cat(tokens, dim=2)


def initialize(model, generator):
    """Values that float32 and int8 hold exactly; returns what is stored."""
    stored = {}
    for name, parameter in model.named_parameters():
        units = torch.randn(parameter.shape, generator=generator, dtype=torch.float64) * 0.03 / UNIT
        units = units.round().clamp(-127, 127)
        if name.endswith("weight") and parameter.dim() == 1:
            units = units + 1 / UNIT
        parameter.data = (units * UNIT).double()
        stored[f"initial.{name}"] = units.to(torch.int8) if parameter.dim() == 2 else (units * UNIT).float()
    return stored


def main(folder):
    generator = torch.Generator().manual_seed(4)
    torch.set_default_dtype(torch.float64)
    model = GPT()
    tensors = initialize(model, generator)
    batches = sequences(generator)
    tensors["batches"] = batches.int()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.99), eps=1e-8, weight_decay=0.01)
    losses = []
    for step, batch in enumerate(batches):
        optimizer.zero_grad()
        logits = model(batch[:, :-1])
        loss = F.cross_entropy(logits.flatten(0, 1), batch[:, 1:].flatten())
        loss.backward()
        if step == 0:
            tensors |= {f"gradient.{name}": p.grad.float() for name, p in model.named_parameters()}
        optimizer.step()
        losses.append(loss.item())
    tensors["losses"] = torch.tensor(losses).float()
    path = pathlib.Path(folder) / "training.safetensors"
    save_file({name: x.contiguous().clone() for name, x in tensors.items()}, path)
    path.chmod(0o644)


if __name__ == "__main__":
    main(sys.argv[1])
