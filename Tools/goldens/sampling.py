"""Writes the goldens of Tests/TortoiseCoreTests/Sampling/Tokens: how mel codes are chosen.

    python sampling.py OUTPUT_FOLDER        (needs torch, transformers 5, numpy, safetensors, tortoise-tts)

processors.safetensors: cases `name/input0` (logits), `name/input1` (codes so far, where they matter), `name/output`,
by `transformers`' processors, and by NumPy from the definitions for what `transformers` does not have.
mirostat.safetensors: for each version the logits and uniform numbers of every step, the codes drawn and the limits.
generate.safetensors: a tiny GPT-2 with random weights, and what `generate` makes of it, greedily and with beams.
distributions.safetensors: another such GPT-2, and how often `generate` draws each sequence from it, beams included.
codes.safetensors: rows of codes before and after the original's fix-up.
"""

import ast
import importlib.util
import json
import pathlib
import sys

import numpy as np
import torch
from safetensors.torch import save_file
from transformers import GenerationConfig, GPT2Config, GPT2LMHeadModel
from transformers.generation import logits_process as hf

VOCABULARY, START, STOP = 24, 22, 23
PROMPT = [1, 1, 1, 1, START]


class Cases:
    def __init__(self):
        self.tensors, self.metadata = {}, {}

    def add(self, name, inputs, output, **attributes):
        for i, x in enumerate(inputs):
            self.tensors[f"{name}/input{i}"] = x.int() if x.dtype == torch.int64 else x.float()
        self.tensors[f"{name}/output"] = output.int() if output.dtype == torch.int64 else output.float()
        self.metadata[name] = json.dumps(attributes)

    def save(self, path):
        tensors = {name: x.contiguous().clone() for name, x in self.tensors.items()}
        save_file(tensors, path, metadata=self.metadata)
        path.chmod(0o644)


# --- processors ------------------------------------------------------------------------------------------------------


def dynamic_temperature(row, low, high, exponent):
    x = row.astype(np.float64)
    p = np.exp(x - x.max())
    p /= p.sum()
    entropy = -np.sum(p[p > 0] * np.log(p[p > 0]))
    share = (entropy / np.log(np.isfinite(x).sum())) ** exponent
    return x / (low + (high - low) * share)


def dry(row, codes, multiplier, base, allowed, breaker):
    """By definition: for each code, the longest n such that the last n codes occur earlier, followed by it."""
    x = row.astype(np.float64).copy()
    for code in range(len(x)):
        longest = 0
        for n in range(1, len(codes)):
            suffix = codes[-n:]
            if breaker in suffix:
                break
            if any(codes[i : i + n] == suffix and codes[i + n] == code for i in range(len(codes) - n)):
                longest = n
        if longest >= allowed and code != breaker:
            x[code] -= multiplier * base ** (longest - allowed)
    return x


def decayed_repetition(row, codes, penalty, decay):
    x = row.astype(np.float64).copy()
    for code in set(codes):
        distance = 1 + codes[::-1].index(code)
        factor = max(penalty * distance**decay, 1)
        x[code] = x[code] * factor if x[code] < 0 else x[code] / factor
    return x


def stop_penalty(row, codes, power, stop):
    x = row.astype(np.float64).copy()
    factor = len(codes) ** power
    x[stop] = x[stop] * factor if x[stop] < 0 else x[stop] / factor
    return x


def by_rows(function, rows, codes=None, **settings):
    rows = rows.numpy()
    parts = [function(r, **settings) if codes is None else function(r, codes[i].tolist(), **settings) for i, r in enumerate(rows)]
    return torch.tensor(np.stack(parts))


