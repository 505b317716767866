import TortoiseCore

/// Makes an input from an original: a pure function of seed and number.
struct Mutator {
    private let stream: PhiloxStream
    private var position = 0
    private let number: Int

    private static let telling: [UInt8] =
        [0, 1, 0x7F, 0x80, 0xFE, 0xFF] + Array("{}[](),.0123456789\"\\NRbcdhijqrstu}~: \n\r\t-@$%&*".utf8)

    init(seed: UInt64, number: Int) {
        stream = RandomSource(seed: seed)["fuzz"][number].stream
        self.number = number
    }

    private mutating func next(_ limit: Int) -> Int {
        position += 1
        return Int((UInt64(stream[position]) * UInt64(max(1, limit))) >> 32)
    }

    /// One of the originals with one to eight changes; headers are changed more often than what follows them.
    mutating func mutated(_ originals: [[UInt8]]) -> [UInt8] {
        var bytes = originals[number % originals.count]
        for _ in 0...next(8) { change(&bytes, originals) }
        return bytes
    }

    private mutating func change(_ bytes: inout [UInt8], _ originals: [[UInt8]]) {
        let end = next(3) == 0 ? bytes.count : min(bytes.count, 4_096)
        let place = next(end)
        guard place < bytes.count else {
            bytes.append(Self.telling[next(Self.telling.count)])
            return
        }
        switch next(9) {
        case 0: bytes[place] ^= 1 << UInt8(next(8))
        case 1: bytes[place] = Self.telling[next(Self.telling.count)]
        case 2: bytes.removeSubrange(place..<min(bytes.count, place + 1 + next(16)))
        case 3: bytes.insert(Self.telling[next(Self.telling.count)], at: place)
        case 4: bytes.insert(contentsOf: Array(bytes[place..<min(bytes.count, place + 1 + next(64))]), at: place)
        case 5 where next(6) == 0: bytes.removeSubrange(place...)
        case 6:
            // A number as files have them, with an extreme value.
            let width = [2, 4, 8][next(3)]
            let value = [UInt64.max, 1 << 31, 1 << 32, 1 << 62, 0, 0xFFFF][next(6)]
            for i in 0..<width where place + i < bytes.count {
                bytes[place + i] = UInt8(truncatingIfNeeded: value >> UInt64(8 * i))
            }
        case 7:
            let other = originals[next(originals.count)]
            guard !other.isEmpty else { return }
            let from = next(other.count)
            bytes.insert(contentsOf: other[from..<min(other.count, from + 1 + next(128))], at: place)
        default: bytes[place] = UInt8(truncatingIfNeeded: next(256))
        }
    }
}
