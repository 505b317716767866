import CKernels
import Foundation
import Synchronization

/// The tables of a windowed discrete Fourier transform: computed in double precision once per size, and kept.
struct FourierPlan: Sendable {
    /// Samples of a frame.
    let size: Int
    private let roots: [Float]
    private let radices: [Int32]
    private let window: [Float]

    /// Bins from 0 to half the sampling rate.
    var bins: Int { size / 2 + 1 }

    private struct Key: Hashable {
        let size: Int
        let windowLength: Int
    }

    private static let plans = Mutex<[Key: FourierPlan]>([:])

    /// The plan for frames of `size` samples under a periodic Hann window in the middle of the frame.
    static func hann(size: Int, windowLength: Int) -> FourierPlan {
        plans.withLock { plans in
            let key = Key(size: size, windowLength: windowLength)
            if let plan = plans[key] { return plan }
            let plan = FourierPlan(size: size, windowLength: windowLength)
            plans[key] = plan
            return plan
        }
    }

    private init(size: Int, windowLength: Int) {
        self.size = size
        roots = (0..<size).flatMap { step in
            let angle = -2 * Double.pi * Double(step) / Double(size)
            return [Float(cos(angle)), Float(sin(angle))]
        }
        var factors: [Int32] = []
        var rest = size
        var factor = 4
        while rest > 1 {
            if rest % factor == 0 {
                factors.append(Int32(factor))
                rest /= factor
            } else {
                factor = factor == 4 ? 2 : factor == 2 ? 3 : factor + 2
            }
        }
        radices = factors + [0]
        var samples = [Float](repeating: 0, count: size)
        let first = (size - windowLength) / 2
        for i in 0..<windowLength {
            samples[first + i] = Float(0.5 - 0.5 * cos(2 * Double.pi * Double(i) / Double(windowLength)))
        }
        window = samples
    }

    /// The plan as the kernels want it, for the length of a call.
    func withKernelForm(_ body: (tk_fourier) -> Void) {
        roots.withUnsafeBufferPointer { roots in
            radices.withUnsafeBufferPointer { radices in
                window.withUnsafeBufferPointer { window in
                    body(
                        tk_fourier(
                            size: size, roots: roots.baseAddress, radices: radices.baseAddress,
                            window: window.baseAddress))
                }
            }
        }
    }
}

extension Kernel {
    /// Frames that one thread transforms together.
    private static let framesTogether = 64

    /// The windowed transforms of overlapping frames: re and im [batch, bins, frames] from x [batch, length].
    static func fourierFrames(
        re: Floats, im: Floats, _ x: UnsafePointer<Float>, batch: Int, length: Int, hop: Int, frames: Int,
        _ plan: FourierPlan
    ) {
        let transform = Execution.current.table.fourier_frames
        forEachBand(batch: batch, frames: frames, pass: 0, of: 1, plan) { item, band, form, scratch in
            let start = item * plan.bins * frames + band.lowerBound
            transform?(
                re + start, im + start, frames, x + item * length + band.lowerBound * hop, hop, band.count, form,
                scratch)
        }
    }

    /// The transpose of `fourierFrames`: adds to dx [batch, length].
    static func fourierFramesGradient(
        _ dx: Floats, dRe: UnsafePointer<Float>, dIm: UnsafePointer<Float>, batch: Int, length: Int, hop: Int,
        frames: Int, _ plan: FourierPlan
    ) {
        let transform = Execution.current.table.fourier_frames_gradient
        // Frames overlap, so neighbouring bands take turns; the order is that of the passes.
        let passes = 1 + max(0, plan.size - hop).dividedRoundingUp(by: framesTogether * hop)
        for pass in 0..<passes {
            forEachBand(batch: batch, frames: frames, pass: pass, of: passes, plan) { item, band, form, scratch in
                let start = item * plan.bins * frames + band.lowerBound
                transform?(
                    dx + item * length + band.lowerBound * hop, dRe + start, dIm + start, frames, hop, band.count, form,
                    scratch)
            }
        }
    }

    private static func forEachBand(
        batch: Int, frames: Int, pass: Int, of passes: Int, _ plan: FourierPlan,
        _ body: (Int, Range<Int>, UnsafePointer<tk_fourier>, Floats) -> Void
    ) {
        let bands = max(0, (frames.dividedRoundingUp(by: framesTogether) - pass).dividedRoundingUp(by: passes))
        plan.withKernelForm { form in
            Execution.current.pool.forEachChunk(batch * bands, grain: 1) { range in
                let scratch = Scratch(count: Int(TK_FOURIER_SCRATCH) * plan.size)
                for i in range {
                    let first = (i % bands * passes + pass) * framesTogether
                    withUnsafePointer(to: form) {
                        body(i / bands, first..<min(frames, first + framesTogether), $0, scratch.base)
                    }
                }
                withExtendedLifetime(scratch) {}
            }
        }
    }

    /// y = |re + i im|, or its square.
    static func magnitude(
        _ y: Floats, re: UnsafePointer<Float>, im: UnsafePointer<Float>, count: Int, squared: Bool
    ) {
        let magnitude = Execution.current.table.magnitude
        Execution.current.pool.forEachChunk(count, grain: memoryGrain) { range in
            let start = range.lowerBound
            magnitude?(y + start, re + start, im + start, range.count, squared ? 1 : 0)
        }
    }

    /// re and im become the gradients with respect to themselves; 0 where both are 0.
    static func magnitudeGradient(re: Floats, im: Floats, dy: UnsafePointer<Float>, count: Int, squared: Bool) {
        let gradient = Execution.current.table.magnitude_gradient
        Execution.current.pool.forEachChunk(count, grain: memoryGrain) { range in
            let start = range.lowerBound
            gradient?(re + start, im + start, dy + start, range.count, squared ? 1 : 0)
        }
    }
}