def processors(path, generator):
    cases = Cases()
    rows = torch.randn(5, 60, generator=generator) * 3
    sharp = torch.randn(5, 60, generator=generator) * 8
    codes = torch.randint(0, 60, (5, 25), generator=generator)
    runs = torch.randint(0, 3, (5, 40), generator=generator)
    call = lambda processor, x, ids=None: processor(ids, x.clone())
    for name, x in (("plain", rows), ("sharp", sharp)):
        for t in (0.3, 0.8, 1.7):
            cases.add(f"temperature_{name}_{t}", [x], call(hf.TemperatureLogitsWarper(t), x), value=t)
        for k, least in ((1, 1), (5, 1), (50, 1), (1, 2), (200, 1)):
            cases.add(f"topK_{name}_{k}_{least}", [x], call(hf.TopKLogitsWarper(k, min_tokens_to_keep=least), x), value=k, least=least)
        for p, least in ((0.8, 1), (0.3, 1), (0.999, 1), (0.01, 2), (0.0, 1)):
            cases.add(f"topP_{name}_{p}_{least}", [x], call(hf.TopPLogitsWarper(p, min_tokens_to_keep=least), x), value=p, least=least)
        for p, least in ((0.05, 1), (0.5, 1), (1.0, 2)):
            cases.add(f"minP_{name}_{p}_{least}", [x], call(hf.MinPLogitsWarper(p, min_tokens_to_keep=least), x), value=p, least=least)
        for p, least in ((0.9, 1), (0.2, 1), (0.2, 2), (0.99, 1)):
            cases.add(f"typical_{name}_{p}_{least}", [x], call(hf.TypicalLogitsWarper(p, min_tokens_to_keep=least), x), value=p, least=least)
        for r in (1.3, 2.0, 0.7):
            cases.add(f"repetition_{name}_{r}", [x, codes], call(hf.RepetitionPenaltyLogitsProcessor(r), x, codes), value=r)
        for r, decay in ((2.0, -0.5), (1.2, 0.4)):
            y = by_rows(decayed_repetition, x, codes, penalty=r, decay=decay)
            cases.add(f"decay_{name}_{r}_{decay}", [x, codes], y, value=r, decay=decay)
        for low, high, exponent in ((0.2, 1.5, 1.0), (0.5, 2.0, 2.5)):
            y = by_rows(dynamic_temperature, x, low=low, high=high, exponent=exponent)
            cases.add(f"dynamic_{name}_{high}", [x], y, low=low, high=high, exponent=exponent)
        for multiplier, base, allowed in ((0.8, 1.75, 2), (0.3, 1.1, 4)):
            y = by_rows(dry, x, runs, multiplier=multiplier, base=base, allowed=allowed, breaker=59)
            cases.add(f"dry_{name}_{allowed}", [x, runs], y, multiplier=multiplier, base=base, allowed=allowed, breaker=59)
        y = by_rows(dry, x, runs, multiplier=1.0, base=1.5, allowed=1, breaker=2)
        cases.add(f"dry_{name}_breaker", [x, runs], y, multiplier=1.0, base=1.5, allowed=1, breaker=2)
        for power in (-0.5, 0.7):
            cases.add(f"stop_{name}_{power}", [x, codes], by_rows(stop_penalty, x, codes, power=power, stop=7), value=power, stop=7)
    pipelines(cases, rows, codes)
    cases.save(path)


def pipelines(cases, rows, codes):
    """All that `generate` applies, in its order, with TorToiSe's typical filter where TorToiSe hands it in."""
    model = GPT2LMHeadModel(GPT2Config(vocab_size=60, n_positions=8, n_embd=4, n_layer=1, n_head=1, bos_token_id=0, eos_token_id=0))
    chosen = {
        "original": dict(temperature=0.8, top_k=50, top_p=0.8, repetition_penalty=2.0),
        "typical": dict(temperature=0.8, top_k=50, top_p=0.8, repetition_penalty=2.0, typical=0.9),
        "all": dict(temperature=1.3, top_k=20, top_p=0.95, min_p=0.02, repetition_penalty=1.5, typical=0.6),
        "beams": dict(temperature=0.7, top_k=1, top_p=0.5, min_p=0.9, repetition_penalty=1.5, num_beams=3),
    }
    for name, settings in chosen.items():
        settings = dict(settings)
        typical = settings.pop("typical", None)
        config = GenerationConfig(do_sample=True, eos_token_id=0, **settings)
        config._eos_token_tensor = torch.tensor([0])
        custom = hf.LogitsProcessorList()
        if typical:
            custom.append(hf.TypicalLogitsWarper(typical))
        processor = model._get_logits_processor(
            generation_config=config, input_ids_seq_length=codes.shape[1], logits_processor=custom)
        # The prompt of the original: ones, then the start token.
        prompt = torch.tensor([1, 1, 1, 58]).repeat(len(codes), 1)
        ids = torch.cat([prompt, codes], dim=1)
        if typical:
            settings["typical"] = typical
        cases.add(f"pipeline_{name}", [rows, codes], processor(ids, rows.clone()), start=58, **settings)


