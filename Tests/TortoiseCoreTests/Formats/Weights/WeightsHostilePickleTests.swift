import Foundation
import Testing

@testable import TortoiseCore

/// A pickle that means harm, and what the refusal must name.
struct HostilePickle: CustomTestStringConvertible, Sendable {
    let name: String
    let bytes: [UInt8]
    let reason: String
    var testDescription: String { name }

    init(_ name: String, _ pieces: Piece..., reason: String) {
        self.name = name
        bytes = pieces.flatMap(\.bytes)
        self.reason = reason
    }

    /// A part of a pickle: text or bytes.
    enum Piece: Sendable, ExpressibleByStringLiteral, ExpressibleByArrayLiteral {
        case text(String)
        case raw([UInt8])
        case repeated(String, Int)

        init(stringLiteral value: String) { self = .text(value) }
        init(arrayLiteral elements: UInt8...) { self = .raw(elements) }

        var bytes: [UInt8] {
            switch self {
            case .text(let text): Array(text.utf8)
            case .raw(let bytes): bytes
            case .repeated(let text, let count): Array(String(repeating: text, count: count).utf8)
            }
        }
    }
}

@Suite struct WeightsHostilePickleTests {
    /// Opens an archive with this pickle and one storage of 16 bytes, and reads all of it.
    private func open(_ pickle: [UInt8]) throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/hostile.pth"
            try AtomicFile.write(to: path) { file in
                var archive = ZipWriter(file)
                try archive.record("archive/data.pkl", pickle)
                try archive.record("archive/data/0", [UInt8](repeating: 7, count: 16))
                try archive.finish()
            }
            let reader = try TorchReader(path: path)
            for name in reader.names { _ = try reader.bytes(name) }
        }
    }

    /// `_rebuild_tensor_v2(FloatStorage of `count`, offset, shape, strides, …)` in text instructions.
    private static func tensor(
        count: String = "4", key: String = "0", offset: String = "0", shape: String = "I4\n", strides: String = "I1\n"
    ) -> HostilePickle.Piece {
        .text(
            "ctorch._utils\n_rebuild_tensor_v2\n((V"
                + "storage\nctorch\nFloatStorage\nV\(key)\nVcpu\nI\(count)\ntQI\(offset)\n"
                + "(\(shape)t(\(strides)tI00\nNtR.")
    }

    // MARK: - Code

    static let callers: [HostilePickle] = [
        .init("os.system", "cos\nsystem\n(Vid\ntR.", reason: "os.system"),
        .init(
            "posix.system", [0x80, 2], "cposix\nsystem\n", [0x58, 2, 0, 0, 0], "id", [0x85], "R.",
            reason: "posix.system"),
        .init("nt.system", "cnt\nsystem\n(Vid\ntR.", reason: "nt.system"),
        .init("eval", "c__builtin__\neval\n(V1\ntR.", reason: "__builtin__.eval"),
        .init(
            "exec by STACK_GLOBAL", [0x80, 4, 0x8C, 8], "builtins", [0x8C, 4], "exec", [0x93], ".",
            reason: "builtins.exec"),
        .init("getattr", "cbuiltins\ngetattr\n.", reason: "builtins.getattr"),
        .init(
            "dotted name", [0x80, 4, 0x8C, 5], "torch", [0x8C, 9], "os.system", [0x93], ".", reason: "torch.os.system"),
        .init("__import__", "cbuiltins\n__import__\n(Vos\ntR.", reason: "builtins.__import__"),
        .init("open", "cio\nopen\n(V/etc/passwd\ntR.", reason: "io.open"),
        .init("subprocess.Popen", "csubprocess\nPopen\n((lVid\natR.", reason: "subprocess.Popen"),
        .init("subprocess by OBJ", "(csubprocess\ncall\nVid\no.", reason: "subprocess.call"),
        .init("INST", "(Vid\nios\npopen\n.", reason: "os.popen"),
        .init("NEWOBJ", [0x80, 2], "cpty\nspawn\n)", [0x81], ".", reason: "pty.spawn"),
        .init(
            "NEWOBJ_EX", [0x80, 4], "ccollections\nOrderedDict\n)}(VK\nI1\nu", [0x92], ".",
            reason: "keyword arguments"),
        .init("importlib", "cimportlib\nimport_module\n(Vos\ntR.", reason: "importlib.import_module"),
        .init("runpy", "crunpy\nrun_path\n(Vx\ntR.", reason: "runpy.run_path"),
        .init("webbrowser", "cwebbrowser\nopen\n(Vhttp://x\ntR.", reason: "webbrowser.open"),
        .init("socket", "csocket\ncreate_connection\n.", reason: "socket.create_connection"),
        .init("torch.load", "ctorch.serialization\nload\n(Vx\ntR.", reason: "torch.serialization.load"),
        .init("torch.hub", "ctorch.hub\nload\n.", reason: "torch.hub.load"),
        .init("copyreg", "ccopyreg\n_reconstructor\n.", reason: "copyreg._reconstructor"),
        .init("operator.attrgetter", "coperator\nattrgetter\n.", reason: "operator.attrgetter"),
        .init("functools.partial", "cfunctools\npartial\n.", reason: "functools.partial"),
        .init(
            "numpy's runstring", "cnumpy.testing._private.utils\nrunstring\n.",
            reason: "numpy.testing._private.utils.runstring"),
        .init("a class of its own", "c__main__\nModel\n)R.", reason: "__main__.Model"),
        .init("extension registry", [0x82, 1], ".", reason: "extension registry"),
        .init("text persistent id", "Pos.system\n.", reason: "persistent id"),
        .init("foreign persistent id", "(Vmodule\nVx\ntQ.", reason: "persistent id that is no storage"),
        .init("out-of-band buffer", [0x80, 5, 0x97], ".", reason: "buffer outside"),
        .init("state of a tensor", tensorThenState, reason: "a state for a tensor"),
        .init("calls a string", "Vos.system\n(tR.", reason: "calls a string"),
        .init("calls a dictionary", "}(tR.", reason: "calls a dictionary"),
        .init("calls a storage class", "ctorch\nFloatStorage\n(I1\ntR.", reason: "torch.FloatStorage"),
        .init("calls an inert class", "cbuiltins\nint\n(I1\ntR.", reason: "builtins.int"),
        .init("encodes by another codec", "c_codecs\nencode\n(Vx\nVhex\ntR.", reason: "encoding other than latin1"),
    ]

    private static var tensorThenState: HostilePickle.Piece {
        .raw(tensor().bytes.dropLast() + Array("}b.".utf8))
    }

    @Test(arguments: callers) func refusesByName(_ pickle: HostilePickle) throws {
        #expect { try open(pickle.bytes) } throws: { ($0 as? InputError)?.problem.contains(pickle.reason) == true }
    }

    // MARK: - Damage

    static let bombs: [HostilePickle] = [
        .init("unknown instruction", [0x80, 2, 0xFF], reason: "0xff is no pickle instruction"),
        .init("protocol 6", [0x80, 6], "N.", reason: "protocol is 6"),
        .init("empty", reason: "ends before"),
        .init("stack underflow", "0.", reason: "empty stack"),
        .init("tuple of too few", "N", [0x87], ".", reason: "takes 3 values"),
        .init("pops below a mark", "N(R.", reason: "empty stack"),
        .init("no mark", "Nt.", reason: "mark that was never set"),
        .init("two values left", "NN.", reason: "ends with 2 values"),
        .init("unknown memo", "h\u{5}.", reason: "entry 5"),
        .init(
            "huge memo index", "N", [0x72, 0xFF, 0xFF, 0xFF, 0xFF], "0", [0x6A, 0xFE, 0xFF, 0xFF, 0xFF], ".",
            reason: "entry 4294967294"),
        .init("LONG4 of 2 GB", [0x8B, 0xFF, 0xFF, 0xFF, 0x7F], ".", reason: "2147483647 bytes"),
        .init("LONG4 of negative length", [0x8B, 0xFF, 0xFF, 0xFF, 0xFF], ".", reason: "-1 bytes"),
        .init("BINUNICODE8 of 2^62", [0x8D, 0, 0, 0, 0, 0, 0, 0, 0x40], ".", reason: "4611686018427387904 bytes"),
        .init(
            "BINUNICODE8 of 2^64 - 1", [0x8D, 255, 255, 255, 255, 255, 255, 255, 255], ".", reason: "no file can hold"),
        .init("BINBYTES8 of 2^63", [0x8E, 0, 0, 0, 0, 0, 0, 0, 0x80], ".", reason: "no file can hold"),
        .init("BINSTRING of negative length", "T", [0, 0, 0, 0x80], ".", reason: "-2147483648 bytes"),
        .init("list within itself", "]q", [0], "h", [0], "a.", reason: "contains itself"),
        .init("dictionary within itself", "}q", [0], "Va\nh", [0], "s.", reason: "contains itself"),
        .init("deep lists", .repeated("(", 100_000), .repeated("l", 100_000), ".", reason: "nested more than"),
        .init("deep tuples", "N", .raw([UInt8](repeating: 0x85, count: 200_000)), ".", reason: "nested more than"),
        .init("billion laughs", "]", .text(laughs), ".", reason: "larger than twice"),
        .init("memory beyond the file", .repeated("]", 400_000), ".", reason: "more memory"),
        .init("odd dictionary", "(I1\nd.", reason: "lacks its value"),
        .init("adds to a tuple", ")I1\na.", reason: "adds items to a tuple"),
        .init("text for a number", "Ix\n.", reason: "x is no value"),
        .init("line without end", "Vabc", reason: "end of a line"),
        .init("storage that is not there", tensor(key: "../0"), reason: "lacks storage ../0"),
        .init("storage of 2^62 elements", tensor(count: "4611686018427387904"), reason: "more than the file holds"),
        .init("storage larger than its record", tensor(count: "5"), reason: "should have 5 elements"),
        .init("shape beyond the storage", tensor(shape: "I5\n"), reason: "reaches out"),
        .init("negative offset", tensor(offset: "-1"), reason: "reaches out"),
        .init("offset that overflows", tensor(offset: "9223372036854775807"), reason: "reaches out"),
        .init("stride that overflows", tensor(shape: "I3\n", strides: "I9223372036854775807\n"), reason: "reaches out"),
        .init("negative stride", tensor(offset: "3", strides: "I-1\n"), reason: "reaches out"),
        .init("negative size", tensor(shape: "I-4\n"), reason: "negative or too large"),
        .init(
            "size that overflows", tensor(shape: "I4611686018427387904\nI4\n", strides: "I0\nI0\n"), reason: "too large"
        ),
        .init(
            "expansion beyond the file", tensor(shape: "I1000000\n", strides: "I0\n"), reason: "repeats its elements"),
        .init("axes without strides", tensor(strides: ""), reason: "1 axes and 0 strides"),
        .init(
            "array of too few bytes", "cnumpy\ndtype\n(Vf4\ntRp0\n0", .text(shortArray),
            reason: "does not have its bytes"),
        .init(
            "array without state", "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntVb\ntR.",
            reason: "never got its state"),
        .init("array of strings", "cnumpy\ndtype\n(VU8\ntR.", reason: "dtype U8"),
    ]

    /// Each of 60 lists holds the one before it twice.
    private static var laughs: String {
        "p0\n0" + (1...60).map { "(g\($0 - 1)\ng\($0 - 1)\nlp\($0)\n0" }.joined() + "g60\n"
    }

    private static var shortArray: String {
        "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntVb\ntR(I1\n(I1000000000\ntg0\nI00\nVabcd\ntb."
    }

    @Test(arguments: bombs) func refusesWithoutHarm(_ pickle: HostilePickle) throws {
        #expect { try open(pickle.bytes) } throws: { ($0 as? InputError)?.problem.contains(pickle.reason) == true }
    }

    /// The helper's own tensor is sound, so that the cases above fail for their own reason.
    @Test func acceptsTheTensorThatTheCasesBend() throws {
        try open(Self.tensor().bytes)
    }

    // MARK: - Archives and legacy files

    @Test func refusesABrokenArchive() throws {
        let archive = try goldenBytes("Weights/rootless.pth")
        let end = archive.count - 22
        func broken(_ change: (inout [UInt8]) -> Void) -> [UInt8] {
            var bytes = archive
            change(&bytes)
            return bytes
        }
        let cases: [([UInt8], String)] = [
            (broken { $0[end + 10] = 99 }, "claims 99 records"),
            (broken { $0[end + 16] ^= 1 }, "directory"),
            (broken { $0.replaceSubrange(end + 12..<end + 16, with: [255, 255, 255, 255]) }, "directory"),
            (broken { $0.append(0) }, "no directory at its end"),
            (broken { $0[0...] = [0x50, 0x4B, 3, 4] }, "no directory"),
            (broken { $0[2] = 9 }, "expected"),
        ]
        for (bytes, reason) in cases {
            try withTemporaryFile(bytes) { path in
                #expect { try TorchReader(path: path) } throws: { error in
                    "\(error)".contains(reason) || "\(error)".contains("none of torch.save") && reason == "expected"
                }
            }
        }
    }

    @Test func refusesABrokenLegacyFile() throws {
        let legacy = try goldenBytes("Weights/latents.pth")
        for (count, reason) in [
            (17, "ends before"), (legacy.count - 1, "a storage needs"), (legacy.count - 20, "storage"),
        ] {
            try withTemporaryFile(Array(legacy.prefix(count))) { path in
                #expect { try TorchReader(path: path) } throws: { "\($0)".contains(reason) }
            }
        }
    }
}
