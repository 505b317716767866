#!/usr/bin/env python3
"""Gather sentences to be read aloud for a training corpus, and print where they come from.

    python3 sentences.py --own sentences.txt --out corpus/sentences.tsv [--count 30000]

Sources, all free to be read aloud and none of them shipped: the example sentences of WordNet (Debian wordnet-base),
quotations (fortunes), the King James Bible (bible-kjv), an encyclopedic book (anarchism), a list of one's own, and templates
and frames (frames.py) that carry every common word several times. Missing packages are unpacked below --packages with `apt-get download`.
The result has a line for each sentence: source <TAB> text. The same arguments give the same lines.

    pip install hibari-tts==0.2.1 wordfreq
"""
import argparse
import collections
import glob
import gzip
import html
import json
import os
import random
import re
import subprocess

from frames import Bag, frames, is_known

PACKAGES = ["wordnet-base", "fortunes", "fortunes-min", "bible-kjv", "bible-kjv-text", "anarchism"]
PLAIN = re.compile(r"^[A-Za-z][A-Za-z ,;:'?!.-]*[.?!]$")
WORD = re.compile(r"[A-Za-z']+")
ABBREVIATION = re.compile(r"\b(?:[A-Z]\.|etc|eg|ie|pp|vol|ed|cf|al|op)\b", re.I)


def unpack(folder):
    """Debian packages below a folder, without installing them."""
    root = os.path.join(os.path.abspath(folder), "root")
    os.makedirs(root, exist_ok=True)
    for package in PACKAGES:
        if not glob.glob(f"{folder}/{package}_*.deb"):
            subprocess.run(["apt-get", "download", package], cwd=folder, check=True, stderr=subprocess.DEVNULL)
        for archive in glob.glob(f"{folder}/{package}_*.deb"):
            if not os.path.exists(archive + ".done"):
                subprocess.run(["dpkg", "-x", archive, root], check=True)
                open(archive + ".done", "w").close()
    return root


def lexicon():
    """Words whose pronunciation the teacher knows for certain."""
    import hibari
    words = set()
    for name in glob.glob(os.path.join(os.path.dirname(hibari.__file__), "assets", "lexicon_us_*.json.gz")):
        with gzip.open(name, "rt", encoding="utf-8") as file:
            words.update(word.lower() for word in json.load(file) if word.isascii())
    return words


def sentences_of(text):
    text = re.sub(r"\s+", " ", text.replace("\u2019", "'").replace("\u2018", "'"))
    text = re.sub(r'["\u201c\u201d()\[\]*_]', "", text).replace(" -- ", ", ").replace("--", ", ")
    return [part.strip() for part in re.split(r"(?<=[.?!])\s+(?=[A-Z])", text)]


def examples(root):
    for name in sorted(glob.glob(f"{root}/usr/share/wordnet/data.*")):
        with open(name, encoding="utf-8", errors="ignore") as file:
            for line in file:
                for example in re.findall(r'"([^"]+)"', line.split("|", 1)[-1]):
                    text = example.strip().rstrip(";,")
                    if text:
                        yield text[0].upper() + text[1:] + ("" if text[-1] in ".?!" else ".")


def quotations(root):
    for name in sorted(glob.glob(f"{root}/usr/share/games/fortunes/*")):
        if "." in os.path.basename(name) or not os.path.isfile(name) or "ascii-art" in name:
            continue
        text = open(name, encoding="utf-8", errors="ignore").read()
        for fortune in text.split("\n%\n"):
            yield from sentences_of(re.sub(r"\n\s+--.*", "", fortune))


def verses(root):
    program, library = f"{root}/usr/bin/bible", f"{root}/usr/lib"
    done = subprocess.run([program, "-f", "gen1:1-rev22:21"], capture_output=True, text=True, cwd=library, check=False)
    for line in done.stdout.splitlines():
        text = line.split(" ", 1)[-1]
        for part in re.split(r"(?<=[:;])\s+", text):
            part = part.rstrip(":;, ")
            if part:
                yield part[0].upper() + part[1:] + ("" if part[-1] in ".?!" else ".")


def book(root):
    for name in sorted(glob.glob(f"{root}/usr/share/doc/anarchism/html/*.html")):
        text = re.sub(r"<[^>]+>", " ", open(name, encoding="utf-8", errors="ignore").read())
        yield from sentences_of(html.unescape(text))


def is_sayable(text, known):
    words = WORD.findall(text)
    return (1 <= len(words) <= 25 and len(text) <= 160 and PLAIN.match(text) and not ABBREVIATION.search(text)
            and all(is_known(word.lower().strip("'"), known) for word in words)
            and not any(len(word) > 1 and word.isupper() for word in words))