# --- mirostat --------------------------------------------------------------------------------------------------------


def softmax(row):
    e = np.exp(row - row.max())
    return e / e.sum()


def draw(p, share):
    """The first index whose running sum exceeds the share."""
    return int(np.argmax(np.cumsum(p) > share * p.sum()))


def mirostat_one(p, limit):
    largest = np.sort(p)[::-1][:100]
    t = np.log(np.arange(2, len(largest) + 1) / np.arange(1, len(largest)))
    b = np.log(largest[:-1] / largest[1:])
    s = (t * b).sum() / (t * t).sum()
    epsilon = s - 1
    k = (epsilon * 2**limit / (1 - len(p) ** -epsilon)) ** (1 / s)
    k = int(max(1, min(round(k) + 1, len(p))))
    kept = np.zeros_like(p)
    order = np.argsort(-p)[:k]
    kept[order] = p[order]
    return kept


def mirostat_two(p, limit):
    kept = np.where(-np.log2(p) <= limit, p, 0)
    if kept.sum() == 0:
        kept[p.argmax()] = p.max()
    return kept


def mirostat(path):
    random = np.random.default_rng(7)
    cases = Cases()
    for version, cut in ((1, mirostat_one), (2, mirostat_two)):
        for tau, eta in ((2.0, 0.1), (5.0, 0.4)):
            logits = random.normal(size=(30, 150)).astype(np.float32) * 3
            shares = random.uniform(size=30).astype(np.float32)
            limit, drawn, limits = 2 * tau, [], []
            for row, share in zip(logits.astype(np.float64), shares.astype(np.float64)):
                p = softmax(row)
                kept = cut(p, limit)
                code = draw(kept, share)
                seen = p[code] if version == 1 else kept[code] / kept.sum()
                limit -= eta * (-np.log2(seen) - tau)
                drawn.append(code)
                limits.append(limit)
            cases.add(
                f"v{version}_{tau}", [torch.tensor(logits), torch.tensor(shares), torch.tensor(drawn)], torch.tensor(limits),
                version=version, tau=tau, eta=eta)
    cases.save(path)


# --- generate --------------------------------------------------------------------------------------------------------


def tiny_model(generator):
    config = GPT2Config(
        vocab_size=VOCABULARY, n_positions=64, n_embd=16, n_layer=2, n_head=2, bos_token_id=START, eos_token_id=STOP,
        pad_token_id=STOP, tie_word_embeddings=False, attn_pdrop=0, embd_pdrop=0, resid_pdrop=0)
    model = GPT2LMHeadModel(config).eval()
    with torch.no_grad():
        for name, p in model.named_parameters():
            noise = torch.randn(p.shape, generator=generator)
            if name.endswith("weight") and p.dim() == 1:
                p.copy_(1 + 0.1 * noise)
            else:
                p.copy_(noise * (1.0 if "wpe" in name else 0.2 if p.dim() == 1 else 0.6))
        # Whatever came before, the stop token has some chance.
        bias = model.transformer.ln_f.bias
        model.lm_head.weight[STOP] += 1.2 * bias / bias.square().sum()
    return model


def weights(model):
    """Matrices as [out, in], which `transformers`' Conv1D stores the other way round."""
    tensors = {}
    for name, p in model.transformer.state_dict().items():
        is_conv = name.endswith("weight") and (".attn." in name or ".mlp." in name)
        tensors[f"weights.{name}"] = (p.T if is_conv else p).float()
    return tensors | {"weights.head.weight": model.lm_head.weight.detach().float()}


