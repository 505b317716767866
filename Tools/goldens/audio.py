"""Writes Tests/TortoiseCoreTests/Goldens/Audio/frontends.safetensors: both mel front ends and resampling by eight ratios.

    python Tools/goldens/audio.py data/mel_norms.safetensors Tests/TortoiseCoreTests/Goldens/Audio

Needs torch, torchaudio, librosa and safetensors. torchaudio is used for its Python code alone, so that any build of it
serves.
"""

import importlib.machinery
import os
import sys
import types


def import_torchaudio():
    """torchaudio without its compiled extension, which resampling and mel spectrograms do not use."""
    stub = types.ModuleType("torchaudio._extension")
    stub.__spec__ = importlib.machinery.ModuleSpec("torchaudio._extension", None)
    for name in ["_IS_TORCHAUDIO_EXT_AVAILABLE", "_IS_RIR_AVAILABLE", "_IS_ALIGN_AVAILABLE"]:
        setattr(stub, name, False)
    for name in ["fail_if_no_align", "fail_if_no_rir"]:
        setattr(stub, name, lambda function: function)
    stub.lazy_import_sox_ext = lambda: None
    sys.modules["torchaudio._extension"] = stub
    import torchaudio

    return torchaudio


import torch
from librosa.filters import mel as librosa_mel
from safetensors.torch import load_file, save_file

torchaudio = import_torchaudio()

RATIOS = [
    (22050, 24000), (24000, 22050), (44100, 22050), (24000, 16000), (48000, 22050), (16000, 22050), (8000, 24000),
    (96000, 24000),
]


def signal(seconds, rate):
    """A rising tone with two harmonics, a click and some noise."""
    generator = torch.Generator().manual_seed(rate)
    time = torch.arange(int(seconds * rate), dtype=torch.float64) / rate
    phase = 2 * torch.pi * (110 * time + 900 * time**2)
    x = 0.4 * phase.sin() + 0.2 * (2 * phase).sin() + 0.05 * torch.randn(len(time), generator=generator).double()
    x[len(x) // 2] += 0.6
    return x.float()


def conditioning_mel(x, norms):
    transform = torchaudio.transforms.MelSpectrogram(
        sample_rate=22050, n_fft=1024, hop_length=256, win_length=1024, power=2, normalized=False, f_min=0, f_max=8000,
        n_mels=80, norm="slaney",
    )
    return torch.log(torch.clamp(transform(x[None]), min=1e-5)) / norms[None, :, None]


def vocoder_mel(x):
    basis = torch.from_numpy(librosa_mel(sr=24000, n_fft=1024, n_mels=100, fmin=0, fmax=12000)).float()
    window = torch.hann_window(1024)
    spectrum = torch.stft(
        x.clamp(-1, 1)[None], 1024, 256, window=window, center=True, pad_mode="reflect", return_complex=True
    ).abs()
    return torch.log(torch.clamp(basis @ spectrum, min=1e-5))


def write_goldens(norms, folder):
    tensors = {}
    x = signal(0.4, 22050)
    tensors["conditioning/input"], tensors["conditioning/mel"] = x, conditioning_mel(x, norms)
    x = signal(0.4, 24000)
    tensors["vocoder/input"], tensors["vocoder/mel"] = x, vocoder_mel(x)
    for source, target in RATIOS:
        x = signal(0.05, source)
        tensors[f"resample/{source}/{target}/input"] = x
        tensors[f"resample/{source}/{target}/output"] = torchaudio.functional.resample(x, source, target)
    os.makedirs(folder, exist_ok=True)
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, os.path.join(folder, "frontends.safetensors"))


if __name__ == "__main__":
    write_goldens(load_file(sys.argv[1])["mel_norms"], sys.argv[2])
