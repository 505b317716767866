import Foundation

/// How much noise each step of the full process adds.
public enum BetaSchedule: String, Sendable, CaseIterable {
    /// From 0.0001 to 0.02 for 1,000 steps (Ho et al., 2020), scaled to any number; TorToiSe's.
    case linear
    /// The signal's share follows a squared cosine (Nichol and Dhariwal, 2021).
    case cosine

    /// The variance that each of `steps` steps adds.
    public func betas(_ steps: Int) -> [Double] {
        switch self {
        case .linear:
            let scale = 1_000 / Double(steps)
            let (first, last) = (scale * 0.000_1, scale * 0.02)
            return (0..<steps).map { first + (last - first) * Double($0) / Double(max(1, steps - 1)) }
        case .cosine:
            func signal(_ time: Double) -> Double {
                let root = cos((time + 0.008) / 1.008 * Double.pi / 2)
                return root * root
            }
            return (0..<steps).map {
                min(1 - signal(Double($0 + 1) / Double(steps)) / signal(Double($0) / Double(steps)), 0.999)
            }
        }
    }
}

/// Which steps of the full process a shorter one keeps.
///
/// Source: `space_timesteps` of `tortoise/utils/diffusion.py`.
public enum TimestepSpacing: Sendable, Equatable {
    /// The process is cut into as many equal sections as there are numbers, and each keeps that many steps, first and last included.
    case sections([Int])
    /// The first whole stride that gives exactly this many steps, as in the paper on DDIM.
    case stride(steps: Int)

    /// Steps spread evenly over the whole process.
    public static func even(_ steps: Int) -> TimestepSpacing { .sections([steps]) }

    /// Reads "80", "10,15,20" or "ddim50".
    ///
    /// - Throws: `InputError.usage` for anything else.
    public init(parsing text: String) throws {
        let isStride = text.hasPrefix("ddim")
        let counts = text.dropFirst(isStride ? 4 : 0).split(separator: ",", omittingEmptySubsequences: false).map {
            Int($0) ?? 0
        }
        guard counts.allSatisfy({ $0 > 0 }), !counts.isEmpty, !isStride || counts.count == 1 else {
            throw InputError.usage(
                "expected a number of steps, such as 80, 10,15,20 or ddim50; found '\(text.prefix(40))'")
        }
        self = isStride ? .stride(steps: counts[0]) : .sections(counts)
    }

    /// The steps that are kept, in order.
    ///
    /// - Throws: `InputError.usage` when a process of `total` steps has no such selection.
    public func timesteps(of total: Int) throws -> [Int] {
        switch self {
        case .stride(let steps):
            guard let stride = (1..<max(2, total)).first(where: { (total + $0 - 1) / $0 == steps }) else {
                throw InputError.usage("no whole stride through \(total) steps gives \(steps)")
            }
            return Array(Swift.stride(from: 0, to: total, by: stride))
        case .sections(let counts):
            guard !counts.isEmpty, counts.allSatisfy({ $0 > 0 }) else {
                throw InputError.usage("expected at least one step in each section, found \(counts)")
            }
            var kept: Set<Int> = []
            var start = 0
            for (index, count) in counts.enumerated() {
                let size = total / counts.count + (index < total % counts.count ? 1 : 0)
                guard count <= size else { throw InputError.usage("a section of \(size) steps cannot keep \(count)") }
                let stride = count <= 1 ? 1 : Double(size - 1) / Double(count - 1)
                // Added up step by step, for rounding decides here and there.
                var position = 0.0
                for _ in 0..<count {
                    kept.insert(start + Int(position.rounded(.toNearestOrEven)))
                    position += stride
                }
                start += size
            }
            return kept.sorted()
        }
    }
}
