"""Write what the original's text code gives: Tests/TortoiseCoreTests/Goldens/Text.

    python text_original.py PACKAGE OUT

PACKAGE is the folder `tortoise` of PyPI's tortoise-tts 3.0.0 (only utils/tokenizer.py, utils/text.py and
data/tokenizer.json are read; PyTorch is not needed), OUT the folder for the goldens. Needs Unidecode 1.4.0,
inflect 7.6.0 and tokenizers 0.23.3. Everything is drawn from fixed seeds.

cleaned.jsonl     [text, cleaned, ids in hexadecimal], 5,000 lines on which the original does not raise
crashes.jsonl     [text, exception, our cleaned text] where the original raises
unidecode.jsonl   [first code point, checksum] over every scalar of the blocks that we render exactly, in rows of 16:
                  FNV-1a of the renderings, each closed by a zero byte (checksums, since the tables are GPL)
numbers.jsonl     [digits, cardinal, cardinal with "and", ordinal] as inflect says them
split.jsonl       [text, desired, limit, [piece …]]
tokenized.jsonl   [text, ids in hexadecimal] straight through the tokenizer, with blanks as [SPACE]
decoded.jsonl     [ids, text]
basic.jsonl       [text, text after `basic_cleaners`]
"""

import importlib.util
import json
import random
import sys
import types

PACKAGE, OUT = sys.argv[1], sys.argv[2]

EXACT = [
    (0x0080, 0x052F), (0x10140, 0x1018F), (0x10780, 0x107BF), (0x1C80, 0x1C8F), (0x1D00, 0x2BFF), (0x1D200, 0x1D24F),
    (0x1D400, 0x1D7FF), (0x1DF00, 0x1DFFF), (0x1E030, 0x1E08F), (0x1F000, 0x1F0FF), (0x1F100, 0x1F1FF),
    (0x1F200, 0x1FBFF), (0x2C60, 0x2C7F), (0x2DE0, 0x2E7F), (0x3000, 0x303F), (0xA640, 0xA69F), (0xA700, 0xA7FF),
    (0xAB30, 0xAB6F), (0xFB00, 0xFB06), (0xFE00, 0xFE6F), (0xFF00, 0xFF65), (0xFFE0, 0xFFEF),
]


