"""Trains the full-size autoregressive model beside PyTorch for ten steps, in full and through an adapter.

    python training.py --train PROGRAM --cache FOLDER [--size small|full] [--steps 10] [--threads N]

Random weights in the published layout, a dataset of two utterances (50 text tokens, 150 codes) that are one batch, AdamW, clipping,
no dropout. PyTorch's side is the original's model with its own losses and torch.optim.AdamW; its adapter is a parametrisation of the
weights as the reference trainer's is. Then our run is exported as .pth, loaded with torch.load(weights_only=True) into the original's
model, strictly, and asked for its loss. Prints both losses of every step and of the exported weights, the seconds of the middle step
and the peak memory, and leaves with 1 when a loss is further off than 1e-3.
"""

import argparse
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import time
import zlib

import h5py
import numpy as np
import stages
import torch
from safetensors.torch import save_file
from torch import nn

RATE, CLIP, RANK = 1e-4, 1.0, 16
TEXT, CODES, LIMIT = 50, 150, 1e-3
PROJECTIONS = ("attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj")


def batch(sizes):
    return {"latent": stages.normal(4, 2, sizes["model_dim"]), "text": stages.integers(2, 1, 255, 2, TEXT),
            "codes": stages.integers(3, 0, sizes["start_mel_token"], 2, CODES), "samples": torch.tensor([CODES * 1024, CODES * 1024 - 900])}


def adapter(sizes):
    """A and B of every projection, both random so that the first step already goes through them."""
    result, width = {}, sizes["model_dim"]
    inputs = dict(zip(PROJECTIONS, (width, width, width, 4 * width)))
    outputs = dict(zip(PROJECTIONS, (3 * width, width, 4 * width, width)))
    for layer in range(sizes["layers"]):
        for index, key in enumerate(PROJECTIONS):
            name = f"gpt.h.{layer}.{key}.parametrizations.weight.0"
            seed = 100 + 10 * layer + index
            result[f"{name}.lora_A"] = stages.normal(seed, RANK, outputs[key]) * RANK**-0.5
            result[f"{name}.lora_B"] = stages.normal(seed + 5_000, inputs[key], RANK) * 0.1 / inputs[key] ** 0.5
    return result


def write_dataset(path, data, tokenizer):
    """Two utterances as docs/dataset.md has them."""
    count, width = data["latent"].shape
    with h5py.File(path, "w", libver=("v110", "v110")) as file:
        attributes = {"format": "tortoise-dataset", "mels": "", "tokenizer_sha256": tokenizer, "model_sha256": "", "settings": "{}"}
        for key, value in attributes.items():
            file.attrs[key] = np.array(value.encode(), dtype=f"S{max(1, len(value))}")
        for key, value in {"version": 1, "sample_rate": 22_050, "autoregressive_latent_width": width, "diffusion_latent_width": 0,
                           "waveform_rate": 0}.items():
            file.attrs[key] = np.int64(value)
        texts = [b"first", b"second"]
        rows = {"codes": [r.numpy().astype(np.uint16) for r in data["codes"]], "tokens": [r.numpy().astype(np.uint16) for r in data["text"]],
                "text": [np.frombuffer(t, np.uint8) for t in texts], "name": [np.frombuffer(t, np.uint8) for t in texts],
                "speakers": [np.frombuffer(b"made/up", np.uint8)], "languages": [np.frombuffer(b"en", np.uint8)]}
        chunked = dict(chunks=(1_024,), maxshape=(None,))
        for name, values in rows.items():
            file.create_dataset(f"{name}/values", data=np.concatenate(values), **chunked)
            file.create_dataset(f"{name}/ends", data=np.cumsum([len(v) for v in values]).astype(np.int64), **chunked)
        latents = data["latent"].numpy().astype(np.float32)
        file.create_dataset("latents/autoregressive", data=latents, chunks=(16, width), maxshape=(None, width))
        fixed = {"samples": data["samples"].numpy().astype(np.int64), "speaker": np.zeros(count, np.int32), "language": np.zeros(count, np.int32)}
        for name, values in fixed.items():
            file.create_dataset(name, data=values, **chunked)
        sums = [zlib.crc32(b"".join([rows[k][i].tobytes() for k in ("codes", "tokens", "text", "name")] + [latents[i].tobytes()]
                                    + [fixed[k][i:i + 1].tobytes() for k in ("samples", "speaker", "language")])) for i in range(count)]
        file.create_dataset("checksum", data=np.array(sums, np.uint32), **chunked)
        file.create_dataset("committed", data=np.array([count, 1, 1], np.int64), chunks=(3,), maxshape=(3,))


