import Foundation
import Testing

@testable import TortoiseCore

/// A small generator with a seed (SplitMix64), so that every run of a mutation test is the same.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}

/// Changes bytes of a file in many ways and expects a parser to accept the result or to throw an `InputError`.
///
/// - Parameters:
///   - rounds: How many files to make, times `TORTOISE_MUTATIONS` from the environment for a long run.
///   - dense: The range that is worth changing (headers and pickles; not the tensors' own bytes).
///   - parse: Must touch everything that the parser promises to be there.
func expectNoTrap(
    _ original: [UInt8], rounds: Int, seed: UInt64, dense: Range<Int>, parse: (MappedFile) throws -> Void
) throws {
    var random = SeededGenerator(seed: seed)
    let interesting: [UInt8] = [0, 1, 0x7F, 0x80, 0xFE, 0xFF] + Array("{}[](),.0123456789\"\\NRbcdhijqrstu}~".utf8)
    let rounds = rounds * (ProcessInfo.processInfo.environment["TORTOISE_MUTATIONS"].flatMap { Int($0) } ?? 1)
    var refused = 0
    // Memory-backed where there is such a folder: a disk's journal would take most of the time.
    let folder = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : FileManager.default.temporaryDirectory.path
    let path = "\(folder)/mutation-\(UUID().uuidString)"
    defer { unlink(path) }
    for round in 0..<rounds {
        var bytes = original
        for _ in 0...Int.random(in: 0..<4, using: &random) {
            let place = Int.random(in: dense.clamped(to: 0..<max(1, bytes.count)), using: &random)
            guard place < bytes.count else { continue }
            switch Int.random(in: 0..<6, using: &random) {
            case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 1: bytes[place] = interesting.randomElement(using: &random) ?? 0
            case 2: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 1...9, using: &random)))
            case 3: bytes.insert(interesting.randomElement(using: &random) ?? 0, at: place)
            case 4:
                let end = min(bytes.count, place + Int.random(in: 1...24, using: &random))
                bytes.insert(contentsOf: Array(bytes[place..<end]), at: place)
            default: if round % 8 == 0 { bytes.removeSubrange(place...) }
            }
        }
        do {
            let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
            try #require(descriptor >= 0 && write(descriptor, bytes, bytes.count) == bytes.count)
            close(descriptor)
            try parse(MappedFile(path: path))
        } catch is InputError {
            refused += 1
        }
    }
    #expect(refused > rounds / 10, "the mutations hardly reached the parser")
}
