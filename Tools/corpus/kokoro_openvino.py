"""Kokoro-82M through OpenVINO, for processors with AMX: faster than its int8 ONNX file, and a little cleaner.

A second of speech takes 0.26 s of one core of an Intel Xeon (Emerald Rapids) in place of 0.61 s. DNSMOS of ten sentences is 3.18
in place of 3.14 (af_heart) and 3.20 in place of 3.15 (bm_george).

The file's convolutions quantise what they hear at every step, which costs time and adds noise. Here their weights become float32
again, and the generator, which takes nearly all of the time, runs in bfloat16. Its harmonic source (phases that are summed over
thousands of steps) and its last convolution with the inverse transform do not survive bfloat16; they stay in float32 with
onnxruntime, as does what reads the phonemes. The snake activation's sin² becomes a polynomial, for which there are fast kernels.

    pip install onnx openvino
"""
import os

import numpy as np
import onnx
import onnxruntime
import openvino
from onnx import TensorProto, helper, numpy_helper
from onnx.utils import extract_model

GENERATOR = "/decoder/decoder/generator/"
SOURCE, LAST = GENERATOR + "Concat_3_output_0", GENERATOR + "LeakyRelu_2_output_0"
ALIGNED, PITCH, ENERGY = "/encoder/MatMul_1_output_0", "/encoder/Reshape_output_0", "/encoder/Reshape_1_output_0"
PARTS = {
    "encoder": (["tokens", "style", "speed"], [ALIGNED, PITCH, ENERGY]),
    "source": ([PITCH], [SOURCE]),
    "generator": (["style", ALIGNED, PITCH, ENERGY, SOURCE], [LAST]),
    "tail": ([LAST], ["audio"]),
}


class Graph:
    """A model with its initialisers, producers and consumers by name, and nodes that are about to be replaced."""

    def __init__(self, path):
        self.model = onnx.load(path)
        self.graph = self.model.graph
        self.initial = {tensor.name: tensor for tensor in self.graph.initializer}
        self.producer = {name: node for node in self.graph.node for name in node.output}
        self.consumers = {}
        for node in self.graph.node:
            for name in node.input:
                self.consumers.setdefault(name, []).append(node)
        self.replaced = {}

    def array(self, name):
        return numpy_helper.to_array(self.initial[name]).astype(np.float32)

    def add(self, name, value):
        self.graph.initializer.append(numpy_helper.from_array(np.asarray(value, np.float32), name))
        return name

    def only_consumer(self, name):
        found = self.consumers[name]
        assert len(found) == 1, name
        return found[0]

    def save(self, path):
        nodes = [new for node in self.graph.node for new in self.replaced.get(id(node), [node])]
        while True:  # without what nobody reads any more
            read = {name for node in nodes for name in node.input} | {output.name for output in self.graph.output}
            kept = [node for node in nodes if any(name in read for name in node.output)]
            if len(kept) == len(nodes):
                break
            nodes = kept
        del self.graph.node[:]
        self.graph.node.extend(nodes)
        used = [tensor for tensor in self.graph.initializer if tensor.name in read]
        del self.graph.initializer[:]
        self.graph.initializer.extend(used)
        onnx.save(self.model, path)


def along_outputs(array, rank):
    """Scales or zero points of each output channel, so that they broadcast over a weight."""
    return array.reshape(-1, *[1] * (rank - 1)) if array.size > 1 else array


def use_float_convolutions(graph):
    """DynamicQuantizeLinear, ConvInteger, Add, Cast and Mul become a Conv with the dequantised weight."""
    for index, node in enumerate([node for node in graph.graph.node if node.op_type == "ConvInteger"]):
        quantized = graph.producer[node.input[0]]
        weight, zero = graph.array(node.input[1]), np.float32(0)
        if len(node.input) > 3:
            zero = along_outputs(graph.array(node.input[3]), weight.ndim)
        dropped, bias, following = [node], None, graph.only_consumer(node.output[0])
        if following.op_type == "Add":
            bias = next(name for name in following.input if name != node.output[0])
            while bias not in graph.initial or len(graph.initial[bias].dims) != 1:
                bias = graph.producer[bias].input[0]
            dropped.append(following)
            following = graph.only_consumer(following.output[0])
        assert following.op_type == "Cast"
        scaling = graph.only_consumer(following.output[0])
        scales = graph.producer[next(name for name in scaling.input if name != following.output[0])]
        scale = graph.array(next(name for name in scales.input if name != quantized.output[1]))
        name = graph.add(f"{node.input[1]}_float{index}", (weight - zero) * along_outputs(scale, weight.ndim))
        inputs = [quantized.input[0], name] + ([bias] if bias else [])
        convolution = helper.make_node("Conv", inputs, [scaling.output[0]], name=node.name + "_float")
        convolution.attribute.extend(node.attribute)
        graph.replaced[id(scaling)] = [convolution]
        graph.replaced.update((id(old), []) for old in dropped + [following])


