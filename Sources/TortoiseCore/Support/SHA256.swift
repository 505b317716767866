import Foundation

/// The SHA-256 digest (FIPS 180-4) of bytes that arrive in pieces: what names files of weights and vocabularies.
public struct SHA256 {
    private var state: [UInt32] = [
        0x6A09_E667, 0xBB67_AE85, 0x3C6E_F372, 0xA54F_F53A, 0x510E_527F, 0x9B05_688C, 0x1F83_D9AB, 0x5BE0_CD19,
    ]
    private var pending: [UInt8] = []
    private var byteCount: UInt64 = 0

    public init() {}

    /// The digest of a file in hexadecimal.
    ///
    /// - Throws: `InputError.model` when the file cannot be read.
    public static func hex(ofFile path: String) throws -> String {
        guard let handle = FileHandle(forReadingAtPath: path) else {
            throw InputError.model("cannot be read: \(String(cString: strerror(errno)))", at: path)
        }
        defer { try? handle.close() }
        var digest = SHA256()
        while let piece = try? handle.read(upToCount: 1 << 20), !piece.isEmpty { digest.add(Array(piece)) }
        return digest.hex()
    }

    public mutating func add(_ bytes: [UInt8]) {
        byteCount += UInt64(bytes.count)
        pending += bytes
        let whole = pending.count / 64 * 64
        pending.withUnsafeBufferPointer { buffer in
            for start in stride(from: 0, to: whole, by: 64) { Self.mix(&state, buffer, start) }
        }
        pending.removeFirst(whole)
    }

    /// The digest of everything added, in hexadecimal.
    public func hex() -> String {
        var copy = self
        let bits = byteCount * 8
        let padding = (119 - Int(byteCount % 64)) % 64 + 1
        copy.add(
            [0x80] + [UInt8](repeating: 0, count: padding - 1)
                + (0..<8).map { UInt8(truncatingIfNeeded: bits >> (56 - 8 * $0)) })
        return copy.state.map { word in
            let text = String(word, radix: 16)
            return String(repeating: "0", count: 8 - text.count) + text
        }.joined()
    }

    private static func mix(_ state: inout [UInt32], _ bytes: UnsafeBufferPointer<UInt8>, _ start: Int) {
        func rotated(_ x: UInt32, _ n: UInt32) -> UInt32 { x >> n | x << (32 - n) }
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 64) { w in
            for i in 0..<16 {
                let at = start + 4 * i
                w[i] =
                    UInt32(bytes[at]) << 24 | UInt32(bytes[at + 1]) << 16 | UInt32(bytes[at + 2]) << 8
                    | UInt32(bytes[at + 3])
            }
            for i in 16..<64 {
                let low = rotated(w[i - 15], 7) ^ rotated(w[i - 15], 18) ^ (w[i - 15] >> 3)
                let high = rotated(w[i - 2], 17) ^ rotated(w[i - 2], 19) ^ (w[i - 2] >> 10)
                w[i] = w[i - 16] &+ low &+ w[i - 7] &+ high
            }
            var (a, b, c, d) = (state[0], state[1], state[2], state[3])
            var (e, f, g, h) = (state[4], state[5], state[6], state[7])
            for i in 0..<64 {
                let choice = (e & f) ^ (~e & g)
                let first = h &+ (rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)) &+ choice &+ constants[i] &+ w[i]
                let majority = (a & b) ^ (a & c) ^ (b & c)
                let second = (rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) &+ majority
                (h, g, f, e, d, c, b, a) = (g, f, e, d &+ first, c, b, a, first &+ second)
            }
            for (i, value) in [a, b, c, d, e, f, g, h].enumerated() { state[i] &+= value }
        }
    }

    /// The first 32 bits of the fractions of the cube roots of the first 64 primes.
    private static let constants: [UInt32] = primes.map { prime in
        // ⌊∛p · 2³²⌋ by bisection on integers, exact where floating point is not.
        var (low, high): (UInt64, UInt64) = (0, 1 << 35)
        while high - low > 1 {
            let middle = (low + high) / 2
            if cubeIsAtMost(middle, prime) { low = middle } else { high = middle }
        }
        return UInt32(truncatingIfNeeded: low)
    }

    /// Whether x³ ≤ p · 2⁹⁶, in 128 bits.
    private static func cubeIsAtMost(_ x: UInt64, _ prime: Int) -> Bool {
        let wide = UInt128(x)
        return wide * wide * wide <= UInt128(prime) << 96
    }

    private static let primes: [Int] = {
        var found: [Int] = []
        var candidate = 2
        while found.count < 64 {
            if found.allSatisfy({ candidate % $0 != 0 }) { found.append(candidate) }
            candidate += 1
        }
        return found
    }()
}
