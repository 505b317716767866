"""Compares every stage with PyTorch: `scripts/parity` runs this.

    python compare.py --infer PROGRAM --cache FOLDER [--size small|full] [--stages a,b] [--dtype float32] [--threads N]

For each model it writes random weights in the published layout to the cache, runs PyTorch's model and `tortoise-infer probe` on the same
inputs, and prints ‖ours − theirs‖ / ‖theirs‖ for every output with seconds and peak memory of both. Exit code 1 when something
differs by more than the limit.
"""

import argparse
import json
import os
import pathlib
import subprocess
import time

import stages
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

LIMITS = {"float32": 1e-4, "bfloat16": 3e-2, "int8": 5e-2, "int4": 5e-1}


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--infer", required=True)
    parser.add_argument("--cache", required=True, type=pathlib.Path)
    parser.add_argument("--size", choices=("small", "full"), default="small")
    parser.add_argument("--stages", help="names of groups or stages, with commas between")
    parser.add_argument("--dtype", choices=tuple(LIMITS), default="float32")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--keep", action="store_true", help="keep weights, inputs and outputs in the cache")
    return parser.parse_args()


def run_ours(options, folder, group, stage):
    outputs = folder / f"{stage.name}.out.safetensors"
    command = [options.infer, "probe", stage.name, "--weights", str(folder / group.file), "--inputs",
               str(folder / f"{stage.name}.in.safetensors"), "--outputs", str(outputs), "--dtype", options.dtype]
    if group.config is not None:
        command += ["--config", json.dumps(group.config)]
    environment = os.environ | {"TORTOISE_THREADS": str(options.threads)}
    process = subprocess.run(command, env=environment, stderr=subprocess.PIPE, text=True)
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(command)}\nfailed: {process.stderr}")
    with safe_open(outputs, "pt") as file:
        told = file.metadata()
    return load_file(outputs), float(told["seconds"]), int(told["peak_memory_bytes"]) / 1e6


def compare(ours, theirs, is_integer):
    """The relative error, or the share of unequal integers."""
    if tuple(ours.shape) != tuple(theirs.shape):
        return float("inf")
    if is_integer:
        return (ours.long() != theirs.long()).double().mean().item()
    a, b = ours.double(), theirs.double()
    return ((a - b).norm() / b.norm().clamp(min=1e-30)).item()


def main():
    options = arguments()
    wanted = set(options.stages.split(",")) if options.stages else None
    folder = options.cache / options.size
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(options.threads)
    print(f"{'stage':30}{'output':22}{'error':>10}{'limit':>9}  {'ours s':>7}{'torch s':>8}{'ours MB':>9}")
    failures = 0
    for name, make in stages.GROUPS.items():
        if wanted and name not in wanted and not any(w.startswith(name.split('_')[0]) for w in wanted):
            continue
        with torch.no_grad():
            group = make(options.size)
            group.save(folder / group.file)
            for stage in group.stages:
                if wanted and name not in wanted and stage.name not in wanted:
                    continue
                convert = lambda v: v.int() if not v.is_floating_point() else v
                save_file({k: convert(v).contiguous().clone() for k, v in stage.inputs.items()}, folder / f"{stage.name}.in.safetensors")
                start = time.perf_counter()
                theirs = stage.run()
                seconds = time.perf_counter() - start
                ours, our_seconds, memory = run_ours(options, folder, group, stage)
                for key, value in theirs.items():
                    is_integer = key in stage.integers
                    error = compare(ours[key], value, is_integer)
                    limit = 0.0 if is_integer and options.dtype == "float32" else 1.0 if is_integer else LIMITS[options.dtype]
                    failures += not error <= limit
                    verdict = "" if error <= limit else "  DIFFERS"
                    print(f"{stage.name:30}{key:22}{error:10.1e}{limit:9.0e}  {our_seconds:7.2f}{seconds:8.2f}{memory:9.0f}{verdict}", flush=True)
        del group
        if not options.keep:
            for path in folder.iterdir():
                path.unlink()
    if failures:
        raise SystemExit(f"{failures} outputs differ")
    print("all outputs agree")


if __name__ == "__main__":
    main()
