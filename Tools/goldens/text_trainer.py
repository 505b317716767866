"""Write vocabularies that Hugging Face's trainer learns: Tests/TortoiseCoreTests/Goldens/Text/trained.

    python text_trainer.py STORY OUT

STORY is a plain text (data/riding_hood.txt of PyPI's tortoise-tts 3.0.0), OUT the folder for the goldens. Needs
tokenizers 0.23.3. Each corpus NAME.txt comes with NAME.SIZE.json in the layout of the published tokenizer.json, which
the script loads again to prove that `tokenizers` reads it and encodes with it as with the vocabulary that it learnt.
"""

import json
import random
import sys

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

STORY, OUT = sys.argv[1], sys.argv[2]
SPECIAL = ["[STOP]", "[UNK]", "[SPACE]"]


def corpora():
    with open(STORY, encoding="utf-8") as file:
        yield "story", file.read().lower().splitlines(), [120, 255]
    rng = random.Random(3)
    syllables = ["ла", "mü", "ße", "né", "e\u0301", "ka", "ka", "ab", "ba", "aa", "a", "b", "中", "文", "'", "-", "…", "1"]
    syllables.append("\\")

    def word():
        return "".join(rng.choice(syllables) for _ in range(rng.randrange(1, 7)))

    lines = [" ".join(word() for _ in range(9)) for _ in range(120)]
    yield "mixed", lines, [40, 90, 400]
    yield "repeats", ["a" * n + " " + "ab" * n + " " + "aba" * n for n in range(1, 24)], [12, 60]


def layout(trained):
    """The trained model as the older, compact file: merges as "a b"."""
    model = json.loads(trained.to_str())["model"]
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    return {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [{"id": i, "special": True, "content": token, **flags} for i, token in enumerate(SPECIAL)],
        "normalizer": None, "pre_tokenizer": {"type": "Whitespace"}, "post_processor": None, "decoder": None,
        "model": {
            "type": "BPE", "dropout": None, "unk_token": "[UNK]", "continuing_subword_prefix": None,
            "end_of_word_suffix": None, "fuse_unk": False,
            "vocab": dict(sorted(model["vocab"].items(), key=lambda item: item[1])),
            "merges": [" ".join(pair) for pair in model["merges"]],
        },
    }


for name, lines, sizes in corpora():
    with open(f"{OUT}/{name}.txt", "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    for size in sizes:
        tokenizer = Tokenizer(models.BPE(unk_token="[UNK]"))
        tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
        tokenizer.train_from_iterator(lines, trainers.BpeTrainer(
            special_tokens=SPECIAL, vocab_size=size, show_progress=False))
        text = json.dumps(layout(tokenizer), ensure_ascii=False, separators=(",", ":"))
        again = Tokenizer.from_str(text)
        for line in lines:
            spaced = line.replace(" ", "[SPACE]")
            assert again.encode(spaced).ids == tokenizer.encode(spaced).ids
        with open(f"{OUT}/{name}.{size}.json", "w", encoding="utf-8") as file:
            file.write(text)