def load(name):
    """One module of the package on its own; its `import torch` is for an isinstance test only."""
    sys.modules.setdefault("torch", types.SimpleNamespace(Tensor=type("Tensor", (), {})))
    spec = importlib.util.spec_from_file_location(name, f"{PACKAGE}/utils/{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


original = load("tokenizer")
splitter = load("text")
bpe = original.VoiceBpeTokenizer(f"{PACKAGE}/data/tokenizer.json")


def write(name, rows):
    with open(f"{OUT}/{name}", "w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=True, separators=(",", ":")) + "\n")


def hexadecimal(ids):
    return bytes(ids).hex()


# MARK: Random lines

WORDS = """the a of and to in he she it was said had not but with his her they we you that for on as at by this have from
or one all were there would been who has more when out so up into them than only time some could these two may
then do any my now like our over man me even most made after also did many off before must well back through
years much where your way Mr. Mrs. Dr. St. Co. Jr. Maj. Gen. Drs. Rev. Lt. Hon. Sgt. Capt. Esq. Ltd. Col. Ft.
mr dr. st.. Prof. No. Inc. DR. GPT NASA U.S.A. e.g. i.e. don't it's I'll can't O'Brien rock'n'roll well-known
co-operate www.example.com a@b.org""".split()
MARKS = list("!?.,;:-'\"()[]{}/\\&%$#@*+=<>|~^_`") + ["...", "--", "?!", "!!", " - ", "\u2014", "\u2013", "\u2026"]
ACCENTED = """café naïve façade Ångström Łódź Đorđe þorn Straße œuvre Æsir ÿ señor ¿Qué? ¡Hola! București İstanbul ılık ﬁn
ﬂow Ελλάδα αβγ Ωμέγα ψυχή Москва Привет Киев щётка Объект Ѓорче їжак Љубав ½ ¼ ⅓ ² ³ ™ © ® № € £ ¥ ₹ ₿ ° ± × ÷
µ § ¶ • ← → ↔ ∞ ≠ ≤ ≥ √ ∑ ✓ ★ ♥ ♔ ⠃⠗ ① Ⅷ ⅷ ㎏ Ａｂｃ １２３ 𝐀𝐛 𝟙𝟚 🄰 🅱 🆗 🇬🇧 😀 👍🏽 👨‍👩‍👧 ❤️ “quote” ‘single’ „low“
«guillemets» ‹x› e\u0301 n\u0303 zero\u200bwidth no\u00a0break thin\u2009space line\u2028sep para\u2029sep
soft\u00adhyphen \ufefftext rtl\u200fmark""".split(" ")


def number(rng):
    kind = rng.randrange(16)
    n = rng.choice([rng.randrange(10), rng.randrange(100), rng.randrange(1000), rng.randrange(900, 3200),
                    rng.randrange(10**6), rng.randrange(10**12), rng.randrange(10 ** rng.randrange(1, 36))])
    if kind == 0:
        return f"{n:,}"
    if kind == 1:
        return "$" + rng.choice([f"{n:,}", str(n), f"{n}.{rng.randrange(100):02}", f".{rng.randrange(100)}",
                                 f"{n:,}.00",
                                 f"{n}.", f"{n},", f"{n}.{n}.1", "0", "0.00", "1", "1.01", "00.5"])
    if kind == 2:
        return f"{n}.{rng.randrange(100000)}"
    if kind == 3:
        return str(n) + rng.choice(["st", "nd", "rd", "th", "ST", "Th", "thing"])
    if kind == 4:
        return f"{rng.randrange(32)}/{rng.randrange(13)}/{rng.randrange(1900, 2030)}"
    if kind == 5:
        return f"{rng.randrange(24)}:{rng.randrange(60):02}" + rng.choice(["", "am", " p.m.", ":30"])
    if kind == 6:
        return str(rng.randrange(1000, 3001))
    if kind == 7:
        return rng.choice("£€¥₹") + f"{n:,}"
    if kind == 8:
        return f"{n}%"
    if kind == 9:
        return "0" * rng.randrange(1, 4) + str(n)
    if kind == 10:
        return ".".join(str(rng.randrange(300)) for _ in range(rng.randrange(2, 5)))
    if kind == 11:
        return "".join(rng.choice("0123456789,.$") for _ in range(rng.randrange(1, 12)))
    if kind == 12:
        return f"{rng.randrange(-50, 50)}" + rng.choice(["kg", "km/h", "°C", "ft.", "'s", "s", "-", "x"])
    if kind == 13:
        return f"+{rng.randrange(1, 99)} {rng.randrange(100, 999)}-{rng.randrange(1000, 9999)}"
    if kind == 14:
        return f"{rng.randrange(10)},{rng.randrange(10)},,{rng.randrange(100)},"
    return str(n)


def scalar(rng):
    low, high = rng.choice(EXACT)
    return chr(rng.randrange(low, high + 1))


def line(rng):
    kind = rng.randrange(20)
    if kind == 0:
        return rng.choice(["", " ", "\n", "\t \r\n", ".", "...", "\"\"", "\x00", "\x1c \x1f", "[SPACE]", "[STOP][UNK]",
                           "\u200b"])
    if kind == 1:
        return "".join(scalar(rng) for _ in range(rng.randrange(1, 10)))
    if kind == 2:
        return "".join(chr(rng.randrange(128)) for _ in range(rng.randrange(1, 30)))
    if kind == 3:
        return "".join(number(rng) + rng.choice(["", " ", ","]) for _ in range(rng.randrange(1, 3)))
    parts = []
    for _ in range(rng.randrange(1, 9)):
        pick = rng.randrange(20)
        if pick < 10:
            word = rng.choice(WORDS)
            parts.append(rng.choice([word, word, word.capitalize(), word.upper()]))
        elif pick < 14:
            parts.append(number(rng))
        elif pick < 17:
            parts.append(rng.choice(ACCENTED))
        elif pick < 19:
            parts.append(rng.choice(MARKS))
        else:
            parts.append(scalar(rng))
    return "".join(part + rng.choice([" "] * 12 + ["", "", ", ", ". ", "  ", "\n"]) for part in parts)


def cleaned_lines():
    rng = random.Random(20240301)
    rows = []
    while len(rows) < 5000:
        text = line(rng)
        try:
            cleaned = original.english_cleaners(text)
            rows.append([text, cleaned, hexadecimal(bpe.encode(text))])
        except Exception:
            pass
    return rows


CRASHES = [
    ("$,5", "five dollars"),
    ("$,,,12.5", "twelve dollars, five cents"),
    ("$.,5", "five cents"),
    ("1" * 37, " ".join(["one"] * 37)),
    ("$" + "9" * 37 + ".01", " ".join(["nine"] * 37) + " dollars, one cent"),
    ("2" * 37 + "nd", " ".join(["two"] * 36 + ["second"])),
    ("7" * 4301, " ".join(["seven"] * 4301)),
    ("0" * 4301, "zero"),
]


def crash_lines():
    for text, ours in CRASHES:
        try:
            original.english_cleaners(text)
        except Exception as error:
            yield [text, type(error).__name__, ours]
        else:
            raise SystemExit(f"the original does not raise on {text!r}")


def fnv1a(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return value


def unidecode_rows():
    for low, high in EXACT:
        for first in range(low, high + 1, 16):
            row = range(first, min(first + 16, high + 1))
            data = b"".join(original.unidecode(chr(c)).encode() + b"\0" for c in row)
            yield [first, f"{fnv1a(data):016x}"]


def number_lines():
    rng = random.Random(7)
    engine = original._inflect
    values = list(range(0, 115)) + [10**k + d for k in range(3, 36, 2) for d in (-1, 0, 1, 100)]
    values += [rng.randrange(10 ** rng.randrange(1, 37)) for _ in range(120)]
    for value in values:
        digits = str(value)
        yield [digits, engine.number_to_words(value, andword=""), engine.number_to_words(value),
               engine.number_to_words(digits + "th")]


def split_text(rng):
    parts = []
    for _ in range(rng.randrange(1, 60)):
        pick = rng.randrange(14)
        if pick < 9:
            parts.append(rng.choice(WORDS))
        elif pick == 9:
            parts.append(rng.choice(MARKS))
        elif pick == 10:
            quoted = " ".join(rng.choice(WORDS) for _ in range(rng.randrange(1, 6)))
            parts.append("\"" + quoted + rng.choice([".\"", "!\"", "\""]))
        elif pick == 11:
            parts.append("\u201c" + rng.choice(WORDS) + rng.choice(["?", ".", ""]) + "\u201d")
        elif pick == 12:
            parts.append("x" * rng.randrange(1, 50))
        else:
            parts.append(number(rng))
    gaps = [" "] * 12 + ["", ". ", "! ", "? ", ".", "\n", "\n\n", "...", " \u00a0", "\x1f"]
    return "".join(part + rng.choice(gaps) for part in parts)


def split_lines():
    rng = random.Random(99)
    for index in range(300):
        text = split_text(rng)
        if index % 10 == 0:
            text += split_text(rng) + split_text(rng)
        desired = rng.choice([1, 2, 5, 10, 20, 30, 60, 100, 200])
        limit = rng.choice([1, 5, 10, 40, 60, 100, 150, 300])
        yield [text, desired, limit, splitter.split_and_recombine_text(text, desired, limit)]


def tokenized_lines():
    rng = random.Random(5)
    pieces = list("abcdefghijklmnopqrstuvwxyz!'(),-./:;?0_@#")
    pieces += ["th", "ing", "the", " ", "  ", "\n", "\t", "\u0085", "\u3000", "é", "e\u0301", "ß", "中文", "١٢", "²",
               "\u200d", "\u200b", "‿", "🙂", "ªº", "Ⅳ", "[SPACE]", "[STOP]", "[UNK]", "[STOP", "[[UNK]]"]
    for _ in range(300):
        text = "".join(rng.choice(pieces) for _ in range(rng.randrange(0, 40)))
        yield [text, hexadecimal(bpe.tokenizer.encode(text.replace(" ", "[SPACE]")).ids)]
    for word in ["ab" * 60, "the" * 50, "q" * 200, "anotherthingthatwasinterestingly" * 8]:
        yield [word, hexadecimal(bpe.tokenizer.encode(word).ids)]


def decoded_lines():
    rng = random.Random(6)
    for _ in range(100):
        ids = [rng.randrange(0, 262) for _ in range(rng.randrange(0, 40))]
        yield [ids, bpe.decode(ids)]


def basic_lines():
    rng = random.Random(8)
    texts = ["ΣΑΣ ΣΟΦΟΣ Σ ΑΣ. ΣΑ'Σ aΣ", "İSTANBUL Iı", "ǅ ẞ Ǆ", "A\u0301Σ\u0301 b", "\x1c\x1fA \u2003B",
             "ΑΣ\u00adΑ ΑΣ\u00ad"]
    for _ in range(100):
        count = rng.randrange(1, 8)
        texts.append("".join(rng.choice(ACCENTED + WORDS) + rng.choice(" \t\n") for _ in range(count)))
    for text in texts:
        yield [text, original.basic_cleaners(text)]


if __name__ == "__main__":
    write("cleaned.jsonl", cleaned_lines())
    write("crashes.jsonl", crash_lines())
    write("numbers.jsonl", number_lines())
    write("split.jsonl", split_lines())
    write("tokenized.jsonl", tokenized_lines())
    write("decoded.jsonl", decoded_lines())
    write("basic.jsonl", basic_lines())
    write("unidecode.jsonl", unidecode_rows())
