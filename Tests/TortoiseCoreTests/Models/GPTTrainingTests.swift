import Foundation
import Testing

@testable import TortoiseCore

/// A whole GPT with token and position embeddings: everything that training stands on, together.
private final class SmallGPT {
    private let tokens, positions: Embedding
    private let body: GPT2Body
    private let head: Linear

    init(_ config: GPT2Config, vocabulary: Int, positions count: Int, at scope: ParameterScope) {
        tokens = Embedding(vocabulary, config.width, at: scope["wte"])
        positions = Embedding(count, config.width, at: scope["wpe"])
        body = GPT2Body(config, at: scope)
        head = Linear(config.width, vocabulary, bias: false, at: scope["head"])
    }

    func checkpointActivations() { body.checkpointsActivations = true }

    /// The mean cross entropy of each token after those before it. Shape: int32 [sequences, time + 1] → scalar
    func loss(_ batch: Tensor) -> Tensor {
        let time = batch.size(1) - 1
        let order = Tensor(indices: (0..<time).map(Int32.init))
        let hidden = body(tokens(batch.sliced(1, 0..<time)) + positions(order))
        return crossEntropy(head(hidden), batch.sliced(1, 1..<time + 1))
    }
}

/// The initial values of the golden, matrices kept as int8 in units of 1/1024.
private struct GoldenParameters: ParameterSource {
    let file: GoldenFile
    let label = "golden"

    var names: [String] {
        file.keys.filter { $0.hasPrefix("initial.") }.map { String($0.dropFirst("initial.".count)) }
    }

    func tensor(_ name: String) throws -> Tensor? {
        guard file.has("initial.\(name)") else { return nil }
        let stored = try file.tensor("initial.\(name)")
        return stored.dtype == .int8 ? stored.converted(to: .float32) * (1 / 1_024) : stored
    }
}

@Suite struct GPTTrainingTests {
    private static let config = GPT2Config(layers: 4, width: 64, heads: 4, dropout: 0)
    private let file: GoldenFile

    init() throws { file = try GoldenFile("GPT/training.safetensors") }

    private func load() throws -> (model: SmallGPT, parameters: ParameterStore) {
        let loaded = try ParameterStore.load(from: GoldenParameters(file: file)) {
            SmallGPT(Self.config, vocabulary: 101, positions: 32, at: $0)
        }
        loaded.parameters.setTrainable()
        return loaded
    }

    private func batch(_ step: Int) throws -> Tensor { try file.tensor("batches").select(0, step) }

    private static let gradientModes: [(TortoiseCore.InstructionSet, Int, Bool)] =
        TortoiseCore.InstructionSet.allCases.filter(\.isAvailable).map { ($0, 1, false) }
        + [(.best, 2, false), (.best, 2, true)]

    /// Every gradient of the first step, element by element, with and without checkpointed blocks.
    @Test(arguments: gradientModes)
    func gradientsMatchPyTorch(set: TortoiseCore.InstructionSet, threads: Int, checkpoints: Bool) throws {
        try Execution.with(instructionSet: set, threads: threads) {
            let (model, store) = try load()
            if checkpoints { model.checkpointActivations() }
            let loss = model.loss(try batch(0))
            #expect(abs(loss.item - (try file.tensor("losses").values[0])) < 2e-6)
            let gradients = loss.gradients()
            #expect(store.parameters.count == 4 * 12 + 2 + 2 + 1)
            var worst = 0.0
            for parameter in store.parameters {
                let found = try #require(gradients[parameter.value], "\(parameter.name) has no gradient")
                let difference = TensorDifference(found, from: try file.tensor("gradient.\(parameter.name)"))
                #expect(difference.error < 1e-4, "\(parameter.name): \(difference)")
                worst = max(worst, difference.error)
            }
            report("gradients \(set) \(threads) \(checkpoints)", worst)
        }
    }

