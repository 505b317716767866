"""How near each diffusion sampler comes to DDIM's mel of 200 steps: the table of docs/sampling.md.

    python sampler_distances.py [--infer .build/release/tortoise-infer] [--models data/models/small] [--clips data/voices/heart]

For some sentences it makes codes (greedy) and latents, then mels of every sampler and number of steps from the same noise, and prints
the mean absolute difference of the log-mels in ln, and beside it that of DDIM from another seed. Needs numpy and safetensors.
"""

import argparse
import os
import pathlib
import subprocess
import tempfile

import numpy as np
from safetensors.numpy import load_file, save_file

SENTENCES = ("Read verse out loud for pleasure.", "The harbour lights went out one after another.", "How many chairs are in the room?")
SAMPLERS = ("p", "ddim", "dpm++2m", "dpm++3m-sde", "unipc", "heun", "euler-a")
STEPS = (5, 8, 12, 20, 30, 50, 100)
REFERENCE, GUIDANCE = 200, 0.5


def probe(options, stage, weights, folder, **inputs):
    save_file({k: np.ascontiguousarray(v) for k, v in inputs.items()}, folder / "in.safetensors")
    subprocess.run([options.infer, "probe", stage, "--weights", options.models / weights, "--inputs", folder / "in.safetensors",
                    "--outputs", folder / "out.safetensors"], check=True)
    return load_file(folder / "out.safetensors")


def utterance(options, folder, text):
    """Latents of the codes, and the diffusion decoder's voice."""
    subprocess.run([options.infer, "voice", "encode", options.clips, "-o", folder / "v.voice", "--models", options.models], check=True,
                   stdout=subprocess.DEVNULL)
    voice = load_file(folder / "v.voice")
    latent, conditioning = (voice[key].reshape(1, -1) for key in ("autoregressive", "diffusion"))
    told = subprocess.run([options.infer, "text", text], capture_output=True, text=True, check=True).stdout.splitlines()[1]
    tokens = np.array([[int(token) for token in told.split()]], np.int32)
    weights = "autoregressive.safetensors"
    codes = probe(options, "autoregressive-greedy", weights, folder, auto_latent=latent, text=tokens, max_steps=np.array([250], np.int32))["codes"]
    codes = codes[:, :-1].astype(np.int32)
    latents = probe(options, "autoregressive-latents", weights, folder, auto_latent=latent, text=tokens,
                    text_lengths=np.array([tokens.shape[1]], np.int32), codes=codes, wav_lengths=np.array([codes.shape[1] * 1024], np.int32))
    return latents["latents"], conditioning


def mel(options, folder, sampler, steps, latents, conditioning, seed=1):
    random = np.random.default_rng(seed)
    frames = latents.shape[1] * 4 * 24_000 // 22_050
    start = random.standard_normal((1, 1, 100, frames))
    noise = np.concatenate([start, random.standard_normal((steps, 1, 100, frames))]).astype(np.float32)
    return probe(options, f"diffusion-sample-{sampler}", "diffusion.safetensors", folder, noise=noise, latents=latents,
                 conditioning_latent=conditioning, guidance=np.array([GUIDANCE], np.float32))["mel"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--infer", default=".build/release/tortoise-infer")
    parser.add_argument("--models", type=pathlib.Path, default=pathlib.Path("data/models/small"))
    parser.add_argument("--clips", default="data/voices/heart")
    options = parser.parse_args()
    os.environ.setdefault("TORTOISE_DATA", "data")
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place)
        inputs = [utterance(options, folder, text) for text in SENTENCES]
        references = [mel(options, folder, "ddim", REFERENCE, *pair) for pair in inputs]
        mean = lambda others: np.mean([np.abs(a - b).mean() for a, b in zip(references, others, strict=True)])
        print("| sampler | " + " | ".join(map(str, STEPS)) + " |")
        print("|---" * (len(STEPS) + 1) + "|")
        for sampler in SAMPLERS:
            row = [mean([mel(options, folder, sampler, steps, *pair) for pair in inputs]) for steps in STEPS]
            print(f"| {sampler} | " + " | ".join(f"{value:.3f}" for value in row) + " |", flush=True)
        print(f"ddim in {REFERENCE} steps from other noise: {mean([mel(options, folder, 'ddim', REFERENCE, *pair, seed=2) for pair in inputs]):.3f}")


if __name__ == "__main__":
    main()