class Adapted(nn.Module):
    """GPT-2's Conv1D weight, [inputs, outputs], with the product of two low-rank matrices added."""

    def __init__(self, a, b):
        super().__init__()
        self.lora_A, self.lora_B = nn.Parameter(a), nn.Parameter(b)

    def forward(self, weight):
        return weight + self.lora_B @ self.lora_A


def model_of(options, is_adapter):
    model, sizes = stages.unified_voice(options.size)
    if is_adapter:
        model.requires_grad_(False)
        weights = adapter(sizes)
        for layer, block in enumerate(model.gpt.h):
            for key in PROJECTIONS:
                name = f"gpt.h.{layer}.{key}.parametrizations.weight.0"
                nn.utils.parametrize.register_parametrization(
                    block.get_submodule(key), "weight", Adapted(weights[f"{name}.lora_A"], weights[f"{name}.lora_B"]))
    return model, batch(sizes)


def losses_of(model, data):
    lengths = torch.tensor([TEXT, TEXT])
    text, mel, _ = model(data["latent"], data["text"].clone(), lengths, data["codes"].clone(), data["samples"])
    return text, mel


def theirs(options, is_adapter):
    """PyTorch's losses, those after the last step among them, seconds a step, and peak memory in MB."""
    torch.set_num_threads(options.threads)
    model, data = model_of(options, is_adapter)
    trained = [p for n, p in model.named_parameters() if p.requires_grad and not n.startswith("conditioning_encoder.")]
    optimizer = torch.optim.AdamW(trained, lr=RATE, betas=(0.9, 0.96), eps=1e-7, weight_decay=0.01)
    losses, seconds = [], []
    for _ in range(options.steps):
        start = time.perf_counter()
        text, mel = losses_of(model, data)
        (text + mel).backward()
        torch.nn.utils.clip_grad_norm_(trained, CLIP)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        losses.append((text.item(), mel.item()))
        seconds.append(time.perf_counter() - start)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    with torch.no_grad():
        losses.append([loss.item() for loss in losses_of(model, data)])
    return losses, statistics.median(seconds), memory


def exported(options, is_adapter):
    """The losses of PyTorch's model with the weights that our run exports."""
    run = options.cache / f"train-{options.size}-{'lora' if is_adapter else 'full'}"
    subprocess.run([options.train, "export", "--yaml", run / "config.yaml", "--format", "pth"], check=True, stderr=subprocess.DEVNULL)
    file = next(run.glob("ckpt/*/lora.pth" if is_adapter else "ckpt/*/fp32.pth"))
    module = torch.load(file, weights_only=True)["module"]
    model, data = model_of(options, is_adapter)
    expected = {key for key in model.state_dict() if "lora_" in key} if is_adapter else set(model.state_dict())
    if set(module) != expected:
        raise SystemExit(f"{file} has other keys than the original: {sorted(set(module) ^ expected)[:10]}")
    model.load_state_dict(module, strict=not is_adapter)
    with torch.no_grad():
        return [loss.item() for loss in losses_of(model, data)]