    @Test(arguments: [1, 2])
    func lossCurveMatchesPyTorch(threads: Int) throws {
        try Execution.with(threads: threads) {
            let (model, store) = try load()
            let optimizer = Adam(
                [ParameterGroup(store.trainable, learningRate: 1e-3, weightDecay: 0.01)], Adam.Settings(beta2: 0.99))
            let expected = try file.tensor("losses").values
            #expect(expected.count == 20 && expected[19] < expected[0] - 0.3)
            var worst: Float = 0
            for step in expected.indices {
                let loss = model.loss(try batch(step))
                worst = max(worst, abs(loss.item - expected[step]))
                #expect(
                    abs(loss.item - expected[step]) < 1e-4, "step \(step): \(loss.item), expected \(expected[step])")
                optimizer.step(loss.gradients())
            }
            report("losses \(threads)", Double(worst))
        }
    }

    /// Training gives the same bits with 1, 2 and 3 threads.
    @Test func trainingDoesNotDependOnThreads() throws {
        func weights(_ threads: Int) throws -> [Tensor] {
            try Execution.with(threads: threads) {
                let (model, store) = try load()
                let optimizer = Adam([ParameterGroup(store.trainable, learningRate: 1e-3, weightDecay: 0.01)])
                for step in 0..<3 { optimizer.step(model.loss(try batch(step)).gradients()) }
                return store.parameters.map(\.value)
            }
        }
        let one = try weights(1)
        for threads in [2, 3] { #expect(zip(try weights(threads), one).allSatisfy(haveSameBits), "\(threads) threads") }
    }

    /// Gradients of halves of a batch, averaged, are those of the whole.
    @Test func accumulationMatchesTheWholeBatch() throws {
        let (model, store) = try load()
        let whole = model.loss(try batch(0)).gradients()
        var sum = Gradients()
        for half in try batch(0).chunks(2, axis: 0) { sum.add(model.loss(half).gradients(scale: 0.5)) }
        for parameter in store.parameters {
            let found = try #require(sum[parameter.value])
            let difference = TensorDifference(found, from: try #require(whole[parameter.value]))
            #expect(difference.error < 2e-5, "\(parameter.name): \(difference)")
        }
    }

    /// Two thousand steps take no more memory than the first hundred did; in a process of its own, for the pool is shared.
    ///
    /// On one thread: with more, how many hold scratch space at once is up to the scheduler.
    @Test func memoryStaysFlat() async {
        await #expect(processExitsWith: .success) {
            Execution.with(threads: 1) {
                let (pool, resident) = memoryGrowth(afterStep: 100, of: 2_000)
                #expect(pool == 0, "the pool's peak and reserve grew by \(pool) bytes")
                #expect(resident < 2 << 20, "resident memory grew by \(resident) bytes")
            }
        }
    }

    private func report(_ what: String, _ error: Double) {
        guard ProcessInfo.processInfo.environment["TORTOISE_REPORT_ERRORS"] != nil else { return }
        print("GPT", what, error)
    }
}

/// Trains a GPT of the smallest size and returns by how many bytes memory grew after a step: the pool's, and the process's.
private func memoryGrowth(afterStep settling: Int, of steps: Int) -> (pool: Int, resident: Int) {
    let config = GPT2Config(layers: 2, width: 16, heads: 2, dropout: 0.1)
    let (model, store) = ParameterStore.initialize(seed: 1) { SmallGPT(config, vocabulary: 23, positions: 12, at: $0) }
    store.setTrainable()
    let optimizer = Adam([ParameterGroup(store.trainable, learningRate: 1e-3)])
    var settled = (pool: 0, resident: 0)
    for step in 0..<steps {
        // Lengths vary, as they do in training.
        let time = 5 + step % 8
        let tokens = (0..<2 * time).map { Int32(($0 * 5 + step) % 23) }
        let gradients = model.loss(Tensor(indices: tokens, shape: [2, time])).gradients()
        optimizer.step(gradients, gradientScale: gradients.norm(of: store.trainable, clippingAt: 1).scale)
        if step == settling { settled = (pooledBytes(), residentBytes()) }
    }
    return (pooledBytes() - settled.pool, residentBytes() - settled.resident)
}

/// The most that tensors took at once, and what the pool keeps besides.
private func pooledBytes() -> Int { BufferPool.shared.usage.peak + BufferPool.shared.usage.reserve }

/// The memory of this process that is in RAM.
private func residentBytes() -> Int {
    let fields = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ") ?? []
    return (fields.count > 1 ? Int(fields[1]) ?? 0 : 0) * Int(getpagesize())
}
