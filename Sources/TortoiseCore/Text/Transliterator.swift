import Foundation

/// Writes text of any script in ASCII.
///
/// Inside `exactRanges` (Latin, Greek, Cyrillic, punctuation, currency, symbols) the result equals Unidecode's, which
/// the original calls; it is found from the Unicode compatibility decomposition and a table of exceptions. Every other
/// script goes through Foundation's `Any-Latin` transform (ICU). A character with no rendering is left out and
/// reported.
public enum Transliterator {
    /// - Returns: ASCII text, and the characters that left nothing behind, in order of appearance.
    public static func transliterate(_ text: String) -> (text: String, dropped: [Unicode.Scalar]) {
        if text.utf8.allSatisfy({ $0 < 0x80 }) { return (text, []) }
        let renderings = exactRenderings
        var out: [UInt8] = []
        out.reserveCapacity(text.utf8.count)
        var dropped: [Unicode.Scalar] = []
        var foreign: [Unicode.Scalar] = []
        for scalar in text.unicodeScalars {
            if scalar.value < 0x80 {
                appendForeign(&foreign, to: &out, &dropped)
                out.append(UInt8(scalar.value))
            } else if let rendering = renderings.rendering(of: scalar) {
                appendForeign(&foreign, to: &out, &dropped)
                if rendering.isEmpty { dropped.append(scalar) }
                out.append(contentsOf: rendering)
            } else {
                // ICU's time grows with the square of the length, so long runs go through in parts.
                foreign.append(scalar)
                if foreign.count >= foreignRunLimit { appendForeign(&foreign, to: &out, &dropped) }
            }
        }
        appendForeign(&foreign, to: &out, &dropped)
        return (String(decoding: out, as: UTF8.self), dropped.filter { !isSilentMark($0) })
    }

    private static let foreignRunLimit = 64

    /// Combining marks, joiners and variation selectors only modify their neighbours: losing one loses no character.
    private static func isSilentMark(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark, .format: true
        default: false
        }
    }

    /// Appends a run of scalars outside the exact ranges.
    private static func appendForeign(
        _ run: inout [Unicode.Scalar], to out: inout [UInt8], _ dropped: inout [Unicode.Scalar]
    ) {
        guard let last = run.last else { return }
        var source = ""
        source.unicodeScalars.append(contentsOf: run)
        let latin = source.applyingTransform(StringTransform("Any-Latin; Latin-ASCII"), reverse: false) ?? source
        for scalar in latin.unicodeScalars {
            if scalar.value < 0x80 { out.append(UInt8(scalar.value)) } else { dropped.append(scalar) }
        }
        // Ideographs become words, so what follows must not stick to them.
        if last.properties.isIdeographic { out.append(UInt8(ascii: " ")) }
        run.removeAll()
    }
}
