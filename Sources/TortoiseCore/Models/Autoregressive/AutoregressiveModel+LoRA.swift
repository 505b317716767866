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
    /// How adapters lie in files: `lora.*` of the reference's trainer, or a full file that was saved with one attached, of
    /// which only the adapter is read.
    public static let adapterKeyMap = KeyMap(
        .keep("**.lora_A"), .keep("**.lora_B"), .transpose("**.lora_A"), .transpose("**.lora_B"))

    /// The keys of the first block's matrices, by which an adapter is known.
    private static let firstAdapterKey = "gpt.h.0.attn.c_attn.parametrizations.weight.0.lora_A"

    /// Attaches a fresh low-rank adapter to the four projections of every GPT-2 block, beside those that are there.
    ///
    /// It changes nothing until it is trained. Keys are the reference's:
    /// `gpt.h.N.attn.c_attn.parametrizations.weight.0.lora_A` and the like.
    /// - Parameter seed: The same seed gives the same values.
    /// - Returns: The adapter's parameters, apart from the model's own.
    public func attachAdapter(_ config: LoRAConfig, seed: UInt64) -> ParameterStore {
        let (adapters, parameters) = ParameterStore.initialize(seed: seed) { makeAdapters(config, strength: 1, at: $0) }
        attach(adapters)
        return parameters
    }

    /// Attaches the adapter of a file, beside those that are there; the file decides on the rank.
    ///
    /// - Parameters:
    ///   - file: With the file's own keys; `adapterKeyMap` is applied here.
    ///   - alpha: What the adapter was trained with.
    ///   - strength: Multiplies its effect.
    ///   - dropout: Of the elements of A, for training it on.
    /// - Returns: The adapter's parameters, apart from the model's own.
    /// - Throws: `InputError.model` when the file has no adapter of this model, or names every value that is missing, unknown
    ///   or mis-shaped; nothing is attached then.
    public func attachAdapter(
        from file: any ParameterSource, alpha: Double, strength: Float = 1, dropout: Double = 0.1
    ) throws -> ParameterStore {
        let config = LoRAConfig(rank: try Self.rank(of: file), alpha: alpha, dropout: dropout)
        let source = KeyMappedSource(file, Self.adapterKeyMap)
        let (adapters, parameters) = try ParameterStore.load(from: source) {
            makeAdapters(config, strength: strength, at: $0)
        }
        attach(adapters)
        return parameters
    }

    /// The rank of the adapter in a file, from the shape of its first matrix.
    ///
    /// - Throws: `InputError.model` when the file has no adapter of this model.
    public static func rank(of file: any ParameterSource) throws -> Int {
        guard let a = try file.tensor(firstAdapterKey), a.rank == 2, a.size(0) > 0 else {
            throw InputError.model(
                "this is no adapter of the autoregressive model", at: file.label,
                try: "expected keys such as \(firstAdapterKey)")
        }
        return a.size(0)
    }

    /// Takes over the embeddings that were trained with an adapter, where its file has them.
    ///
    /// - Parameters:
    ///   - file: The adapter's.
    ///   - model: The parameters that the adapter is for, frozen.
    ///   - strength: The share of the way to the file's values.
    /// - Throws: `InputError.model` for embeddings of other sizes.
    public static func takeEmbeddings(
        from file: any ParameterSource, into model: ParameterStore, strength: Float = 1
    ) throws {
        let source = KeyMappedSource(file, keyMap)
        let names = Set(source.names)
        for parameter in model.parameters where isEmbedding(parameter) && names.contains(parameter.name) {
            guard let value = try source.tensor(parameter.name)?.converted(to: .float32) else { continue }
            guard value.shape == parameter.shape else {
                throw InputError.model(
                    "\(parameter.name): expected \(parameter.shape), found \(value.shape)", at: file.label,
                    try: "the adapter is of a model of other sizes")
            }
            let before = parameter.value.detached
            parameter.substitute(strength == 1 ? value : before + (value - before) * strength)
        }
    }

    /// The reference tells embeddings by `_emb` in their names: those of text, codes and the positions of both.
    private static func isEmbedding(_ parameter: Parameter) -> Bool { parameter.name.contains("_emb") }

    /// Adds all adapters to the weights and lets go of them: nothing is left to compute at inference.
    ///
    /// - Throws: `InputError.usage` when the weights are packed; nothing is changed then.
    public func mergeAdapters() throws {
        let adapted = body.blocks.flatMap(\.projections).map(\.projection).filter { !$0.adapters.isEmpty }
        if let packed = adapted.first(where: { $0.weight.value.dtype != .float32 }) {
            throw InputError.usage(
                "an adapter cannot be merged into \(packed.weight.value.dtype) weights", at: "--merge",
                try: "load the model as float32, or keep the adapter beside it")
        }
        for projection in adapted {
            projection.weight.substitute(projection.mergedWeight)
            projection.adapters = []
        }
    }

    /// Leaves an adapter to training and freezes the model, but for its embeddings if they are asked for.
    ///
    /// - Precondition: what is to be trained is float32.
    public static func train(adapter: ParameterStore, of model: ParameterStore, embeddings: Bool = false) {
        model.setTrainable { embeddings && isEmbedding($0) }
        adapter.setTrainable()
    }

    private func makeAdapters(_ config: LoRAConfig, strength: Float, at scope: ParameterScope) -> [LowRankAdapter] {
        let scale = Float(config.alpha) / Float(config.rank) * strength
        return body.blocks.enumerated().flatMap { index, block in
            block.projections.map { key, projection in
                let place = key.split(separator: ".").reduce(scope["gpt"]["h"][index]) { $0[String($1)] }
                return LowRankAdapter(
                    projection.inputs, projection.outputs, rank: config.rank, scale: scale,
                    dropout: Float(config.dropout), at: place["parametrizations"]["weight"]["0"])
            }
        }
    }

    private func attach(_ adapters: [LowRankAdapter]) {
        for (projection, adapter) in zip(body.blocks.flatMap(\.projections).map(\.projection), adapters) {
            projection.adapters.append(adapter)
        }
    }
}
