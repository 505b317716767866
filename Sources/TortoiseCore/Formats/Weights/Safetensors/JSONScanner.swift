/// Reads strict JSON of a known schema, piece by piece; keeps every key and accepts only unsigned integers as numbers.
struct JSONScanner {
    private(set) var cursor: ByteCursor

    init(_ bytes: UnsafeRawBufferPointer, of place: String) {
        cursor = ByteCursor(bytes, of: place)
    }

    /// Reads an object; the closure must read the value of the key it is given.
    mutating func object(_ value: (inout JSONScanner, String) throws -> Void) throws {
        try expect("{")
        if takeIf("}") { return }
        repeat {
            let key = try string()
            try expect(":")
            try value(&self, key)
        } while takeIf(",")
        try expect("}")
    }

    /// Reads an array of integers from 0 to `Int.max`.
    mutating func integers(limit: Int) throws -> [Int] {
        var values: [Int] = []
        try expect("[")
        if takeIf("]") { return values }
        repeat {
            guard values.count < limit else { throw malformed("an array of the header has more than \(limit) items") }
            values.append(try integer())
        } while takeIf(",")
        try expect("]")
        return values
    }

    /// Reads a string.
    mutating func string() throws -> String {
        try expect("\"")
        let start = cursor.position
        cursor.skip { $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") && $0 >= 0x20 }
        if cursor.next == UInt8(ascii: "\"") {
            // No escape, which is the usual case: one piece.
            let text = try utf8(from: start, to: cursor.position)
            cursor.skipOne()
            return text
        }
        var text = ""
        var pieceStart = start
        while true {
            cursor.skip { $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") && $0 >= 0x20 }
            text += try utf8(from: pieceStart, to: cursor.position)
            let byte = try cursor.byte("the end of a string")
            if byte == UInt8(ascii: "\"") { return text }
            guard byte == UInt8(ascii: "\\") else { throw malformed("a string of the header has a control character") }
            text.unicodeScalars.append(try escape())
            pieceStart = cursor.position
        }
    }

    /// Checks that only spaces follow.
    mutating func end() throws {
        skipSpaces()
        guard cursor.isAtEnd else { throw malformed("text follows the header's last brace") }
    }

    func malformed(_ problem: String) -> InputError {
        cursor.malformed("\(problem) (byte \(cursor.position) of the header)")
    }

    private mutating func integer() throws -> Int {
        skipSpaces()
        let start = cursor.position
        var value = 0
        while let byte = cursor.next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
            let (tens, tensOverflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflow) = tens.addingReportingOverflow(Int(byte - UInt8(ascii: "0")))
            guard !tensOverflow && !overflow else { throw malformed("a number of the header exceeds 64 bits") }
            value = sum
            cursor.skipOne()
        }
        let digits = cursor.position - start
        guard digits > 0 else { throw malformed("expected an unsigned integer") }
        guard digits == 1 || cursor.bytes[start] != UInt8(ascii: "0") else {
            throw malformed("a number of the header starts with 0")
        }
        return value
    }

    private mutating func escape() throws -> Unicode.Scalar {
        let byte = try cursor.byte("the end of an escape")
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"):
            let unit = try hexadecimal()
            if let scalar = Unicode.Scalar(unit) { return scalar }
            guard unit < 0xDC00, try cursor.byte("a surrogate") == UInt8(ascii: "\\"),
                try cursor.byte("a surrogate") == UInt8(ascii: "u")
            else { throw malformed("a string of the header has half a surrogate pair") }
            let low = try hexadecimal()
            guard (0xDC00...0xDFFF).contains(low),
                let scalar = Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))
            else { throw malformed("a string of the header has half a surrogate pair") }
            return scalar
        default: throw malformed("a string of the header has an unknown escape")
        }
    }

    private mutating func hexadecimal() throws -> UInt32 {
        var value: UInt32 = 0
        for byte in try cursor.take(4, "an escape") {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw malformed("an escape of the header is not hexadecimal")
            }
            value = value << 4 | UInt32(digit)
        }
        return value
    }

    private func utf8(from start: Int, to end: Int) throws -> String {
        guard let text = String(validating: cursor.bytes[start..<end], as: UTF8.self) else {
            throw malformed("a string of the header is not UTF-8")
        }
        return text
    }

    private mutating func skipSpaces() {
        cursor.skip { $0 == 0x20 || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 }
    }

    private mutating func takeIf(_ character: Unicode.Scalar) -> Bool {
        skipSpaces()
        guard let next = cursor.next, UInt32(next) == character.value else { return false }
        cursor.skipOne()
        return true
    }

    private mutating func expect(_ character: Unicode.Scalar) throws {
        guard takeIf(character) else { throw malformed("expected \(character)") }
    }
}
