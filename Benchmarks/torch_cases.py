"""Times the cases of the benchmark with PyTorch.

Reads one JSON description a line on standard input and answers each with {"seconds": median, "memory": peak bytes},
or {} where PyTorch has nothing to compare. Needs torch. Started by `scripts/bench --torch PYTHON`.
"""

import json
import sys
import time

import torch
import torch.nn.functional as F


def peak_memory():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


def reset_peak_memory():
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")


def median_seconds(run):
    run()
    start = time.perf_counter()
    run()
    times = [time.perf_counter() - start]
    wanted = max(5, min(200, int(0.7 / max(times[0], 1e-7))))
    while len(times) < wanted:
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return sorted(times)[len(times) // 2]


def with_gradient(function, leaves, seed):
    def run():
        for leaf in leaves:
            leaf.grad = None
        function().backward(seed)

    return run


def without_gradient(function):
    def run():
        with torch.inference_mode():
            function()

    return run


def linear(c):
    x, w = torch.randn(c["m"], c["k"]), torch.randn(c["n"], c["k"])
    return without_gradient(lambda: F.linear(x, w))


def decode(c):
    kinds = {"float32": torch.float32, "bfloat16": torch.bfloat16}
    if c["dtype"] not in kinds:
        return None
    kind, width = kinds[c["dtype"]], c["width"]
    shapes = [(3 * width, width), (width, width), (4 * width, width), (width, 4 * width)]
    layers = [[torch.randn(s).to(kind) for s in shapes] for _ in range(c["layers"])]
    x = torch.randn(c["m"], width).to(kind)

    def run():
        for qkv, projection, up, down in layers:
            F.linear(x, qkv)
            y = F.linear(x, projection)
            F.linear(F.linear(y, up), down)

    return without_gradient(run)


def layer_function(c):
    weight, bias = torch.ones(c["width"]), torch.zeros(c["width"])
    return {
        "softmax": lambda x: F.softmax(x, -1),
        "layer_norm": lambda x: F.layer_norm(x, (c["width"],), weight, bias),
        "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
        "gelu_erf": F.gelu,
        "silu": F.silu,
        "add": lambda x: x + x,
    }[c["function"]]


def layer(c):
    x, function = torch.randn(c["rows"], c["width"]), layer_function(c)
    return without_gradient(lambda: function(x))


def layer_gradient(c):
    x, function = torch.randn(c["rows"], c["width"], requires_grad=True), layer_function(c)
    return with_gradient(lambda: function(x), [x], torch.randn(c["rows"], c["width"]))


def attention_function(c, qkv):
    bias = torch.randn(1, c["heads"], c["time"], c["time"]) if c["bias"] else None

    def run():
        q, k, v = (
            t.view(c["batch"], c["time"], c["heads"], c["width"]).transpose(1, 2) for t in qkv.chunk(3, dim=2)
        )
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=bias, is_causal=c["causal"])
        return y.transpose(1, 2).reshape(c["batch"], c["time"], -1)

    return run


def attention(c):
    qkv = torch.randn(c["batch"], c["time"], 3 * c["heads"] * c["width"])
    return without_gradient(attention_function(c, qkv))


def attention_gradient(c):
    qkv = torch.randn(c["batch"], c["time"], 3 * c["heads"] * c["width"], requires_grad=True)
    seed = torch.randn(c["batch"], c["time"], c["heads"] * c["width"])
    return with_gradient(attention_function(c, qkv), [qkv], seed)


def conv1d_parts(c, gradient):
    x = torch.randn(c["batch"], c["from"], c["time"], requires_grad=gradient)
    w = torch.randn(c["to"], c["from"], c["taps"], requires_grad=gradient)
    padding = c["dilation"] * (c["taps"] - 1) // 2
    return x, w, lambda: F.conv1d(x, w, dilation=c["dilation"], padding=padding)


def conv1d(c):
    return without_gradient(conv1d_parts(c, False)[2])


def conv1d_gradient(c):
    x, w, function = conv1d_parts(c, True)
    return with_gradient(function, [x, w], torch.randn(c["batch"], c["to"], c["time"]))


def lvc(c):
    x = torch.randn(1, c["from"], c["frames"] * c["hop"])
    kernels = torch.randn(1, c["from"], c["to"], c["taps"], c["frames"])
    bias = torch.randn(1, c["to"], c["frames"])
    pad = (c["taps"] - 1) // 2

    def run():
        windows = F.pad(x, (pad, pad)).unfold(2, c["hop"] + 2 * pad, c["hop"])
        windows = windows.unfold(3, c["hop"], 1)
        y = torch.einsum("bilkt,biokl->bolt", windows, kernels)
        return (y + bias.unsqueeze(-1)).reshape(1, c["to"], -1)

    return without_gradient(run)


def stft(c):
    x, window = torch.randn(1, c["time"]), torch.hann_window(c["size"])
    return without_gradient(
        lambda: torch.stft(x, c["size"], c["hop"], window=window, return_complex=True).abs()
    )


class Block(torch.nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.ln_1, self.ln_2 = torch.nn.LayerNorm(width), torch.nn.LayerNorm(width)
        self.qkv, self.projection = torch.nn.Linear(width, 3 * width), torch.nn.Linear(width, width)
        self.up, self.down = torch.nn.Linear(width, 4 * width), torch.nn.Linear(4 * width, width)

    def forward(self, x):
        batch, length, width = x.shape
        q, k, v = (
            t.view(batch, length, self.heads, -1).transpose(1, 2) for t in self.qkv(self.ln_1(x)).chunk(3, dim=2)
        )
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.projection(y.transpose(1, 2).reshape(batch, length, width))
        return x + self.down(F.gelu(self.up(self.ln_2(x)), approximate="tanh"))


def gpt_step(c):
    width, vocabulary = c["width"], c["vocabulary"]
    embedding = torch.nn.Embedding(vocabulary, width)
    positions = torch.nn.Parameter(torch.randn(c["time"], width) * 0.02)
    body = torch.nn.Sequential(*[Block(width, c["heads"]) for _ in range(c["layers"])], torch.nn.LayerNorm(width))
    head = torch.nn.Linear(width, vocabulary)
    parameters = [positions, *embedding.parameters(), *body.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=1e-4, fused=True)
    tokens = torch.randint(0, vocabulary, (c["batch"], c["time"] + 1))

    def run():
        with torch.autocast("cpu", torch.bfloat16, enabled=c["dtype"] == "bfloat16"):
            hidden = body(embedding(tokens[:, :-1]) + positions)
            loss = F.cross_entropy(head(hidden).flatten(0, 1), tokens[:, 1:].flatten())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    return run


def adamw(c):
    w = torch.nn.Parameter(torch.zeros(c["count"]))
    w.grad = torch.randn(c["count"])
    return torch.optim.AdamW([w], lr=1e-3, fused=True).step


def start(_):
    """Nothing to compare: the answer says that PyTorch is loaded."""


def main():
    torch.set_num_threads(int(sys.argv[1]))
    for line in sys.stdin:
        case = json.loads(line)
        reset_peak_memory()
        run = globals()[case["kind"]](case)
        answer = {} if run is None else {"seconds": median_seconds(run), "memory": float(peak_memory())}
        del run
        print(json.dumps(answer), flush=True)


main()
