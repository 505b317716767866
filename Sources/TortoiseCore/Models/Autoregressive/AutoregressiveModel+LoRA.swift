/// What an adapter of the autoregressive model is made with.
public struct LoRAConfig: Sendable, Equatable {
    public var rank: Int
    public var alpha: Double
    /// Of the elements of A, while training.
    public var dropout: Double

    public init(rank: Int, alpha: Double, dropout: Double = 0.1) {
        (self.rank, self.alpha, self.dropout) = (rank, alpha, dropout)
    }
}

extension AutoregressiveModel {
    /// Attaches a low-rank adapter to the four projections of every GPT-2 block, beside those that are there.
    ///
    /// Keys are the reference's: `gpt.h.N.attn.c_attn.parametrizations.weight.0.lora_A` and the like.
    /// - Parameters:
    ///   - scope: Of a store of its own: a new adapter's, or that of a `lora` file.
    ///   - strength: Multiplies its effect.
    public func attachAdapter(_ config: LoRAConfig, strength: Float = 1, at scope: ParameterScope) {
        for (index, block) in body.blocks.enumerated() {
            for (key, projection) in block.projections {
                let place = key.split(separator: ".").reduce(scope["gpt"]["h"][index]) { $0[String($1)] }
                projection.adapters.append(
                    LowRankAdapter(
                        projection.inputs, projection.outputs, rank: config.rank, alpha: Float(config.alpha) * strength,
                        dropout: Float(config.dropout), at: place["parametrizations"]["weight"]["0"]))
            }
        }
    }

    /// The rank of an adapter file, from the shape of its first matrix.
    ///
    /// - Throws: `InputError.model` when the file has no adapter of this model.
    public static func rank(of source: any ParameterSource) throws -> Int {
        guard let name = source.names.first(where: { $0.hasSuffix("attn.c_attn.parametrizations.weight.0.lora_A") }),
            let a = try source.tensor(name), a.rank == 2
        else {
            throw InputError.model(
                "this is no adapter of the autoregressive model", at: source.label,
                try: "expected keys such as gpt.h.0.attn.c_attn.parametrizations.weight.0.lora_A")
        }
        return a.size(0)
    }

    /// Adds all adapters to the weights and lets go of them: nothing is left to compute at inference.
    ///
    /// - Throws: `InputError.usage` when the weights are packed.
    public func mergeAdapters() throws {
        for projection in body.blocks.flatMap(\.projections).map(\.projection) where !projection.adapters.isEmpty {
            guard projection.weight.value.dtype == .float32 else {
                throw InputError.usage(
                    "an adapter cannot be merged into \(projection.weight.value.dtype) weights", at: "--merge",
                    try: "load the model as float32, or keep the adapter beside it")
            }
            projection.weight.substitute(projection.mergedWeight)
            projection.adapters = []
        }
    }
}
