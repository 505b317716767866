"""Writes the golden of Tests/TortoiseCoreTests/Sampling/Diffusion from tortoise-tts 3.0.0's own SpacedDiffusion.

    python diffusion_sampling.py OUTPUT_FOLDER        (needs torch, numpy, tqdm, safetensors, tortoise-tts --no-deps)

diffusion.safetensors:
- `spacing.TEXT` int32: what space_timesteps(4000, TEXT) keeps;
- `betas.TEXT`, `signal.TEXT`, `log_variance.TEXT`: tables of the process with that spacing;
- `run.NAME`: every x of a run, the start first, of the network `predict` below; `noise.NAME`: the noise that it was given;
- `loss.*`: a prediction, data, noise, steps and their losses; `loss.gradient_*` of losses times `loss.upstream`.
Everything is computed in double precision and stored as float32.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import originals  # noqa: F401
import torch
from safetensors.torch import save_file
from tortoise.utils import diffusion as original

SPACINGS = ("1", "2", "10", "30", "80", "200", "10,15,20", "7,1", "ddim50", "ddim25", "4000")
STEPS = 12
RUNS = {   # sampler, whether it is guided, k, ramp, eta
    "p": ("p", False, 0, False, 0), "p_guided": ("p", True, 2, True, 0), "p_constant": ("p", True, 1.5, False, 0),
    "ddim": ("ddim", False, 0, False, 0), "ddim_guided": ("ddim", True, 2, True, 0), "ddim_eta": ("ddim", True, 2, True, 0.7),
}


def predict(x, t, conditioning_free=False):
    """Noise and variance as a function of each element and the timestep."""
    u = (t.double() / 4000).view(-1, 1, 1)
    noise = x * (0.5 + 0.4 * u) - 0.1 if conditioning_free else x * (0.6 + 0.3 * u) + 0.2 * torch.tanh(2 * x - u)
    return torch.cat([noise, 0.8 * torch.tanh(x)], dim=1)


def process(spacing, guided=False, k=0.0, ramp=False, loss=original.LossType.MSE):
    steps = original.space_timesteps(4000, spacing)
    return original.SpacedDiffusion(
        use_timesteps=steps, model_mean_type=original.ModelMeanType.EPSILON, model_var_type=original.ModelVarType.LEARNED_RANGE,
        loss_type=loss, betas=original.get_named_beta_schedule("linear", 4000), conditioning_free=guided, conditioning_free_k=k,
        ramp_conditioning_free=ramp)


def run(sampler, guided, k, ramp, eta, clips, generator):
    diffusion = process([STEPS], guided, k, ramp)
    shape = (1, 3, 5)
    noise = torch.randn(STEPS + 1, *shape, generator=generator).float().double()
    draws = iter(noise[1:])
    original.th.randn_like, kept = lambda x: next(draws), original.th.randn_like
    arguments = dict(shape=shape, noise=noise[0], device="cpu", clip_denoised=clips)
    loop = diffusion.p_sample_loop_progressive(predict, **arguments) if sampler == "p" else \
        diffusion.ddim_sample_loop_progressive(predict, eta=eta, **arguments)
    states = [noise[0]] + [step["sample"] for step in loop]
    original.th.randn_like = kept
    return torch.stack(states), noise


def losses(generator):
    prediction = (torch.randn(4, 6, 7, generator=generator)).float().double()
    data = (torch.rand(4, 3, 7, generator=generator) * 2 - 1).float().double()
    data[:, 0, :2], data[:, 1, :2] = 1, -1
    noise = torch.randn(4, 3, 7, generator=generator).float().double()
    steps, upstream = torch.tensor([0, 3, STEPS - 1, 0]), torch.randn(4, generator=generator).float().double()
    result = dict(prediction=prediction, data=data, noise=noise, steps=steps, upstream=upstream)
    for name in ("MSE", "RESCALED_MSE", "KL"):
        leaf = prediction.clone().requires_grad_()
        terms = process([STEPS], loss=original.LossType[name]).training_losses(lambda *_: leaf, data, steps, noise=noise)
        (terms["loss"] * upstream).sum().backward()
        result |= {f"{name.lower()}_{k}": v for k, v in terms.items()} | {f"gradient_{name.lower()}": leaf.grad}
    return {f"loss.{k}": v for k, v in result.items()}


def main(folder):
    generator = torch.Generator().manual_seed(1)
    result = {}
    for text in SPACINGS:
        result[f"spacing.{text}"] = torch.tensor(sorted(original.space_timesteps(4000, text)))
    for text in ("80", "ddim25"):
        diffusion = process(text)
        result |= {f"betas.{text}": torch.tensor(diffusion.betas), f"signal.{text}": torch.tensor(diffusion.alphas_cumprod),
                   f"log_variance.{text}": torch.tensor(diffusion.posterior_log_variance_clipped)}
    result["cosine"] = torch.tensor(original.get_named_beta_schedule("cosine", 50))
    for name, settings in RUNS.items():
        for clips in (True, False):
            full = name + ("" if clips else "_unclipped")
            result[f"run.{full}"], result[f"noise.{full}"] = run(*settings, clips, generator)
    result |= losses(generator)
    as_stored = lambda v: (v.detach().float() if v.is_floating_point() else v.int()).contiguous()
    path = folder / "diffusion.safetensors"
    save_file({k: as_stored(v) for k, v in result.items()}, path)
    path.chmod(0o644)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
