import Foundation

/// A stream of random numbers that is a pure function of a key, a stream number and a position.
///
/// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011). Nothing is consumed, so the
/// numbers do not depend on what else was drawn, on the batch size or on the threads.
public struct PhiloxStream: Sendable, Equatable {
    /// The seed.
    public let key: UInt64
    /// Which of the seed's streams: the upper half of the counter.
    public let counter: UInt64

    /// The four numbers at a position.
    public func block(_ position: UInt64) -> SIMD4<UInt32> {
        var c = SIMD4<UInt32>(
            UInt32(truncatingIfNeeded: position), UInt32(truncatingIfNeeded: position >> 32),
            UInt32(truncatingIfNeeded: counter), UInt32(truncatingIfNeeded: counter >> 32))
        var k = SIMD2<UInt32>(UInt32(truncatingIfNeeded: key), UInt32(truncatingIfNeeded: key >> 32))
        for _ in 0..<10 {
            let p0 = UInt64(c[0]) &* 0xD251_1F53
            let p1 = UInt64(c[2]) &* 0xCD9E_8D57
            c = SIMD4(
                UInt32(p1 >> 32) ^ c[1] ^ k[0], UInt32(truncatingIfNeeded: p1),
                UInt32(p0 >> 32) ^ c[3] ^ k[1], UInt32(truncatingIfNeeded: p0))
            k = SIMD2(k[0] &+ 0x9E37_79B9, k[1] &+ 0xBB67_AE85)
        }
        return c
    }

    /// The number at a position counted in single numbers.
    public subscript(index: Int) -> UInt32 { block(UInt64(index / 4))[index % 4] }

    /// `count` numbers spread evenly over [0, 1).
    public func uniforms(_ count: Int) -> [Float] {
        numbers(count) { Float($0 >> 8) * 0x1p-24 }
    }

    /// `count` numbers from the standard normal distribution (Box and Muller's transform).
    public func normals(_ count: Int) -> [Float] {
        var result: [Float] = []
        result.reserveCapacity(count + 3)
        var position: UInt64 = 0
        while result.count < count {
            let bits = block(position)
            for pair in 0..<2 {
                let radius = (-2 * log((Double(bits[2 * pair]) + 0.5) * 0x1p-32)).squareRoot()
                let angle = Double(bits[2 * pair + 1]) * 0x1p-32 * 2 * Double.pi
                result.append(Float(radius * cos(angle)))
                result.append(Float(radius * sin(angle)))
            }
            position += 1
        }
        result.removeLast(result.count - count)
        return result
    }

    private func numbers(_ count: Int, _ convert: (UInt32) -> Float) -> [Float] {
        [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
            for i in 0..<(count + 3) / 4 {
                let bits = block(UInt64(i))
                for lane in 0..<min(4, count - 4 * i) { buffer[4 * i + lane] = convert(bits[lane]) }
            }
            initialized = count
        }
    }
}

/// Gives every user of randomness a stream of its own, by name.
///
/// A value: giving out streams changes nothing, and the same names give the same streams.
public struct RandomSource: Sendable, Equatable {
    /// What everything random in a run follows from.
    public let seed: UInt64
    private let path: UInt64

    public init(seed: UInt64) {
        self.seed = seed
        path = 0xCBF2_9CE4_8422_2325
    }

    private init(seed: UInt64, path: UInt64) {
        self.seed = seed
        self.path = path
    }

    /// The source for a part of the work, such as a stage or a layer.
    public subscript(_ name: String) -> RandomSource {
        name.utf8.reduce(RandomSource(seed: seed, path: Self.mix(path, 0x100))) { source, byte in
            RandomSource(seed: seed, path: Self.mix(source.path, UInt64(byte)))
        }
    }

    /// The source for one of many like parts, such as a step or a candidate.
    public subscript(_ number: Int) -> RandomSource {
        RandomSource(seed: seed, path: Self.mix(Self.mix(path, 0x101), UInt64(bitPattern: Int64(number))))
    }

    /// The numbers of this source.
    public var stream: PhiloxStream { PhiloxStream(key: seed, counter: path) }

    /// One round of FNV-1a over a word, then the finaliser of SplitMix64, so that nearby numbers part ways.
    private static func mix(_ state: UInt64, _ value: UInt64) -> UInt64 {
        var z = (state ^ value) &* 0x100_0000_01B3
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
