"""Follows one utterance through the whole pipeline beside the original: `scripts/parity --pipeline` runs this.

    python pipeline.py --infer PROGRAM --cache FOLDER [--size small|full] [--steps 10] [--threads N]

Random weights in the published layout under the published file names. Both sides begin with the same text, clips (as mels) and
noise, and each stage is fed with what the side's own stage before it made: voice, codes (greedy), CLVP's score, latents, the original's
ancestral sampler with guidance and DDIM, the vocoder. Prints ‖ours − theirs‖ / ‖theirs‖ of every tensor; leaves with 1 when one is above
the limit or the codes differ.
"""

import argparse
import json
import os
import pathlib
import subprocess

import stages
import torch
from safetensors.torch import load_file, save_file

TEXT, LIMIT, GUIDANCE = "Read verse out loud for pleasure.", 1e-3, 2.0


class Ours:
    """Our program, stage by stage."""

    def __init__(self, options, folder):
        self.options, self.folder = options, folder

    def text(self):
        told = subprocess.run([self.options.infer, "text", TEXT], capture_output=True, text=True, check=True).stdout
        return torch.tensor([[int(token) for token in told.splitlines()[1].strip("[] ").replace(",", " ").split()]])

    def __call__(self, stage, weights, sizes, **inputs):
        given, made = self.folder / "pipeline.in.safetensors", self.folder / "pipeline.out.safetensors"
        save_file({k: (v if v.is_floating_point() else v.int()).contiguous().clone() for k, v in inputs.items()}, given)
        command = [self.options.infer, "probe", stage, "--weights", self.folder / weights, "--inputs", given, "--outputs", made]
        if self.options.size != "full":
            command += ["--config", json.dumps(sizes)]
        done = subprocess.run(command, env=os.environ | {"TORTOISE_THREADS": str(self.options.threads)}, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise SystemExit(f"{stage} failed: {done.stderr}")
        return load_file(made)


def sampled(diffusion_model, aligned, noise, sampler):
    """The original's loop over given noise; its output as it is, and as a mel."""
    from tortoise.utils import diffusion as original

    steps = noise.shape[0] - 1
    process = original.SpacedDiffusion(
        use_timesteps=original.space_timesteps(4000, [steps]), model_mean_type=original.ModelMeanType.EPSILON,
        model_var_type=original.ModelVarType.LEARNED_RANGE, loss_type=original.LossType.MSE,
        betas=original.get_named_beta_schedule("linear", 4000), conditioning_free=True, conditioning_free_k=GUIDANCE)
    draws = iter(noise[1:])
    kept, original.th.randn_like = original.th.randn_like, lambda x: next(draws)
    loop = process.p_sample_loop if sampler == "p" else process.ddim_sample_loop
    result = loop(diffusion_model, tuple(noise.shape[1:]), noise=noise[0], progress=False,
                  model_kwargs={"precomputed_aligned_embeddings": aligned})
    original.th.randn_like = kept
    return result


def denormalized(mel):
    low, high = -11.512925148010254, 2.3143386840820312
    return (mel + 1) / 2 * (high - low) + low


def follow(options, folder):
    """(what, ours, theirs) of every tensor on the way."""
    ours, random = Ours(options, folder), stages.normal
    voice, sizes = stages.unified_voice(options.size)
    decoder, decoder_sizes = stages.diffusion_decoder(options.size)
    ranker, ranker_sizes = stages.clvp_model(options.size)
    vocoder = stages.univnet_generator(options.size)
    torch.save(voice.state_dict(), folder / "autoregressive.pth")
    torch.save(decoder.state_dict(), folder / "diffusion_decoder.pth")
    torch.save(ranker.state_dict(), folder / "clvp2.pth")
    torch.save({"model_g": vocoder.state_dict()}, folder / "vocoder.pth")
    ar, dd = ("autoregressive.pth", sizes), ("diffusion_decoder.pth", decoder_sizes)

    text = ours.text()
    narrow, wide = random(5, 1, 2, 80, 517), random(25, 1, 2, 100, 401)
    a = ours("autoregressive-conditioning", *ar, mel=narrow)["auto_latent"]
    b = voice.get_conditioning(narrow)
    yield "voice, autoregressive", a, b
    c = ours("diffusion-conditioning", *dd, mel=wide)["conditioning_latent"]
    d = decoder.get_conditioning(wide)
    yield "voice, diffusion", c, d
    steps = 60
    codes = ours("autoregressive-greedy", *ar, auto_latent=a, text=text, max_steps=torch.tensor([steps]))["codes"].long()
    known = stages.greedy_codes(voice, sizes, b, text, steps)
    yield "codes", codes, known
    yield "score", ours("clvp", "clvp2.pth", ranker_sizes, text=text, codes=codes)["similarity"], ranker(text, known)
    lengths, waves = torch.tensor([text.shape[1]]), torch.tensor([known.shape[1] * 1024])
    latents = ours("autoregressive-latents", *ar, auto_latent=a, text=text, text_lengths=lengths, codes=codes, wav_lengths=waves)["latents"]
    expected = voice(b, text.clone(), lengths, known.clone(), waves, return_latent=True, clip_inputs=False)
    yield "latents", latents, expected
    frames = latents.shape[1] * 4 * 24_000 // 22_050
    aligned = decoder.timestep_independent(expected, d, frames, False)
    for sampler in ("p", "ddim"):
        noise = random(40, options.steps + 1, 1, 100, frames)
        found = ours(f"diffusion-sample-{sampler}", *dd, noise=noise, latents=latents, conditioning_latent=c,
                     guidance=torch.tensor([GUIDANCE]))
        sample = sampled(decoder, aligned, noise, sampler)
        yield f"mel, {sampler} in {options.steps} steps", found["mel"], denormalized(sample)
        z = random(41, 1, 64, frames + 10)
        sound = ours("univnet", "vocoder.pth", {"channel_size": 4}, mel=found["mel"], z=z)["wav"]
        yield "sound", sound, vocoder.inference(denormalized(sample), z)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--infer", required=True)
    parser.add_argument("--cache", required=True, type=pathlib.Path)
    parser.add_argument("--size", choices=("small", "full"), default="small")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    options = parser.parse_args()
    folder = options.cache / f"pipeline-{options.size}"
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(options.threads)
    failures = 0
    with torch.no_grad():
        for name, a, b in follow(options, folder):
            if tuple(a.shape) != tuple(b.shape):
                raise SystemExit(f"{name}: {tuple(a.shape)}, PyTorch {tuple(b.shape)}")
            if not b.is_floating_point():
                bad = not torch.equal(a, b)
                print(f"{name:26}{'equal' if not bad else 'DIFFERS':>10}", flush=True)
            else:
                error = ((a.double() - b.double()).norm() / b.double().norm()).item()
                bad = not error <= LIMIT
                print(f"{name:26}{error:10.1e}{'  DIFFERS' if bad else ''}", flush=True)
            failures += bad
    for path in folder.iterdir():
        path.unlink()
    if failures:
        raise SystemExit(f"{failures} tensors differ")
    print("all tensors agree")


if __name__ == "__main__":
    main()
