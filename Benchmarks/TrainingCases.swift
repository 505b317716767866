import TortoiseCore

/// Whole training steps: forward, gradients and AdamW.
enum TrainingCases {
    static var all: [Case] {
        [
            step("gpt_step_6x384", layers: 6, width: 384, heads: 6, batch: 16, time: 256, vocabulary: 1026),
            step("gpt_step_4x256", layers: 4, width: 256, heads: 4, batch: 8, time: 128, vocabulary: 1026),
        ] + mixed + [adam]
    }

    /// The larger one in mixed precision, as `trainer.amp` trains, beside PyTorch's autocast.
    private static var mixed: [Case] {
        guard ProductPrecision.bfloat16.isAvailable else { return [] }
        return [
            step(
                "gpt_step_6x384_mixed", layers: 6, width: 384, heads: 6, batch: 16, time: 256, vocabulary: 1026,
                products: .bfloat16)
        ]
    }

    private static func step(
        _ name: String, layers: Int, width: Int, heads: Int, batch: Int, time: Int, vocabulary: Int,
        products: ProductPrecision = .float32
    ) -> Case {
        let sizes: [String: Any] = [
            "layers": layers, "width": width, "heads": heads, "batch": batch, "time": time, "vocabulary": vocabulary,
            "dtype": products.rawValue,
        ]
        let tokens = Double(batch * time)
        let weights = Double(layers * 12 * width * width + vocabulary * width)
        let scores = Double(layers * 2 * width * time / 2)
        // The limit counts OpenBLAS's float32, which mixed precision does not keep to.
        let limit: Limit = products == .float32 ? .arithmetic(6 * tokens * (weights + scores)) : .none
        return Case(name, "gpt_step", sizes, limit) {
            let model = LanguageModel(
                GPT2Config(layers: layers, width: width, heads: heads, dropout: 0), vocabulary: vocabulary, time: time)
            let indices = RandomSource(seed: 4).stream.uniforms(batch * (time + 1)).map {
                Int32($0 * Float(vocabulary))
            }
            let tokens = Tensor(indices: indices, shape: [batch, time + 1])
            let (inputs, targets) = (tokens.sliced(1, 0..<time), tokens.sliced(1, 1..<time + 1))
            return { Execution.with(products: products) { model.train(inputs, targets) } }
        }
    }

    private static var adam: Case {
        let count = 30_000_000
        // Weight, both moments: read and written; the gradient: read.
        return Case("adamw_30M", "adamw", ["count": count], .memory(Double(count * 4 * 7))) {
            let (parameter, parameters) = ParameterStore.initialize(seed: 1) { $0.parameter("w", [count], .zeros) }
            parameters.setTrainable()
            let optimizer = Adam([ParameterGroup([parameter], learningRate: 1e-3, weightDecay: 0.01)])
            let gradients = (parameter.value * random(count)).sum.gradients()
            return { optimizer.step(gradients) }
        }
    }
}

/// A small GPT-2 with its embeddings and head.
private final class LanguageModel {
    private let embedding: Embedding
    private let positions: Parameter
    private let body: GPT2Body
    private let head: Linear
    private let optimizer: Adam

    init(_ config: GPT2Config, vocabulary: Int, time: Int) {
        let (parts, parameters) = ParameterStore.initialize(seed: 1) { scope in
            (
                Embedding(vocabulary, config.width, standardDeviation: 0.02, at: scope["embedding"]),
                scope.parameter("positions", [time, config.width], .normal(standardDeviation: 0.02)),
                GPT2Body(config, at: scope["gpt"]), Linear(config.width, vocabulary, at: scope["head"])
            )
        }
        (embedding, positions, body, head) = parts
        parameters.setTrainable()
        optimizer = Adam([ParameterGroup(parameters.trainable, learningRate: 1e-4, weightDecay: 0.01)])
    }

    func train(_ inputs: Tensor, _ targets: Tensor) {
        let hidden = body(embedding(inputs) + positions.value)
        optimizer.step(crossEntropy(head(hidden), targets).gradients())
    }
}