def use_polynomials(graph):
    """sin(x)², whose period is π, as a polynomial of the squared distance to the nearest multiple of π."""
    distance = np.cos(np.linspace(0, np.pi, 4001)) / 2
    powers = np.stack([distance ** (2 * power) for power in range(1, 7)], 1)
    fitted = np.linalg.lstsq(powers, np.sin(np.pi * distance) ** 2, rcond=None)[0]
    factors = [graph.add(f"sine_factor{i}", factor) for i, factor in enumerate(fitted)]
    turns = graph.add("half_turns", 1 / np.pi)
    for index, sine in enumerate([node for node in graph.graph.node if node.op_type == "Sin"]):
        if [node.op_type for node in graph.consumers[sine.output[0]]] != ["Pow"]:
            continue
        power, nodes = graph.consumers[sine.output[0]][0], []

        def step(operation, *inputs, to=None):
            name = to or f"sine{index}_{len(nodes)}"
            nodes.append(helper.make_node(operation, list(inputs), [name], name=f"{operation}_{name}"))
            return name
        turned = step("Mul", sine.input[0], turns)
        rest = step("Sub", turned, step("Round", turned))
        square = step("Mul", rest, rest)
        sum_ = step("Mul", square, factors[5])
        for i in (4, 3, 2, 1, 0):
            sum_ = step("Mul", step("Add", sum_, factors[i]), square, to=None if i else power.output[0])
        graph.replaced[id(sine)] = nodes
        graph.replaced[id(power)] = []


def set_input_shape(path, name, shape):
    model = onnx.load(path)
    for given in [given for given in model.graph.input if given.name == name]:
        model.graph.input.remove(given)
    model.graph.input.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
    onnx.save(model, path)


def convert(source, folder):
    """Writes the four parts of Kokoro's int8 file to a folder, unless they are there."""
    if os.path.exists(f"{folder}/done"):
        return
    os.makedirs(folder, exist_ok=True)
    whole = f"{folder}/float.onnx"
    graph = Graph(source)
    use_float_convolutions(graph)
    graph.save(whole)
    graph = Graph(whole)
    use_polynomials(graph)
    graph.save(f"{folder}/polynomial.onnx")
    for part, (inputs, outputs) in PARTS.items():
        origin = f"{folder}/polynomial.onnx" if part == "generator" else whole
        extract_model(origin, f"{folder}/{part}.onnx", inputs, outputs, check_model=False)
    set_input_shape(f"{folder}/generator.onnx", SOURCE, [1, 22, None])
    set_input_shape(f"{folder}/tail.onnx", LAST, [1, None, None])
    open(f"{folder}/done", "w").close()


class Session:
    """Stands where onnxruntime's session of the whole file would: tokens, style and speed to sound."""

    def __init__(self, folder):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1

        def load(part):
            return onnxruntime.InferenceSession(f"{folder}/{part}.onnx", options, providers=["CPUExecutionProvider"])
        self.encoder, self.source, self.tail = load("encoder"), load("source"), load("tail")
        core = openvino.Core()
        self.generator = core.compile_model(core.read_model(f"{folder}/generator.onnx"), "CPU", {
            "INFERENCE_PRECISION_HINT": "bf16", "INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "ENABLE_CPU_PINNING": False,
            "CPU_RUNTIME_CACHE_CAPACITY": "0"})  # every length is another shape; kept kernels would fill the memory

    def run(self, _, feed):
        aligned, pitch, energy = self.encoder.run([ALIGNED, PITCH, ENERGY], feed)
        source = self.source.run([SOURCE], {PITCH: pitch})[0]
        inputs = {"style": feed["style"], ALIGNED: aligned, PITCH: pitch, ENERGY: energy, SOURCE: source}
        return self.tail.run(["audio"], {LAST: np.array(self.generator(inputs)[0])})
