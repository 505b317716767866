"""Reads a dataset file (docs/dataset.md) with h5py alone, compares every checksum and prints a summary.

    python check_dataset.py data.h5        (needs h5py, numpy)
"""

import sys
import zlib

import h5py
import numpy as np


def main(path):
    with h5py.File(path, "r", swmr=True) as file:
        count, speakers, languages = (int(number) for number in file["committed"][:])
        mels = sorted(pair.split(":")[0] for pair in file.attrs["mels"].decode().rstrip("\0").split(",") if pair)
        ragged = ["codes", "tokens", "text", "name"]
        streams = mels and [f"mels/{name}" for name in mels] or []
        waveform = ["waveform"] if file.attrs["waveform_rate"] else []
        latents = [name for name in ("latents/autoregressive", "latents/diffusion") if name in file]
        ends = {name: np.concatenate([[0], file[name + "/ends"][:count]]) for name in ragged + streams + waveform}

        def row(name, index):
            return file[name + "/values"][ends[name][index]:ends[name][index + 1]]

        fixed = {name: file[name][:count] for name in ("samples", "speaker", "language", "checksum")}
        for index in range(count):
            parts = [row(name, index) for name in ragged] + [file[name][index] for name in latents]
            parts += [row(name, index) for name in streams + waveform]
            parts += [fixed[name][index:index + 1] for name in ("samples", "speaker", "language")]
            found = zlib.crc32(b"".join(np.ascontiguousarray(part).tobytes() for part in parts))
            if found != fixed["checksum"][index]:
                sys.exit(f"utterance {index} does not match its checksum")
        codes = ends["codes"][-1] if count else 0
        print(f"{count} utterances, {speakers} speakers, {languages} languages, {codes} codes: all checksums match")


if __name__ == "__main__":
    main(sys.argv[1])
