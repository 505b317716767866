"""Writes data/mel_norms.safetensors from the original's mel_norms.pth.

    python Tools/mel_norms.py tortoise/data/mel_norms.pth data/mel_norms.safetensors

The file is part of PyPI's tortoise-tts 3.0.0 (Apache-2.0). Needs torch and safetensors.
"""

import sys

import torch
from safetensors.torch import save_file

norms = torch.load(sys.argv[1], weights_only=True)
assert norms.shape == (80,) and norms.dtype == torch.float32
save_file({"mel_norms": norms}, sys.argv[2], metadata={"source": "tortoise-tts 3.0.0, tortoise/data/mel_norms.pth"})
