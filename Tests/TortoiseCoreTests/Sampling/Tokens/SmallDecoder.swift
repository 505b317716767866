import Testing

@testable import TortoiseCore

/// The weights of a golden's GPT-2.
private struct GoldenWeights: ParameterSource {
    let file: GoldenFile
    let label = "golden"

    var names: [String] { file.keys.filter { $0.hasPrefix("weights.") }.map { String($0.dropFirst("weights.".count)) } }

    func tensor(_ name: String) throws -> Tensor? {
        file.has("weights.\(name)") ? try file.tensor("weights.\(name)") : nil
    }
}

/// A GPT-2 of the golden's size with token and position embeddings, decoded with a cache.
final class SmallDecoder: TokenDecoder {
    static let markers = CodeMarkers(start: 22, stop: 23, calm: 20, tail: [1, 2])

    private let body: GPT2Body
    private let tokens, positions: Embedding
    private let head: Linear
    private let prompt: [Int32]
    private var caches: [KVCache] = []
    /// How many rows the model computed after prompts, and in how many steps.
    private(set) var rows = 0, steps = 0
    private(set) var prompts = 0

    let maximumSteps = 48

    private init(_ prompt: [Int32], at scope: ParameterScope) {
        self.prompt = prompt
        body = GPT2Body(GPT2Config(layers: 2, width: 16, heads: 2, dropout: 0), at: scope)
        tokens = Embedding(24, 16, at: scope["wte"])
        positions = Embedding(64, 16, at: scope["wpe"])
        head = Linear(16, 24, bias: false, at: scope["head"])
    }

    static func load(prompt: [Int32] = [1, 1, 1, 22], _ name: String = "generate") throws -> SmallDecoder {
        let file = try GoldenFile("Sampling/\(name).safetensors")
        return try ParameterStore.load(from: GoldenWeights(file: file)) { SmallDecoder(prompt, at: $0) }.model
    }

    func start(batch: Int) -> DecoderOutput {
        caches = body.makeCaches(batch: batch, capacity: prompt.count + maximumSteps)
        prompts += 1
        return run(Tensor(indices: prompt, shape: [1, prompt.count]))
    }

    func step(_ next: [Int32]) -> DecoderOutput {
        rows += next.count
        steps += 1
        return run(Tensor(indices: next, shape: [next.count, 1]))
    }

    func reorder(_ parents: [Int]) { caches.forEach { $0.reorder(parents) } }

    private func run(_ ids: Tensor) -> DecoderOutput {
        let past = caches[0].length
        let time = (past..<past + ids.size(1)).map(Int32.init)
        let embedded = tokens(ids) + positions(Tensor(indices: time))
        let hidden = body(embedded, caches: caches).select(1, ids.size(1) - 1)
        return DecoderOutput(logits: head(hidden), hidden: hidden)
    }
}

/// A decoder that always expects the same.
final class ConstantDecoder: TokenDecoder {
    private let logits: [Float]
    private var batch = 0
    let maximumSteps = 1_000_000

    init(_ logits: [Float]) { self.logits = logits }

    func start(batch: Int) -> DecoderOutput {
        self.batch = batch
        return DecoderOutput(logits: Tensor(logits, shape: [1, logits.count]), hidden: Tensor.zeros([1, 1]))
    }

    func step(_ tokens: [Int32]) -> DecoderOutput {
        precondition(tokens.count == batch, "a token for each of \(batch) sequences")
        return DecoderOutput(
            logits: Tensor(Array(repeatElement(logits, count: batch).joined()), shape: [batch, logits.count]),
            hidden: Tensor.zeros([batch, 1]))
    }

    func reorder(_ parents: [Int]) { batch = parents.count }
}

/// A sampler of the small decoder's codes, with settings changed from the defaults.
func makeSampler(
    batch: Int = 4, seed: UInt64 = 1, _ change: (inout SamplingSettings) -> Void = { _ in }
) throws -> CandidateSampler {
    var settings = SamplingSettings()
    change(&settings)
    return try CandidateSampler(settings, SmallDecoder.markers, batchSize: batch, random: RandomSource(seed: seed))
}
