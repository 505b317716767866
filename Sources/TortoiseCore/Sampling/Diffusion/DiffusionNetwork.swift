/// What a diffusion sampler asks of a network.
public protocol DiffusionNetwork {
    /// The noise in `x`, then, if the network learned that, how much of its range the variance uses.
    ///
    /// Shape: [batch, channels, ...] → [batch, channels or 2 · channels, ...]
    /// - Parameter timestep: Of the full process.
    func prediction(_ x: Tensor, timestep: Int) throws -> Tensor

    /// The same without conditioning, which guidance leads away from.
    func unconditionedPrediction(_ x: Tensor, timestep: Int) throws -> Tensor
}

/// The diffusion decoder with what it is to follow.
public struct ConditionedDiffusion: DiffusionNetwork {
    private let model: DiffusionModel
    private let aligned: Tensor

    /// - Parameter aligned: What `DiffusionModel.alignedConditioning` gave, [batch, channels, frames].
    public init(_ model: DiffusionModel, aligned: Tensor) {
        (self.model, self.aligned) = (model, aligned)
    }

    public func prediction(_ x: Tensor, timestep: Int) -> Tensor { model(x, timesteps: [timestep], aligned: aligned) }
    public func unconditionedPrediction(_ x: Tensor, timestep: Int) -> Tensor {
        model(x, timesteps: [timestep], aligned: nil)
    }
}

/// How strongly samples are led away from what the network makes without conditioning.
///
/// Ho and Salimans, "Classifier-free diffusion guidance", 2022.
public struct DiffusionGuidance: Sendable, Equatable {
    /// The noise becomes (1 + k) times the conditioned one minus k times the other.
    public var strength: Double
    /// Whether the strength grows from almost nothing at the noisiest step to all of it at the last.
    public var isRamped: Bool
    /// At every how many steps the network is asked without conditioning; steps between are led by the difference of the last one
    /// that was, which changes slowly (as Lv et al., "FasterCache", 2024, found of video). 1 is the original's, 2 saves a quarter of the time.
    public var interval: Int

    public init(strength: Double = 2, isRamped: Bool = true, interval: Int = 1) {
        (self.strength, self.isRamped, self.interval) = (strength, isRamped, interval)
    }

    /// k at a step of `count`.
    func strength(at step: Int, of count: Int) -> Double {
        isRamped ? strength * (1 - Double(step) / Double(count)) : strength
    }
}

/// What a network says about one step, guidance included.
struct DiffusionPrediction {
    /// The data.
    let start: Tensor
    /// How much of its range the variance uses; nil for networks that did not learn it.
    let varianceRange: Tensor?
}

/// Where the noise of a sampling run comes from.
public struct DiffusionNoise {
    private let make: (Int?, [Int]) -> Tensor

    /// Noise that follows from a source for each batch entry, so that entries do not depend on one another.
    public init(_ sources: [RandomSource]) {
        make = { step, shape in
            precondition(shape.first == sources.count, "diffusion: \(sources.count) sources of noise for \(shape)")
            let values = sources.flatMap { source in
                (step.map { source["step"][$0] } ?? source["start"]).stream.normals(shape.product / sources.count)
            }
            return Tensor(values, shape: shape)
        }
    }

    /// Noise for a batch of one.
    public init(_ source: RandomSource) { self.init([source]) }

    /// Noise for some frames of a mel, a batch of one: a frame has the same noise whichever others are made with it.
    ///
    /// - Parameter frames: Which frames of the whole the last axis is.
    public init(_ source: RandomSource, frames: Range<Int>) {
        make = { step, shape in
            precondition(
                shape.count == 3 && shape[0] == 1 && shape[2] == frames.count,
                "diffusion: noise of \(frames) for \(shape)")
            let own = step.map { source["step"][$0] } ?? source["start"]
            let rows = frames.flatMap { own[$0].stream.normals(shape[1]) }
            return Tensor(rows, shape: [1, frames.count, shape[1]]).transposed(1, 2).contiguous
        }
    }

    /// Given noise: where sampling starts, and what each step adds, the noisiest first.
    public init(start: Tensor, steps: [Tensor]) {
        make = { step, shape in
            let tensor = step.map { steps[$0] } ?? start
            precondition(tensor.shape == shape, "diffusion: noise \(tensor.shape) for \(shape)")
            return tensor
        }
    }

    /// Where sampling starts, at temperature 1.
    func start(_ shape: [Int]) -> Tensor { make(nil, shape) }
    /// What a step adds, counted from the noisiest.
    func step(_ index: Int, _ shape: [Int]) -> Tensor { make(index, shape) }
}
