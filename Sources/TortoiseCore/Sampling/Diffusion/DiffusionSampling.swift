/// The samplers, by the names that commands and files know them by.
public enum DiffusionSamplerName: String, Sendable, CaseIterable {
    /// One draw per step with the learned variance (Ho et al., 2020); the original's.
    case ancestral = "p"
    /// Song et al., "Denoising diffusion implicit models", 2020; e-c-k-e-r's.
    case ddim
    /// Lu et al., "DPM-Solver++", 2022: second order, two predictions.
    case dpmSolver2M = "dpm++2m"
    /// The same with three predictions and fresh noise at each step.
    case dpmSolver3MSDE = "dpm++3m-sde"
    /// Zhao et al., "UniPC", 2023: predicts with three predictions and corrects with the next.
    case uniPC = "unipc"
    /// Karras et al., "Elucidating the design space of diffusion-based generative models", 2022: two predictions a step.
    case heun
    /// Euler's method with fresh noise at each step.
    case eulerAncestral = "euler-a"

    /// Reads a name, whatever its case.
    ///
    /// - Throws: `InputError.usage` that lists the names.
    public init(parsing text: String) throws {
        guard let name = DiffusionSamplerName(rawValue: text.lowercased()) else {
            let names = Self.allCases.map(\.rawValue)
            let near = nearestNames(to: text, among: names, limit: 1).first
            throw InputError.usage(
                "there is no diffusion sampler '\(text.prefix(40))'", at: "--diffusion-sampler",
                try: (near.map { "did you mean \($0)? " } ?? "") + "samplers: \(names.joined(separator: ", "))")
        }
        self = name
    }

    /// How much fresh noise a step adds unless told otherwise: 0 for none, 1 for as much as the process back has.
    public var defaultEta: Double {
        switch self {
        case .ancestral, .dpmSolver3MSDE, .eulerAncestral: 1
        case .ddim, .dpmSolver2M, .uniPC, .heun: 0
        }
    }

    fileprivate func makeSampler(eta: Double) -> any DiffusionSampler {
        switch self {
        case .ancestral: AncestralSampler()
        // Euler's method with the process's own noise is DDIM in another scale: same means, same variances.
        case .ddim, .eulerAncestral: DDIMSampler(eta: eta)
        case .dpmSolver2M: DPMSolver2MSampler()
        case .dpmSolver3MSDE: DPMSolver3MSampler(eta: eta)
        case .uniPC: UniPCSampler()
        case .heun: HeunSampler()
        }
    }
}

/// A way from noise to data: one step after another.
protocol DiffusionSampler {
    /// From a step to the one before it, −1 being the data.
    mutating func advance(_ x: Tensor, from step: Int, _ process: DenoisingProcess) throws -> Tensor
}

/// What a sampler sees: the process, the network with its guidance, and the noise.
struct DenoisingProcess {
    let diffusion: GaussianDiffusion
    let noise: DiffusionNoise
    fileprivate let network: any DiffusionNetwork
    fileprivate let settings: DiffusionSampling
    fileprivate let memory = GuidanceMemory()

    /// What the network says about `x` at a step.
    func predict(_ x: Tensor, _ step: Int) throws -> DiffusionPrediction {
        let timestep = diffusion.timesteps[step]
        let output = try network.prediction(x, timestep: timestep)
        let channels = x.size(1)
        precondition(
            output.size(1) == channels || output.size(1) == 2 * channels,
            "diffusion: prediction \(output.shape) for \(x.shape)")
        var noise = output.sliced(1, 0..<channels)
        let range = output.size(1) == channels ? nil : output.sliced(1, channels..<2 * channels)
        if let guidance = settings.guidance {
            if memory.difference == nil || step % guidance.interval == 0 {
                memory.difference =
                    try noise - network.unconditionedPrediction(x, timestep: timestep).sliced(1, 0..<channels)
            }
            if let difference = memory.difference {
                noise = noise + difference * Float(guidance.strength(at: step, of: diffusion.count))
            }
        }
        let start = diffusion.start(x, noise: noise, steps: steps(step, x))
        return DiffusionPrediction(start: settings.clipsStart ? start.clamped(to: -1...1) : start, varianceRange: range)
    }

    /// Fresh noise for a step.
    func freshNoise(_ step: Int, like x: Tensor) -> Tensor { noise.step(diffusion.count - 1 - step, x.shape) }

    /// One step for every batch entry.
    func steps(_ step: Int, _ x: Tensor) -> [Int] { [Int](repeating: step, count: x.size(0)) }
}

/// What guidance remembers from one step to the next: how conditioning changed the noise when the network was last asked without it.
private final class GuidanceMemory {
    var difference: Tensor?
}

/// How mels are drawn from a diffusion network.
public struct DiffusionSampling: Sendable, Equatable {
    public var sampler = DiffusionSamplerName.ddim
    /// How much fresh noise steps add; nil takes the sampler's own default.
    public var eta: Double?
    /// Guidance away from no conditioning; nil for none, which takes half the time.
    public var guidance: DiffusionGuidance? = DiffusionGuidance()
    /// Multiplies the noise that sampling starts from.
    public var temperature = 1.0
    /// Whether the data that is predicted at each step is kept within −1...1.
    public var clipsStart = true

    public init() {}

    /// Sets how strongly samples are led, 0 for not at all, and leaves how guidance works.
    public mutating func setGuidance(strength: Double) {
        var changed = guidance ?? DiffusionGuidance()
        changed.strength = strength
        guidance = strength == 0 ? nil : changed
    }

    /// Draws a sample.
    ///
    /// - Parameters:
    ///   - shape: Of the sample, batch first.
    ///   - progress: Called before each step with the number of steps done and of all, and after the last; what it throws ends the run.
    /// - Returns: The sample; [batch, channels, ...].
    public func sample(
        _ network: any DiffusionNetwork, _ diffusion: GaussianDiffusion, shape: [Int], noise: DiffusionNoise,
        progress: (_ done: Int, _ total: Int) throws -> Void = { _, _ in }
    ) throws -> Tensor {
        let process = DenoisingProcess(diffusion: diffusion, noise: noise, network: network, settings: self)
        var solver = sampler.makeSampler(eta: eta ?? sampler.defaultEta)
        var x = noise.start(shape)
        if temperature != 1 { x = x * Float(temperature) }
        for step in (0..<diffusion.count).reversed() {
            try progress(diffusion.count - 1 - step, diffusion.count)
            x = try solver.advance(x, from: step, process)
        }
        try progress(diffusion.count, diffusion.count)
        return x
    }
}
