#!/usr/bin/env python3
"""Trains a small model of every stage on eight real utterances until it knows them by heart: `scripts/overfit` runs this.

    python3 overfit.py --train PROGRAM --cache FOLDER [--only autoregressive,dvae]

The utterances are stretches of the voices in the source distribution of tortoise-tts 3.0.0, which is fetched from PyPI, with made-up
transcripts. Whatever learns from discrete data has to bring its loss near to nothing (dvae, autoregressive, clvp), whatever learns
from noise or against discriminators has to bring it down clearly. Leaves with 1 when one does not. Standard library only.
"""

import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import tarfile

SECONDS = 3.0
TEXTS = [
    "Eight voices read one line each.", "None of them said what is written here.", "The third line mentions a lighthouse.",
    "Somebody counts apples in the fourth.", "Rain falls on the roof of the fifth.", "A dog barks twice in number six.",
    "Seven is the shortest.", "The last of them wishes you good night.",
]
CODES = {"number_mel_codes": 514, "start_mel_token": 512, "stop_mel_token": 513, "calm_token": 0, "tail_tokens": [0, 0, 0]}
WIDTH = 128

# For every stage: what prepare makes, its sizes, its task, steps, learning rate, the loss that is looked at, and what it may be at
# most: as such, or as a share of what it was at the beginning.
STAGES = {
    "dvae": ("dvae", {"num_tokens": 512, "codebook_dim": 256, "num_resnet_blocks": 2, "hidden_dim": 192},
             {"crop_frames": 256, "unquantized_steps": 100}, 350, 2e-3, "mel", {"most": 0.1}),
    "autoregressive": ("conditioning", {"layers": 4, "model_dim": WIDTH, "heads": 2, "max_text_tokens": 100, "max_mel_tokens": 100,
                                        "conditioning_layers": 2, "dropout": 0, **CODES},
                       {"train_conditioning": True, "prompt_seconds": [1.0, 2.0]}, 300, 2e-3, "mel", {"most": 0.1}),
    "clvp": ("conditioning", {"dim_text": 64, "dim_speech": 64, "dim_latent": 64, "text_enc_depth": 2, "text_heads": 1, "speech_enc_depth": 2,
                              "speech_heads": 1, "dim_head": 64, "num_speech_tokens": 512, "dropout": 0}, {}, 250, 5e-3, "contrast", {"most": 0.05}),
    "diffusion": ("diffusion", {"model_channels": 96, "num_layers": 3, "num_heads": 2, "in_latent_channels": WIDTH, "unconditioned_percentage": 0.1},
                  {"crop_codes": 64, "prompt_seconds": 1.5}, 400, 2e-3, "noise", {"share": 0.35}),
    "univnet": ("vocoder", {"channel_size": 8, "kpnet_hidden_channels": 32}, {"crop_frames": 32}, 120, 5e-4, "mel", {"share": 0.7}),
    "vocos": ("vocoder", {"dim": 96, "intermediate_dim": 256, "num_layers": 3}, {"crop_frames": 32}, 200, 1e-3, "mel", {"share": 0.6}),
    "bigvgan": ("vocoder", {"upsample_initial_channel": 64}, {"crop_frames": 32}, 80, 5e-4, "mel", {"share": 0.7}),
    "hifigan": ("diffusion,vocoder", {"in_channels": WIDTH, "cond_channels": WIDTH, "upsample_initial_channel": 64}, {"crop_frames": 32}, 120, 5e-4,
                "mel", {"share": 0.7}),
}
SMALL_DISCRIMINATORS = {"discriminators": {"mpd_reshapes": [2, 5], "resolutions": [[512, 128, 512]], "mpd_channels": [8, 16, 32], "mrd_channels": 8}}
VOCODERS = {"univnet", "vocos", "bigvgan", "hifigan"}