def prepare(options, is_adapter):
    """The run's folder: weights, dataset, configuration."""
    run = options.cache / f"train-{options.size}-{'lora' if is_adapter else 'full'}"
    run.mkdir(parents=True, exist_ok=True)
    model, sizes = stages.unified_voice(options.size)
    torch.save(model.state_dict(), run / "autoregressive.pth")
    hashed = subprocess.run(["sha256sum", options.tokenizer], capture_output=True, text=True, check=True).stdout.split()[0]
    write_dataset(run / "data.h5", batch(sizes), hashed)
    lora = ""
    if is_adapter:
        save_file({k: v.contiguous() for k, v in adapter(sizes).items()}, run / "lora.safetensors")
        lora = f"loras:\n- {{name: lora, rank: {RANK}, alpha: {RANK}, dropout: 0, training: True, path: lora.safetensors}}\n"
    kwargs = json.dumps(sizes | {"dropout": 0.0})
    (run / "config.yaml").write_text(f"""models:
- name: autoregressive
  training: True
  path: autoregressive.pth
  kwargs: {kwargs}
{lora}hyperparameters: {{batch_size: 2, gradient_accumulation_steps: 1, gradient_clipping: {CLIP}, optimizer: AdamW, learning_rate: {RATE}, scheduler: ''}}
trainer: {{iterations: {options.steps}, save_frequency: 1000000, save_on_quit: False, gradient_checkpointing: {options.checkpointing}, threads: {options.threads}}}
evaluation: {{frequency: 0}}
dataset: {{hdf5_name: data.h5, duration_range: [1.0, 30.0], validation_fraction: 0}}
""")
    return run


def ours(options, is_adapter):
    """Our losses, seconds a step, and peak memory in MB."""
    run = prepare(options, is_adapter)
    for old in run.glob("logs/*/metrics.jsonl"):
        old.unlink()
    subprocess.run(["rm", "-rf", run / "ckpt"], check=True)
    command = ["/usr/bin/env", "time", "-f", "%M", options.train, "--yaml", run / "config.yaml"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{options.train} failed:\n{done.stderr}")
    lines = [json.loads(line) for path in sorted(run.glob("logs/*/metrics.jsonl")) for line in path.read_text().splitlines()]
    steps = [line for line in lines if "loss.mel" in line]
    losses = [(line["loss.text"], line["loss.mel"]) for line in steps]
    return losses, statistics.median(line["elapsed_time"] for line in steps), int(done.stderr.splitlines()[-1]) / 1024


def ask(arguments):
    """What this script says in a process of its own, so that memory is measured by itself."""
    told = subprocess.run([sys.executable, *sys.argv, *arguments], capture_output=True, text=True)
    if told.returncode != 0:
        raise SystemExit(told.stderr)
    return json.loads(told.stdout.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", default=".build/release/tortoise-train")
    parser.add_argument("--tokenizer", default="data/tokenizer.json")
    parser.add_argument("--cache", type=pathlib.Path, default=pathlib.Path(".cache/parity"))
    parser.add_argument("--size", choices=("small", "full"), default="small")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--checkpointing", action="store_true", help="compute activations twice, as our trainer does by default")
    parser.add_argument("--only", choices=("full", "lora"))
    parser.add_argument("--exported", choices=("full", "lora"), help=argparse.SUPPRESS)
    parser.add_argument("--theirs", choices=("full", "lora"), help=argparse.SUPPRESS)  # a process of its own, for its memory
    options = parser.parse_args()
    if options.theirs:
        print(json.dumps(theirs(options, options.theirs == "lora")))
        return
    if options.exported:
        print(json.dumps(exported(options, options.exported == "lora")))
        return
    worst = 0.0
    for kind in ("full", "lora"):
        if options.only not in (None, kind):
            continue
        found = ours(options, kind == "lora")
        found[0].append(ask(["--exported", kind]))
        expected = ask(["--theirs", kind])
        print(f"{kind}: {'step':>4} {'text, ours':>12} {'PyTorch':>12} {'mel, ours':>12} {'PyTorch':>12}")
        for step, (a, b) in enumerate(zip(found[0], expected[0], strict=True), 1):
            worst = max(worst, abs(a[0] - b[0]), abs(a[1] - b[1]))
            label = step if step <= options.steps else "pth"
            print(f"{'':{len(kind) + 1}} {label:>4} {a[0]:12.6f} {b[0]:12.6f} {a[1]:12.6f} {b[1]:12.6f}")
        print(f"{kind}: a step takes {found[1]:.2f} s, PyTorch {expected[1]:.2f} s; memory {found[2]:.0f} MB, PyTorch {expected[2]:.0f} MB", flush=True)
    print(f"largest difference of a loss: {worst:.1e}")
    if not worst <= LIMIT:
        raise SystemExit("the losses differ")


if __name__ == "__main__":
    main()
