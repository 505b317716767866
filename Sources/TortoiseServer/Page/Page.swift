import Foundation
import TortoiseCore

/// The web page: one document with its style and its script, made of the files in `Resources`.
enum Page {
    private static let style = text(PackageResources.page_css)
    /// In the order in which they build on each other.
    private static let script =
        "'use strict';\n"
        + [
            PackageResources.core_js, PackageResources.audio_js, PackageResources.speak_js, PackageResources.voices_js,
            PackageResources.models_js, PackageResources.train_js, PackageResources.main_js,
        ].map(text).joined(separator: "\n")

    static let bytes = Array(
        text(PackageResources.page_html).replacing("{{style}}", with: style).replacing("{{script}}", with: script).utf8)

    /// Nothing is loaded from elsewhere, and no other script runs.
    static let policy = [
        "default-src 'none'", "script-src '\(hash(script))'", "style-src '\(hash(style))'", "connect-src 'self'",
        "media-src blob: data:", "img-src blob: data:", "base-uri 'none'", "form-action 'none'",
        "frame-ancestors 'none'",
    ].joined(separator: "; ")

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    private static func hash(_ text: String) -> String {
        var digest = SHA256()
        digest.add(Array(text.utf8))
        let hex = Array(digest.hex())
        let bytes = stride(from: 0, to: hex.count, by: 2).compactMap { UInt8(String(hex[$0...$0 + 1]), radix: 16) }
        return "sha256-\(Data(bytes).base64EncodedString())"
    }
}
