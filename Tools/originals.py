"""Makes the models of PyPI's tortoise-tts 3.0.0 importable beside current libraries: `import originals` first.

That package was made for transformers 4.31 and torchaudio; neither is needed for the models themselves.
"""

import sys
import types

import torch
from transformers import GPT2PreTrainedModel, LogitsProcessorList  # noqa: F401  (loading them replaces the module that is stubbed below)


def stub(name, **attributes):
    """Puts a module in the place of one that is not needed; one that was imported before stays."""
    if name in sys.modules:
        return sys.modules[name]
    module = types.ModuleType(name)
    for key, value in attributes.items():
        setattr(module, key, value)
    sys.modules[name] = module
    parent, _, child = name.rpartition(".")
    if parent in sys.modules:
        setattr(sys.modules[parent], child, module)
    return module


stub("torchaudio")
stub("torchaudio.functional")
stub("torchaudio.transforms", MelSpectrogram=object)
stub("librosa")
stub("librosa.util", pad_center=None, tiny=None)
stub("librosa.filters", mel=None)

# Moved or gone since 4.31; the models' forward passes do not use them.
stub("transformers.utils.model_parallel_utils", get_device_map=None, assert_device_map=None)
for _name in ("LogitsWarper", "BeamSearchScorer", "ConstrainedBeamSearchScorer", "DisjunctiveConstraint", "PhrasalConstraint"):
    if _name not in vars(sys.modules["transformers"]):
        vars(sys.modules["transformers"])[_name] = object


def randomize(model, seed, scale=1.0):
    """Gives every parameter of a model small random values in units of 1/1024, zero-initialised ones included."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in sorted(model.named_parameters()):
            fan = max(1, parameter.numel() // max(1, parameter.shape[0])) if parameter.dim() > 1 else 1
            values = torch.randn(parameter.shape, generator=generator)
            if parameter.dim() > 1:
                values = values * scale / fan**0.5
            elif name.endswith("bias"):
                values = values * 0.1
            else:
                values = 1 + values * 0.1
            parameter.copy_((values * 1024).round() / 1024)
    return model


def _use_double_norms():
    """The original computes group norms in float32 whatever it is given; goldens are computed in double precision."""
    from tortoise.models import arch_util

    arch_util.GroupNorm32.forward = torch.nn.GroupNorm.forward


_use_double_norms()