def recordings(cache):
    """A clip of each of eight voices, in the layout that prepare reads."""
    archive = cache / "tortoise-tts-3.0.0.tar.gz"
    if not archive.exists():
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:", "-d", cache, "tortoise-tts==3.0.0"], check=True)
    shutil.rmtree(cache / "voices", ignore_errors=True)
    with tarfile.open(archive) as file:
        clips = sorted(name for name in file.getnames() if name.endswith("/1.wav"))[:len(TEXTS)]
        for clip, text in zip(clips, TEXTS, strict=True):
            speaker = clip.split("/")[-2]
            sound, transcript = cache / "voices" / "real" / speaker / "1.wav", cache / "metadata" / "real" / speaker / "whisper.json"
            for path in (sound, transcript):
                path.parent.mkdir(parents=True, exist_ok=True)
            sound.write_bytes(file.extractfile(clip).read())
            segment = {"start": 0.0, "end": SECONDS, "text": text}
            transcript.write_text(json.dumps({"1.wav": {"text": text, "language": "en", "segments": [segment]}}))


def losses(folder, name):
    """A loss of a run, step by step."""
    values = [json.loads(line) for log in sorted((folder / "logs").glob("*/metrics.jsonl")) for line in log.read_text().splitlines()]
    return [value[f"loss.{name}"] for value in values if f"loss.{name}" in value]


class Overfit:
    def __init__(self, options):
        self.options = options

    def run(self, *arguments):
        done = subprocess.run([self.options.train, *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"tortoise-train {' '.join(map(str, arguments))} failed:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")

    def weights(self, stage):
        return self.options.cache / stage / "ckpt" / stage / "fp32.sft"

    def __call__(self, stage):
        purpose, kwargs, task, steps, rate, name, bound = STAGES[stage]
        folder = self.options.cache / stage
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        models = [flag for need in ("dvae", "autoregressive") if need != stage and self.weights(need).exists() for flag in (f"--{need}", self.weights(need))]
        self.run("prepare", "--input", self.options.cache / "voices", "--metadata", self.options.cache / "metadata", "--slice", "true",
                 "--whole-clips", "--for", purpose, "--output", folder / "data.h5", *(models if purpose not in ("dvae", "vocoder") else []))
        if stage in ("diffusion", "hifigan"):
            task = {**task, "autoregressive": str(self.weights("autoregressive"))}
        if stage in VOCODERS:
            task = {**task, **SMALL_DISCRIMINATORS}
        config = {
            "models": [{"name": stage, "training": True, "kwargs": kwargs, "task": task}],
            "hyperparameters": {"batch_size": 8, "gradient_accumulation_steps": 1, "gradient_clipping": 1.0, "optimizer": "muon" if stage == "dvae" else "AdamW", "learning_rate": rate,
                                "scheduler": "cosine", "warmup_steps": 10},
            "evaluation": {"frequency": 0},
            "trainer": {"iterations": steps, "save_frequency": 0, "weight_dtype": "float32", "gradient_checkpointing": False},
            "dataset": {"hdf5_name": "data.h5", "min_utterances": 1, "validation_fraction": 0, "duration_range": [0.5, 10.0], "sample_order": "random"},
        }
        (folder / "config.yaml").write_text(json.dumps(config))
        self.run("--yaml", folder / "config.yaml")
        self.run("export", "--yaml", folder / "config.yaml")
        values = losses(folder, name)
        first, last = values[0], sum(values[-10:]) / len(values[-10:])
        most = bound.get("most", bound.get("share", 0) * first)
        print(f"{stage:15} {name:9} {first:8.4f} -> {last:8.4f} in {steps} steps, at most {most:.4f}: {'good' if last <= most else 'TOO MUCH'}", flush=True)
        return last <= most


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", required=True, help="tortoise-train")
    parser.add_argument("--cache", type=pathlib.Path, required=True)
    parser.add_argument("--only", default=",".join(STAGES), help="stages; the later ones need the first two")
    options = parser.parse_args()
    options.cache = options.cache.resolve()
    options.cache.mkdir(parents=True, exist_ok=True)
    recordings(options.cache)
    overfit = Overfit(options)
    wanted = options.only.split(",")
    unknown = [stage for stage in wanted if stage not in STAGES]
    if unknown:
        raise SystemExit(f"no stage is called {', '.join(unknown)}; there are {', '.join(STAGES)}")
    failed = [stage for stage in wanted if not overfit(stage)]
    if failed:
        raise SystemExit(f"did not learn eight utterances: {', '.join(failed)}")


if __name__ == "__main__":
    main()
