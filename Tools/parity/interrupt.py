"""Presses Ctrl-C at many moments of speaking with a set of full size: `scripts/parity --interrupt` runs this.

    python interrupt.py --infer PROGRAM --cache FOLDER [--size full|small]

The set is the one that `scripts/parity --size full --keep` leaves in the cache. Prints when each run was interrupted, in which stage, and
how long it took to leave; leaves with 1 when that was more than half a second or a file was left behind.
"""

import argparse
import os
import pathlib
import signal
import subprocess
import tempfile
import time

LIMIT = 0.5
VOCODERS = ("univnet", "bigvgan", "hifigan")


def interrupted(command, delay):
    """Runs a command and interrupts it; the last it said and the seconds it took to leave, or None when it had left before."""
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    os.set_blocking(process.stderr.fileno(), False)
    time.sleep(delay)
    if process.poll() is not None:
        return None
    said = (process.stderr.read() or b"").decode(errors="replace").replace("\r", "\n").strip().split("\n")[-1].split(" ")[0]
    start = time.monotonic()
    process.send_signal(signal.SIGINT)
    status = process.wait()
    if status not in (-signal.SIGINT, 128 + signal.SIGINT):
        raise SystemExit(f"left with {status}")
    return said or "loading", time.monotonic() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--infer", required=True)
    parser.add_argument("--cache", type=pathlib.Path, required=True)
    parser.add_argument("--size", choices=["small", "full"], default="full")
    options = parser.parse_args()
    models = options.cache / options.size
    if not (models / "autoregressive.pth").exists():
        raise SystemExit(f"no models in {models}: run scripts/parity --size {options.size} --keep first")
    voice = next((pathlib.Path(os.environ["TORTOISE_DATA"]) / "voices").glob("*/*.flac"))
    slowest = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for vocoder in VOCODERS:
            command = [options.infer, "Read verse out loud for pleasure.", voice, "--models", models, "--vocoder", vocoder, "--preset", "ultra_fast",
                       "--candidates", "4", "--max-ar-steps", "40", "-o", pathlib.Path(folder) / "speech.wav"]
            delay = 0.3
            while (left := interrupted(command, delay)) is not None:
                print(f"{vocoder:8} after {delay:5.1f} s, {left[0]:10} left in {left[1] * 1e3:4.0f} ms", flush=True)
                slowest = max(slowest, left[1])
                delay += 0.7
                if os.listdir(folder):
                    raise SystemExit(f"left behind: {os.listdir(folder)}")
            for name in os.listdir(folder):
                os.remove(os.path.join(folder, name))
    print(f"the slowest took {slowest * 1e3:.0f} ms")
    raise SystemExit(slowest > LIMIT)


if __name__ == "__main__":
    main()
