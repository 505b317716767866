"""Sentences that carry the common words of English, each in its own part of speech and several times.

Natural sentences have most words too rarely for a model to learn how they are said: of 60,000 sentences "owl" was in seven and
"coughed" in one. Here each of the commonest words (wordfreq's list, without swearing) stands in as many frames as it is worth:
more for the commonest 4,000, and for inflected forms, which word lists leave out. What sense the sentences make does not matter; how
they are stressed does.

    pip install wordfreq
"""
import collections
import os
import re

COMMON = 14_000
UNWANTED = set("shit shitty fuck fucked fucking fuckin bitch bitches ass porn sex sexy nude dick cock cunt whore slut nigga nigger rape "
               "pussy tits".split())
FRAMES = """
The {adj} {noun} {past} near the {noun}.
The {plural} {past} before the {noun} arrived.
Her {plural} {past} in {a_adj} {noun}.
My {noun} found {a_adj} {noun} under the {noun}.
We {past} and {past} until the {noun} was {adj}.
He {past}, {past} and then {past}.
Where did you put the {plural}?
Please bring the {noun} and the {plural}.
Nobody {past} the {noun} of the {plural}.
The {noun} was {adj}, but the {plural} were {adj}.
She was {ing} when the {noun} {past}.
Are the {plural} still {ing}?
I would rather have {a_noun} than {a_noun}.
They {adverb} {past} the {adj} {plural}.
It {past} {adverb}.
Two {plural} and {a_noun} were on the table.
Do you remember the {adj} {noun}?
The {noun} needs {plural}, {plural} and a little {noun}.
{plural}, {plural} and {plural}.
There is {a_noun} behind the {noun}.
Who {past} my {noun}?
When the {noun} {past}, the {plural} went home.
{a_adj} {noun} {past} on the {noun} and watched the {plural}.
How many {plural} does the {noun} have?
I can hear the {plural} from the {noun}.
The {noun} {past} at six.
Every {noun} {past} {a_adj} {noun}.
Have you seen {a_noun} like this?
If the {noun} {third}, we will see the {plural}.
He never {past} {plural} without {a_noun}.
What {a_adj} {noun}!
The {plural} of the {noun} are {adj}.
Some {plural} are {adj} and some are {adj}.
Not {ing}, but {ing}.
You could {verb} it, or you could {verb} it.
{adj} {plural} and {adj} {plural}.
{a_noun} or {a_noun}?
The {noun} and the {noun}.
{ing} is {adj}.
I {past} her {noun} tonight.
We will {verb} the {plural} tomorrow.
Our {noun} {third} the {plural}.
The {noun} {third} {adverb}.
{adverb}, the {noun} {past}.
""".strip().splitlines()


class Bag:
    """Words drawn at random, each as often as it was put in before one is drawn again."""

    def __init__(self, words, rng):
        self.words, self.rng, self.left = words, rng, []

    def draw(self):
        if not self.left:
            self.left = self.words[:]
            self.rng.shuffle(self.left)
        return self.left.pop()


def stems(word):
    """What a word may be a regular inflection of."""
    if word.endswith(("ies", "ied")):
        yield word[:-3] + "y"
    if word.endswith(("es", "ed")):
        yield word[:-2]
        yield word[:-1]
    if word.endswith("s") and not word.endswith("ss"):
        yield word[:-1]
    if word.endswith("ing"):
        yield word[:-3]
        yield word[:-3] + "e"
    doubled = re.fullmatch(r"(\w+([bdgklmnprt]))\2(?:ed|ing)", word)
    if doubled:
        yield doubled[1]


def is_known(word, known):
    """Whether a teacher that knows some words knows how this one is said."""
    return word in known or any(stem in known for stem in stems(word))


def parts_of_speech(wordnet):
    """Which of noun, verb, adj and adv WordNet has a word as, and its irregular past forms."""
    parts = collections.defaultdict(set)
    for part in ("noun", "verb", "adj", "adv"):
        with open(os.path.join(wordnet, f"index.{part}"), encoding="utf-8", errors="ignore") as file:
            for line in file:
                word = line.split(" ", 1)[0]
                if word.isalpha() and word.islower():
                    parts[word].add(part)
    with open(os.path.join(wordnet, "verb.exc"), encoding="utf-8") as file:
        irregular = {line.split()[0] for line in file}
    return parts, irregular


def slot(word, parts, irregular):
    """Which slot of the frames a word fills; None for none."""
    def inflects(part):
        return any(part in parts[stem] for stem in stems(word) if stem in parts)
    ends_in_s = word.endswith("s") and not word.endswith("ss") and word not in parts
    if word in irregular or (word.endswith("ed") and inflects("verb")):
        return "past"
    if word.endswith("ing") and inflects("verb"):
        return "ing"
    if ends_in_s and inflects("noun"):
        return "plural"
    if ends_in_s and inflects("verb"):
        return "third"
    own = parts.get(word, set())
    if word.endswith("ly") and "adv" in own:
        return "adverb"
    if "noun" in own and own != {"noun", "adj"}:
        return "noun"
    return "adj" if "adj" in own else "verb" if "verb" in own else None


def frames(wordnet, known, count, rng):
    """Yields sentences."""
    import wordfreq
    parts, irregular = parts_of_speech(wordnet)
    words = collections.defaultdict(list)
    for rank, word in enumerate(wordfreq.top_n_list("en", COMMON)):
        kind = slot(word, parts, irregular) if re.fullmatch("[a-z]{3,}", word) and word not in UNWANTED else None
        if kind and is_known(word, known):
            worth = 3 if rank < 400 else 5 if rank < 4_000 else 3 if rank < 8_000 else 2
            words[kind] += [word] * (worth if word in known else worth + 5)
    bags = {kind: Bag(some, rng) for kind, some in words.items()}

    def draw(match):
        word = bags[match[1].removeprefix("a_")].draw()
        article = "an " if word[0] in "aeio" or word in {"umbrella", "ugly", "uncle", "under", "upper", "urgent", "unusual"} else "a "
        return article + word if match[1].startswith("a_") else word

    for _ in range(count):
        text = re.sub(r"\{(\w+)\}", draw, rng.choice(FRAMES))
        yield text[0].upper() + text[1:]