MONTHS = "January February March April May June July August September October November December".split()
PATTERNS = [
    "The word is {0}.", "{0} and {1}.", "First comes {0}, then {1}, and at last {2}.", "Say {0} once more.",
    "{0}, {1}, {2} and {3}.", "What is the difference between {0} and {1}?", "I wrote {0} where I meant {1}.",
    "Is it {0} or {1}?", "They call it {0}.", "She said {0}, and he said {1}.", "{0}.", "{0}?", "{0}, {1}.",
    "Nobody had told us about {0} before.", "We looked up {0} and found {1}.", "Not {0}, but {1}!",
]


def with_numbers(random):
    """Dates, amounts and times in digits: the front end spells them out for both the teacher and the model."""
    hour, minute, day = random.randint(1, 12), random.randint(0, 59), random.randint(1, 28)
    month, year = random.choice(MONTHS), random.randint(1500, 2040)
    small, large = random.randint(2, 99), random.randint(100, 99_999)
    return random.choice([
        f"It happened on {month} {day}, {year}.", f"The train leaves at {hour}:{minute:02d}.", f"We counted {large} of them.",
        f"There are {small} chairs and {random.randint(2, 30)} tables.", f"In {year} the house was sold for ${large}.",
        f"Call me at {hour}:{minute:02d} on {month} {day}.", f"He is {small} years old.", f"Page {random.randint(1, 999)}.",
        f"It costs ${small}.{random.randint(10, 99)}.", f"About {small} percent agreed.", f"The {ordinal(small)} of {month}.",
        f"She finished {ordinal(random.randint(1, 40))} out of {large}.", f"{small} times {random.randint(2, 12)}.", f"Room {large}, please.",
    ])


def ordinal(number):
    if 10 <= number % 100 <= 20:
        return f"{number}th"
    return f"{number}{({1: 'st', 2: 'nd', 3: 'rd'}).get(number % 10, 'th')}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--own", help="a file of sentences, a line each")
    parser.add_argument("--packages", default="corpus/packages")
    parser.add_argument("--out", default="corpus/sentences.tsv")
    parser.add_argument("--count", type=int, default=30_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    os.makedirs(arguments.packages, exist_ok=True)
    root, known, rng = unpack(arguments.packages), lexicon(), random.Random(arguments.seed)

    natural, seen, frequency = [], set(), collections.Counter()
    for source, texts in [("wordnet", examples(root)), ("fortunes", quotations(root)), ("book", book(root)), ("bible", verses(root))]:
        texts = list(texts)
        for text in texts:
            frequency.update(word.lower() for word in WORD.findall(text))
        good = list(dict.fromkeys(text for text in texts if is_sayable(text, known) and text not in seen))
        seen.update(good)
        print(f"{source}: {len(good)} of {len(texts)} sentences can be said")
        natural.append((source, good))

    common = [word for word, _ in frequency.most_common() if is_known(word, known) and len(word) > 1][:16_000]
    print(f"words: {len(common)} common ones")
    lines = []
    shares = {"wordnet": 0.34, "fortunes": 0.14, "book": 0.16, "bible": 0.06}
    for source, good in natural:
        rng.shuffle(good)
        lines += [(source, text) for text in good[:int(shares[source] * arguments.count)]]
    if arguments.own:
        lines += [("own", line.strip()) for line in open(arguments.own, encoding="utf-8") if line.strip()]
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "short_texts.txt"), encoding="utf-8") as file:
        lines += [("short", line.strip()) for line in file] * 6
    for _ in range(int(0.06 * arguments.count)):
        lines.append(("numbers", with_numbers(rng)))
    framed = max(0, arguments.count - len(lines)) * 3 // 4
    lines += [("frame", text) for text in frames(f"{root}/usr/share/wordnet", known, framed, rng)]
    pool = Bag(common, rng)
    while len(lines) < arguments.count:
        pattern = rng.choice(PATTERNS)
        text = pattern.format(*(pool.draw() for _ in range(pattern.count("{"))))
        lines.append(("template", text[0].upper() + text[1:]))
    rng.shuffle(lines)
    os.makedirs(os.path.dirname(arguments.out) or ".", exist_ok=True)
    with open(arguments.out + ".partial", "w", encoding="utf-8") as file:
        file.writelines(f"{source}\t{text}\n" for source, text in lines)
    os.replace(arguments.out + ".partial", arguments.out)
    print(f"{arguments.out}: {len(lines)} sentences; {dict(collections.Counter(source for source, _ in lines))}")


if __name__ == "__main__":
    main()
