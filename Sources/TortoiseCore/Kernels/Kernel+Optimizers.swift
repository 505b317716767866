import CKernels
import Foundation

/// What one step of Adam needs to know of its settings; see `Adam` for their meaning.
struct AdamStep {
    var learningRate: Double
    var beta1: Double
    var beta2: Double
    var epsilon: Double
    var weightDecay: Double
    var isDecoupled: Bool
    var gradientScale: Float
    /// Counted from 1, for the correction of the bias.
    var step: Int

    var kernelForm: tk_adam {
        tk_adam(
            learning_rate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon, weight_decay: weightDecay,
            correction1: 1 - pow(beta1, Double(step)), correction2: 1 - pow(beta2, Double(step)),
            gradient_scale: gradientScale, decoupled: isDecoupled ? 1 : 0)
    }
}

/// What one step of gradient descent with momentum needs to know of its settings; see `SGD` for their meaning.
struct SGDStep {
    var learningRate: Float
    var momentum: Float
    var dampening: Float
    var weightDecay: Float
    var isNesterov: Bool
    var gradientScale: Float
    /// Whether the momentum starts from this gradient.
    var isFirst: Bool
}

/// How Prodigy's averages move in one step; see `tk_prodigy` in the C header.
struct ProdigyAverages {
    var gradientScale: Float
    /// Weight decay that joins the gradient.
    var coupledDecay: Float
    var first: (keep: Float, take: Float)
    var second: (keep: Float, take: Float)
    var distance: (keep: Float, take: Float)

    var kernelForm: tk_prodigy {
        tk_prodigy(
            gradient_scale: gradientScale, decay: coupledDecay, keep1: first.keep, take1: first.take,
            keep2: second.keep,
            take2: second.take, keep3: distance.keep, take3: distance.take)
    }
}

/// A value of each of 8-bit Adam's two moments, as codes and one scale per `Kernel.eightBitBlock` elements.
struct EightBitMoments {
    var first: UnsafeMutablePointer<UInt8>
    var firstScales: Floats
    var second: UnsafeMutablePointer<UInt8>
    var secondScales: Floats
}

extension Kernel {
    /// Elements of 8-bit state that share a scale.
    static let eightBitBlock = Int(TK_ADAM8_BLOCK)

    /// One step of Adam or AdamW on weights w with gradient g and moments m and v, in place.
    static func adam(_ w: Floats, _ g: UnsafePointer<Float>, _ m: Floats, _ v: Floats, count: Int, _ step: AdamStep) {
        let settings = step.kernelForm
        let execution = Execution.current
        execution.pool.forEachChunk(count, grain: memoryGrain) { range in
            let start = range.lowerBound
            withUnsafePointer(to: settings) {
                execution.table.adam_step(w + start, g + start, m + start, v + start, range.count, $0)
            }
        }
    }

    /// One step of Adam or AdamW whose moments are quantised by two ascending maps of 256 values.
    static func adam8(
        _ w: Floats, _ g: UnsafePointer<Float>, _ moments: EightBitMoments, signedMap: [Float], unsignedMap: [Float],
        count: Int, _ step: AdamStep
    ) {
        precondition(signedMap.count == 256 && unsignedMap.count == 256, "adam8: maps have 256 values")
        let settings = step.kernelForm
        let execution = Execution.current
        let blocks = (count + eightBitBlock - 1) / eightBitBlock
        execution.pool.forEachChunk(blocks, grain: memoryGrain / eightBitBlock) { range in
            let block = range.lowerBound, start = block * eightBitBlock
            let end = min(count, range.upperBound * eightBitBlock)
            withUnsafePointer(to: settings) {
                execution.table.adam8_step(
                    w + start, g + start, moments.first + start, moments.firstScales + block, moments.second + start,
                    moments.secondScales + block, signedMap, unsignedMap, end - start, $0)
            }
        }
    }

    /// One step of gradient descent; `momentum` is nil where there is none.
    static func sgd(_ w: Floats, _ g: UnsafePointer<Float>, momentum: Floats?, count: Int, _ step: SGDStep) {
        let execution = Execution.current
        execution.pool.forEachChunk(count, grain: memoryGrain) { range in
            let start = range.lowerBound
            execution.table.sgd_step(
                w + start, g + start, momentum.map { $0 + start }, range.count, step.learningRate, step.momentum,
                step.dampening, step.weightDecay, step.gradientScale, step.isNesterov ? 1 : 0, step.isFirst ? 1 : 0)
        }
    }

    /// Moves Prodigy's averages m and v over the `count` weights, and s over every `stride`-th of them.
    ///
    /// - Returns: ⟨g, start − w⟩ over every `stride`-th weight, and ‖s‖₁. Blocks are fixed, so that neither depends on
    ///   the number of threads.
    static func prodigyAverages(
        m: Floats, v: Floats, s: Floats, start: UnsafePointer<Float>, _ w: UnsafePointer<Float>,
        _ g: UnsafePointer<Float>,
        count: Int, stride: Int, _ averages: ProdigyAverages
    ) -> (travelled: Double, size: Double) {
        let settings = averages.kernelForm
        let execution = Execution.current
        // A block of weights and gradients stays in the cache between the two kernels.
        let block = max(1, memoryGrain / stride), sampled = (count + stride - 1) / stride
        let blocks = (sampled + block - 1) / block
        return withUnsafeTemporaryAllocation(of: (Double, Double).self, capacity: max(blocks, 1)) { partial in
            let sums = partial.baseAddress
            execution.pool.forEachChunk(blocks, grain: 1) { range in
                var settings = settings
                for i in range {
                    let first = i * block, last = min(sampled, first + block)
                    let begin = first * stride, end = min(count, last * stride)
                    execution.table.prodigy_moments(m + begin, v + begin, w + begin, g + begin, end - begin, &settings)
                    var found = (0.0, 0.0)
                    withUnsafeMutableBytes(of: &found) { found in
                        execution.table.prodigy_distance(
                            found.assumingMemoryBound(to: Double.self).baseAddress, s + first, start + first, w + begin,
                            g + begin, last - first, stride, &settings)
                    }
                    sums?[i] = found
                }
            }
            return partial.prefix(blocks).reduce((0, 0)) { ($0.0 + $1.0, $0.1 + $1.1) }
        }
    }

    /// w = shrink w − rate m / (√v + epsilon).
    static func prodigyStep(
        _ w: Floats, m: UnsafePointer<Float>, v: UnsafePointer<Float>, count: Int, shrink: Float, rate: Float,
        epsilon: Float
    ) {
        let execution = Execution.current
        execution.pool.forEachChunk(count, grain: memoryGrain) { range in
            let start = range.lowerBound
            execution.table.prodigy_step(w + start, m + start, v + start, range.count, shrink, rate, epsilon)
        }
    }

    /// Exchanges two arrays that do not overlap.
    static func swap(_ a: Floats, _ b: Floats, count: Int) {
        Execution.current.pool.forEachChunk(count, grain: memoryGrain) { range in
            for i in range { (a[i], b[i]) = (b[i], a[i]) }
        }
    }
}
