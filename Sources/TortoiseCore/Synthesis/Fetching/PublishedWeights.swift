import Foundation

/// The published weights by the file names that every program looks for, and where they are.
public enum PublishedWeights {
    private static let original = "https://huggingface.co/jbetker/tortoise-tts-v2/resolve/main/.models/"
    private static let fast = "https://huggingface.co/Manmay/tortoise-tts/resolve/main/"

    /// File names with their addresses, in the order of their use.
    public static let files: [(name: String, address: String)] =
        [
            "autoregressive.pth", "diffusion_decoder.pth", "vocoder.pth", "clvp2.pth", "cvvp.pth", "rlg_auto.pth",
            "rlg_diffuser.pth", "classifier.pth",
        ].map { ($0, original + $0) } + [("hifidecoder.pth", fast + "hifidecoder.pth")]

    /// What speaking needs: the rest is fetched when it is named.
    public static let standard = ["autoregressive.pth", "diffusion_decoder.pth", "vocoder.pth", "clvp2.pth"]

    /// The address of a file, at a mirror when one is named.
    ///
    /// - Parameter mirror: Replaces everything before the file name.
    /// - Throws: `InputError.usage` for names that were not published.
    public static func address(of name: String, mirror: String?) throws -> String {
        guard let file = files.first(where: { $0.name == name }) else {
            let near = nearestNames(to: name, among: files.map(\.name), limit: 1).first
            throw InputError.usage(
                "no published file is called '\(name.prefix(60))'", at: "models fetch",
                try: near.map { "did you mean \($0)?" } ?? "there are \(files.map(\.name).joined(separator: ", "))")
        }
        guard let mirror, !mirror.isEmpty else { return file.address }
        return (mirror.hasSuffix("/") ? mirror : mirror + "/") + name
    }
}

/// What is known of fetched files: `pins.json` beside them, written when a file first arrived.
struct WeightPins {
    struct Pin: Equatable {
        var sha256: String
        var bytes: Int
    }

    private let path: String
    private(set) var pins: [String: Pin] = [:]

    init(folder: String) throws {
        path = folder + "/pins.json"
        guard let data = FileManager.default.contents(atPath: path) else { return }
        guard case .object(let members) = try JSONValue(parsing: data, at: path) else {
            throw InputError.model("expected an object", at: path, try: "remove the file: it is written anew")
        }
        for member in members {
            guard let sum = member.value["sha256"]?.stringValue, let bytes = member.value["bytes"]?.integerValue else {
                continue
            }
            pins[member.key] = Pin(sha256: sum, bytes: bytes)
        }
    }

    mutating func add(_ name: String, _ pin: Pin) throws {
        pins[name] = pin
        let lines = pins.sorted { $0.key < $1.key }.map {
            "  \(JSONValue.quoted($0.key)): {\"sha256\": \(JSONValue.quoted($0.value.sha256)), \"bytes\": \($0.value.bytes)}"
        }
        try AtomicFile.write(to: path) { try $0.write(Array("{\n\(lines.joined(separator: ",\n"))\n}\n".utf8)) }
    }
}

/// Fetches published weights into a folder: resumable, checked, complete or absent.
public struct WeightFetcher: Sendable {
    private let folder: String
    private let mirror: String?
    private let patience: Double

    /// - Parameters:
    ///   - mirror: nil takes the publishers' addresses; `TORTOISE_MIRROR` is read by the program.
    ///   - patience: Seconds without a byte after which a transfer is tried again.
    public init(folder: String, mirror: String?, patience: Double = 30) {
        (self.folder, self.mirror, self.patience) = (folder, mirror, patience)
    }

    /// Fetches one file, or sees that the one that is there is whole.
    ///
    /// - Parameters:
    ///   - isOffline: Only looks at what is there.
    ///   - progress: Bytes that are there and in all; throws to stop, after which the same call goes on.
    /// - Returns: The file's path and SHA-256, and whether it was there before.
    /// - Throws: `InputError.model` saying what was wrong with the transfer or the file.
    public func fetch(
        _ name: String, isOffline: Bool, progress: (_ done: Int, _ total: Int) throws -> Void
    ) throws -> (path: String, sha256: String, wasThere: Bool) {
        let address = try PublishedWeights.address(of: name, mirror: mirror)
        let path = "\(folder)/\(name)"
        var pins = try WeightPins(folder: folder)
        if FileManager.default.fileExists(atPath: path) {
            let sum = try SHA256.hex(ofFile: path)
            if let pin = pins.pins[name], pin.sha256 != sum {
                throw InputError.model(
                    "is not the file that was fetched: its SHA-256 is \(sum), it was \(pin.sha256)", at: path,
                    try: "remove it and fetch it again")
            }
            return (path, sum, true)
        }
        guard !isOffline else { throw InputError.model("is not there, and --offline was given", at: path) }
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw InputError.model("the folder cannot be made: \(error.localizedDescription)", at: folder)
        }
        let part = path + ".part"
        let transfer = try ResumableDownload(address: address, part: part, patience: patience).run(progress)
        let sum = try SHA256.hex(ofFile: part)
        let expected = pins.pins[name]?.sha256 ?? transfer.announcedSHA256
        guard expected == nil || expected == sum else {
            unlink(part)
            throw InputError.model(
                "what arrived is not what was expected: SHA-256 \(sum), not \(expected ?? "")", at: address,
                try: "fetch again; if it stays so, the publisher or the mirror has changed the file")
        }
        guard rename(part, path) == 0 else {
            throw InputError.model("cannot be given its name: \(String(cString: strerror(errno)))", at: path)
        }
        if pins.pins[name] == nil { try pins.add(name, .init(sha256: sum, bytes: transfer.bytes)) }
        return (path, sum, false)
    }
}
