"""Writes the goldens of Tests/TortoiseCoreTests/Formats/AudioFiles and .../Audio/LoudnessTests.

    python audiofiles.py OUTPUT_FOLDER        (needs numpy, soundfile, pyloudnorm)

signal.f32          a tenth of a second of two sine mixtures, float32, two channels interleaved, 24 kHz
signal-*.{wav,...}  the same signal in many encodings, written by libsndfile through soundfile
*.decoded.f32       what soundfile decodes from the lossy ones
loudness.json       [rate, channels, seconds, gain, LUFS by pyloudnorm with the De Man filters]; the test makes the same signals
"""

import json
import pathlib
import sys

import numpy as np
import pyloudnorm
import soundfile

RATE = 24000
LOSSLESS = {
    "int16.wav": ("WAV", "PCM_16"), "int24.wav": ("WAV", "PCM_24"), "int32.wav": ("WAV", "PCM_32"),
    "uint8.wav": ("WAV", "PCM_U8"), "float.wav": ("WAV", "FLOAT"), "double.wav": ("WAV", "DOUBLE"),
    "extensible.wav": ("WAVEX", "PCM_16"), "int16.flac": ("FLAC", "PCM_16"), "int24.flac": ("FLAC", "PCM_24"),
    "int16.aiff": ("AIFF", "PCM_16"), "int16.au": ("AU", "PCM_16"), "int16.caf": ("CAF", "PCM_16"), "int16.rf64": ("RF64", "PCM_16"),
}
LOSSY = {"vorbis.ogg": ("OGG", "VORBIS"), "opus.opus": ("OGG", "OPUS"), "layer3.mp3": ("MP3", "MPEG_LAYER_III")}


def signal(rate, seconds, channel):
    """Sines under a slow envelope; the second channel is another pitch."""
    t = np.arange(int(rate * seconds)) / rate
    envelope = 0.5 - 0.5 * np.cos(2 * np.pi * 0.7 * t)
    pitch = 220.0 * (1 + channel)
    tone = 0.5 * np.sin(2 * np.pi * pitch * t) + 0.2 * np.sin(2 * np.pi * 7.1 * pitch * t) + 0.1 * np.sin(2 * np.pi * 31 * t)
    return envelope * tone


def main(folder):
    folder = pathlib.Path(folder)
    t = np.arange(RATE // 10) / RATE
    left = 0.6 * np.sin(2 * np.pi * 440 * t) + 0.2 * np.sin(2 * np.pi * 3000 * t)
    right = 0.9 * np.sin(2 * np.pi * 110 * t)
    stereo = np.stack([left, right], axis=1).astype("<f4")
    stereo.tofile(folder / "signal.f32")
    for name, (container, encoding) in (LOSSLESS | LOSSY).items():
        path = folder / f"signal-{name}"
        with soundfile.SoundFile(path, "w", RATE, 2, subtype=encoding, format=container) as file:
            if name == "int16.wav":
                file.title, file.comment = "naïve", '{"seed": 7}'
            file.write(stereo)
    for name in LOSSY:
        decoded, _ = soundfile.read(folder / f"signal-{name}", dtype="float32")
        decoded.astype("<f4").tofile(folder / f"{name}.decoded.f32")
    rows = []
    for rate in (8000, 16000, 22050, 24000, 44100, 48000, 96000):
        for channels, seconds, gain in ((1, 3.05, 1.0), (2, 1.0, 0.1), (1, 0.45, 0.02)):
            data = gain * np.stack([signal(rate, seconds, c) for c in range(channels)], axis=1)
            meter = pyloudnorm.Meter(rate, filter_class="DeMan")
            rows.append([rate, channels, seconds, gain, float(meter.integrated_loudness(data))])
    (folder / "loudness.json").write_text(json.dumps(rows) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