def generate(path, generator):
    model = tiny_model(generator)
    cases = Cases()
    cases.tensors |= weights(model)
    prompts = [[1] * n + [START] for n in (1, 2, 4, 6, 9)]
    common = dict(do_sample=False, use_cache=True, return_dict_in_generate=True, output_scores=True)
    for prompt in prompts:
        ids = torch.tensor([prompt])
        for penalty in (1.0, 2.0):
            out = model.generate(ids, max_new_tokens=30, repetition_penalty=penalty, num_beams=1, **common)
            codes = out.sequences[0, len(prompt) :]
            cases.add(f"greedy_{len(prompt)}_{penalty}", [ids[0]], codes, penalty=penalty, steps=30)
        for beams, length_penalty, penalty, steps in (
            (2, 1.0, 1.0, 20), (3, 0.0, 1.0, 20), (4, 2.0, 1.0, 12), (4, 1.0, 2.0, 20), (5, -1.0, 1.3, 20), (3, 1.0, 1.0, 3),
        ):  # fmt: skip
            out = model.generate(
                ids, max_new_tokens=steps, num_beams=beams, num_return_sequences=beams, length_penalty=length_penalty,
                early_stopping=False, repetition_penalty=penalty, **common)
            codes = out.sequences[:, len(prompt) :]
            name = f"beams_{len(prompt)}_{beams}_{length_penalty}_{penalty}_{steps}"
            cases.add(name, [ids[0]], codes, beams=beams, lengthPenalty=length_penalty, penalty=penalty, steps=steps)
            cases.tensors[f"{name}/scores"] = out.sequences_scores.float()
    cases.save(path)
    stopped = [n for n, t in cases.tensors.items() if n.endswith("output") and (t == STOP).any()]
    print(len(stopped), "of", len(cases.metadata), "cases with a stop token")


def distributions(path, generator):
    """How often `generate` draws each sequence of three tokens."""
    model = tiny_model(generator)
    cases = Cases()
    chosen = {
        "original": dict(temperature=0.8, top_k=50, top_p=0.8, repetition_penalty=2.0),
        "warm": dict(temperature=1.5, top_k=6, top_p=1.0, min_p=0.1, repetition_penalty=1.0),
        "beams": dict(temperature=2.5, top_k=8, top_p=1.0, repetition_penalty=1.0, num_beams=2, length_penalty=0.5),
        "wide": dict(temperature=4.0, top_k=0, top_p=0.97, repetition_penalty=1.2, num_beams=4, length_penalty=1.0),
    }
    prompt = torch.tensor([[1, 1, 1, START]] * 500)
    mask = torch.ones_like(prompt)
    torch.manual_seed(5)
    for name, settings in chosen.items():
        drawn = (model.generate(prompt, attention_mask=mask, do_sample=True, max_new_tokens=3, **settings) for _ in range(20))
        rows = [row[:, 4:] for row in drawn]
        rows = [torch.nn.functional.pad(row, (0, 3 - row.shape[1]), value=STOP) for row in rows]
        sequences, counts = torch.unique(torch.cat(rows), dim=0, return_counts=True)
        cases.add(name, [prompt[0], sequences], counts, **settings)
        print(name, len(counts), "sequences")
    cases.tensors |= weights(model)
    cases.save(path)


# --- codes -----------------------------------------------------------------------------------------------------------


def original_function(name):
    """A function of the original's tortoise/api.py, without importing all that the file imports."""
    folder = importlib.util.find_spec("tortoise").submodule_search_locations[0]
    tree = ast.parse((pathlib.Path(folder) / "api.py").read_text())
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name]
    scope = {"torch": torch}
    exec(compile(ast.Module(body=functions, type_ignores=[]), "api.py", "exec"), scope)
    return scope[name]


def codes(path, generator):
    fix_autoregressive_output = original_function("fix_autoregressive_output")
    cases = Cases()
    for i, (count, stops) in enumerate(((12, True), (0, True), (40, False), (37, True), (38, True), (39, True), (5, True))):
        row = torch.randint(0, 300, (count,), generator=generator)
        padded = torch.full((40,), 8193)
        padded[:count] = row
        fixed = fix_autoregressive_output(padded.clone(), 8193, complain=False)
        cases.add(f"fix{i}", [row], fixed, stopped=stops, length=40)
    cases.save(path)


def main(folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(11)
    processors(folder / "processors.safetensors", generator)
    mirostat(folder / "mirostat.safetensors")
    generate(folder / "generate.safetensors", generator)
    codes(folder / "codes.safetensors", generator)
    distributions(folder / "distributions.safetensors", torch.Generator().manual_seed(11))


if __name__ == "__main__":
    main(sys.argv[1])
