/// Draws to pixels: smooth lines, and text in a small font of its own.
struct RasterCanvas: PlotCanvas {
    private let width, height: Int
    /// Red, green and blue of every pixel.
    private var pixels: [UInt8]

    init(width: Int, height: Int) {
        (self.width, self.height) = (width, height)
        pixels = [UInt8](repeating: 255, count: width * height * 3)
    }

    private mutating func blend(_ x: Int, _ y: Int, _ color: PlotColor, _ share: Double) {
        guard x >= 0, y >= 0, x < width, y < height, share > 0 else { return }
        let place = (y * width + x) * 3
        for (offset, part) in [color.red, color.green, color.blue].enumerated() {
            let old = Double(pixels[place + offset])
            pixels[place + offset] = UInt8(clamping: Int((old + (Double(part) - old) * min(1, share)).rounded()))
        }
    }

    mutating func line(_ points: [(x: Double, y: Double)], color: PlotColor, width: Double) {
        for (a, b) in zip(points, points.dropFirst()) { segment(a, b, color, width) }
    }

    /// Every pixel near the segment, by its distance.
    private mutating func segment(
        _ a: (x: Double, y: Double), _ b: (x: Double, y: Double), _ color: PlotColor, _ width: Double
    ) {
        let reach = width / 2 + 1
        let (dx, dy) = (b.x - a.x, b.y - a.y)
        let squared = max(dx * dx + dy * dy, 1e-12)
        for y in Int(min(a.y, b.y) - reach)...Int(max(a.y, b.y) + reach) {
            for x in Int(min(a.x, b.x) - reach)...Int(max(a.x, b.x) + reach) {
                let (px, py) = (Double(x) + 0.5 - a.x, Double(y) + 0.5 - a.y)
                let along = min(1, max(0, (px * dx + py * dy) / squared))
                let (ex, ey) = (px - along * dx, py - along * dy)
                blend(x, y, color, width / 2 + 0.5 - (ex * ex + ey * ey).squareRoot())
            }
        }
    }

    mutating func text(_ text: String, x: Double, y: Double, color: PlotColor, endsThere: Bool) {
        let left = Int(x) - (endsThere ? text.count * SmallFont.advance : 0)
        for (index, character) in text.lowercased().enumerated() {
            for (row, bits) in SmallFont.rows(of: character).enumerated() {
                for column in 0..<SmallFont.width where bits >> (SmallFont.width - 1 - column) & 1 == 1 {
                    blend(left + index * SmallFont.advance + column, Int(y) - SmallFont.height + row, color, 1)
                }
            }
        }
    }

    // MARK: - PNG

    /// The picture as a PNG file (ISO/IEC 15948), without compression.
    var png: [UInt8] {
        var rows: [UInt8] = []
        rows.reserveCapacity((width * 3 + 1) * height)
        for y in 0..<height {
            rows.append(0)
            rows += pixels[y * width * 3..<(y + 1) * width * 3]
        }
        let header = Self.bigEndian(UInt32(width)) + Self.bigEndian(UInt32(height)) + [8, 2, 0, 0, 0]
        return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] + Self.chunk("IHDR", header)
            + Self.chunk("IDAT", Self.stored(rows))
            + Self.chunk("IEND", [])
    }

    private static func chunk(_ name: String, _ body: [UInt8]) -> [UInt8] {
        let content = Array(name.utf8) + body
        var sum = CRC32()
        content.withUnsafeBytes { sum.add($0) }
        return bigEndian(UInt32(body.count)) + content + bigEndian(sum.value)
    }

    /// A zlib stream (RFC 1950) of stored blocks.
    private static func stored(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = [0x78, 0x01]
        let limit = 65_535
        var start = 0
        repeat {
            let count = min(limit, bytes.count - start)
            let length = UInt16(count)
            result.append(start + count == bytes.count ? 1 : 0)
            result += [UInt8(length & 255), UInt8(length >> 8), UInt8(~length & 255), UInt8(~length >> 8)]
            result += bytes[start..<start + count]
            start += count
        } while start < bytes.count
        var (a, b): (UInt32, UInt32) = (1, 0)
        for byte in bytes {
            a = (a + UInt32(byte)) % 65_521
            b = (b + a) % 65_521
        }
        return result + bigEndian(b << 16 | a)
    }

    private static func bigEndian(_ value: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) }
    }
}

/// Letters of five by seven pixels; each row is five bits.
enum SmallFont {
    static let width = 5
    static let height = 7
    static let advance = 6

    static func rows(of character: Character) -> [UInt8] { glyphs[character] ?? [UInt8](repeating: 0, count: height) }

    private static let glyphs: [Character: [UInt8]] = [
        "0": [14, 17, 19, 21, 25, 17, 14], "1": [4, 12, 4, 4, 4, 4, 14], "2": [14, 17, 1, 6, 8, 16, 31],
        "3": [31, 2, 4, 2, 1, 17, 14],
        "4": [2, 6, 10, 18, 31, 2, 2], "5": [31, 16, 30, 1, 1, 17, 14], "6": [6, 8, 16, 30, 17, 17, 14],
        "7": [31, 1, 2, 4, 8, 8, 8],
        "8": [14, 17, 17, 14, 17, 17, 14], "9": [14, 17, 17, 15, 1, 2, 12], ".": [0, 0, 0, 0, 0, 12, 12],
        "-": [0, 0, 0, 31, 0, 0, 0],
        "+": [0, 4, 4, 31, 4, 4, 0], "_": [0, 0, 0, 0, 0, 0, 31], "/": [1, 1, 2, 4, 8, 16, 16],
        ":": [0, 12, 12, 0, 12, 12, 0],
        "a": [0, 0, 14, 1, 15, 17, 15], "b": [16, 16, 30, 17, 17, 17, 30], "c": [0, 0, 14, 16, 16, 17, 14],
        "d": [1, 1, 15, 17, 17, 17, 15],
        "e": [0, 0, 14, 17, 31, 16, 14], "f": [6, 9, 8, 28, 8, 8, 8], "g": [0, 15, 17, 17, 15, 1, 14],
        "h": [16, 16, 22, 25, 17, 17, 17],
        "i": [4, 0, 12, 4, 4, 4, 14], "j": [2, 0, 6, 2, 2, 18, 12], "k": [16, 16, 18, 20, 24, 20, 18],
        "l": [12, 4, 4, 4, 4, 4, 14],
        "m": [0, 0, 26, 21, 21, 17, 17], "n": [0, 0, 22, 25, 17, 17, 17], "o": [0, 0, 14, 17, 17, 17, 14],
        "p": [0, 0, 30, 17, 30, 16, 16],
        "q": [0, 0, 13, 19, 15, 1, 1], "r": [0, 0, 22, 25, 16, 16, 16], "s": [0, 0, 14, 16, 14, 1, 30],
        "t": [8, 8, 28, 8, 8, 9, 6],
        "u": [0, 0, 17, 17, 17, 19, 13], "v": [0, 0, 17, 17, 17, 10, 4], "w": [0, 0, 17, 17, 21, 21, 10],
        "x": [0, 0, 17, 10, 4, 10, 17],
        "y": [0, 0, 17, 17, 15, 1, 14], "z": [0, 0, 31, 2, 4, 8, 31],
    ]
}
