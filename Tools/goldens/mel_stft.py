"""The distance of two recordings by auraloss: Tests/TortoiseCoreTests/Goldens/Audio/mel_stft.safetensors.

    python mel_stft.py OUT

Needs torch, auraloss 0.4.0 and librosa (for its mel filters). Keys: samples, reference, distance.
"""

import sys

import torch
from auraloss.freq import MelSTFTLoss
from safetensors.torch import save_file

time = torch.arange(12_000, dtype=torch.float64) / 24_000
noise = torch.randn(12_000, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
reference = 0.4 * torch.sin(2 * torch.pi * 220 * time) + 0.1 * torch.sin(2 * torch.pi * 3_100 * time) + 0.01 * noise
samples = 0.35 * torch.sin(2 * torch.pi * (221 * time + 30 * time**2)) + 0.05 * torch.sin(2 * torch.pi * 5_000 * time)
x, y = samples.float()[None, None], reference.float()[None, None]
distance = MelSTFTLoss(24_000, device="cpu")(x, y)
save_file({"samples": x.flatten(), "reference": y.flatten(), "distance": distance.reshape(1)}, sys.argv[1] + "/mel_stft.safetensors")
print(distance.item())
