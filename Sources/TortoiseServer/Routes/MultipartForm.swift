import Foundation
import TortoiseCore

/// The fields and files of a `multipart/form-data` body (RFC 7578), read under limits.
struct MultipartForm {
    struct Part {
        let name: String
        /// What the sender calls the file; nil for a field. Never a path here.
        let fileName: String?
        let content: ArraySlice<UInt8>
    }

    let parts: [Part]

    /// Parts of one body, and bytes of one part's headers.
    private static let mostParts = 64
    private static let mostHeaderBytes = 4_096

    /// - Parameters:
    ///   - contentType: The header, which has the boundary.
    /// - Throws: `ServerError` for bodies that are no form.
    init(_ body: [UInt8], contentType: String) throws {
        let boundary = try Self.boundary(contentType)
        let delimiter = Array("--\(boundary)".utf8)
        guard body.starts(with: delimiter) else { throw Self.fault("it does not begin with its boundary") }
        var parts: [Part] = []
        var position = delimiter.count
        let next = Array("\r\n".utf8) + delimiter
        while true {
            if body[position...].starts(with: Array("--".utf8)) { break }
            guard body[position...].starts(with: Array("\r\n".utf8)) else {
                throw Self.fault("a boundary is not followed by a line's end")
            }
            position += 2
            guard parts.count < Self.mostParts else { throw Self.fault("it has more than \(Self.mostParts) parts") }
            guard
                let headerEnd = Self.find(
                    Array("\r\n\r\n".utf8), in: body, from: position, within: Self.mostHeaderBytes)
            else { throw Self.fault("a part's headers have no end, or are too long") }
            let headers = String(decoding: body[position..<headerEnd], as: UTF8.self)
            let start = headerEnd + 4
            guard let end = Self.find(next, in: body, from: start, within: body.count) else {
                throw Self.fault("its last boundary is missing")
            }
            parts.append(try Self.part(headers, body[start..<end]))
            position = end + next.count
            guard position + 2 <= body.count else { throw Self.fault("its last boundary is cut off") }
        }
        self.parts = parts
    }

    /// The text of a field; nil when it is not there.
    func text(_ name: String) throws -> String? {
        guard let part = parts.first(where: { $0.name == name && $0.fileName == nil }) else { return nil }
        guard part.content.count <= 4_096, let text = String(validating: part.content, as: UTF8.self) else {
            throw ServerError(400, "expected a short text in UTF-8", parameter: name)
        }
        return text
    }

    var files: [Part] { parts.filter { $0.fileName != nil } }

    private static func fault(_ what: String) -> ServerError {
        ServerError(400, "the form cannot be read: \(what)", code: "malformed_form")
    }

    private static func boundary(_ contentType: String) throws -> String {
        let pieces = contentType.split(separator: ";").map { $0.trimmingCharacters(in: .whitespaces) }
        guard pieces.first?.lowercased() == "multipart/form-data" else {
            throw ServerError(415, "expected multipart/form-data", code: "unsupported_media_type")
        }
        let named = pieces.first { $0.lowercased().hasPrefix("boundary=") }.map { String($0.dropFirst(9)) } ?? ""
        let boundary = named.trimmingCharacters(in: CharacterSet(charactersIn: "\""))
        guard (1...70).contains(boundary.utf8.count), boundary.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
            throw fault("its boundary is missing")
        }
        return boundary
    }

    private static func part(_ headers: String, _ content: ArraySlice<UInt8>) throws -> Part {
        let lines = headers.components(separatedBy: "\r\n")
        guard let line = lines.first(where: { $0.lowercased().hasPrefix("content-disposition:") }),
            line.lowercased().contains("form-data"), let name = parameter("name", of: line), !name.isEmpty
        else { throw fault("a part has no name") }
        return Part(name: name, fileName: parameter("filename", of: line).map(displayName), content: content)
    }

    private static func parameter(_ name: String, of line: String) -> String? {
        guard let start = line.range(of: "; \(name)=\"") ?? line.range(of: ";\(name)=\"") else { return nil }
        return String(line[start.upperBound...].prefix { $0 != "\"" })
    }

    /// The last part of what may be a path, short and printable: for people to read, nothing else.
    static func displayName(_ name: String) -> String {
        let last = name.split(whereSeparator: { $0 == "/" || $0 == "\\" }).last.map(String.init) ?? ""
        let printable = String(
            last.unicodeScalars.filter {
                !$0.properties.isDefaultIgnorableCodePoint && $0.value >= 0x20 && $0.value != 0x7F
            })
        return printable.isEmpty ? "recording" : String(printable.prefix(80))
    }

    private static func find(_ pattern: [UInt8], in bytes: [UInt8], from start: Int, within limit: Int) -> Int? {
        let end = min(bytes.count, start + limit) - pattern.count
        guard start <= end else { return nil }
        return bytes.withUnsafeBytes { bytes in
            pattern.withUnsafeBytes { pattern in
                guard let base = bytes.baseAddress, let wanted = pattern.baseAddress else { return nil }
                var position = start
                while position <= end,
                    let found = memchr(base + position, Int32(pattern[0]), end + 1 - position)
                {
                    if memcmp(found, wanted, pattern.count) == 0 { return UnsafeRawPointer(found) - base }
                    position = UnsafeRawPointer(found) - base + 1
                }
                return nil
            }
        }
    }
}
