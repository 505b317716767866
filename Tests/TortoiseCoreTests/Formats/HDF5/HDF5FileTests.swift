import Foundation
import Testing

@testable import TortoiseCore

/// A path for a file of this test, removed by `body`'s caller.
func withTemporaryPath<Result>(_ suffix: String = "h5", _ body: (String) throws -> Result) throws -> Result {
    let path = FileManager.default.temporaryDirectory.appending(path: "tortoise-\(UUID().uuidString).\(suffix)").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try body(path)
}

/// The ramp that fills the arrays of Tools/goldens/hdf5.py.
func ramp(_ count: Int) -> [Int] { (0..<count).map { ($0 * 7919 + 13) % 251 } }

@Suite struct HDF5FileTests {
    private func arrays() throws -> HDF5Group { try HDF5File.open(golden("HDF5/arrays.h5").path).root }

    @Test func arraysOfH5pyReadExactly() throws {
        let root = try arrays()
        #expect(try root.dataset("lzf_int16").read(Int16.self) == ramp(5000).map(Int16.init))
        #expect(try root.dataset("lzf_int16").read(Int16.self, rows: 650..<1450) == ramp(1450)[650...].map(Int16.init))
        #expect(try root.dataset("gzip_uint16").read(UInt16.self) == ramp(5000).map(UInt16.init))
        #expect(try root.dataset("lzf_shuffle_float32").read(Float.self) == ramp(3200).map(Float.init))
        #expect(
            try root.dataset("lzf_shuffle_float32").read(Float.self, rows: 29..<32) == ramp(512)[464...].map(Float.init)
        )
        #expect(try root.dataset("lzf_shuffle_float32").shape() == [200, 16])
        #expect(try root.dataset("contiguous_int64").read(Int64.self) == ramp(300).map(Int64.init))
        #expect(try root.dataset("big_endian_int32").read(Int32.self) == ramp(300).map(Int32.init))
        #expect(
            try root.dataset("chunked_uint8").read(UInt8.self, rows: 2990..<3000) == ramp(3000)[2990...].map(UInt8.init)
        )
        #expect(try root.dataset("float64").read(Double.self) == ramp(100).map(Double.init))
        // What LZF cannot shrink is stored as it is.
        let noise = try root.dataset("lzf_noise_uint32").read(UInt32.self)
        #expect(noise.count == 2000 && Set(noise).count > 1990)
    }

    @Test func attributesOfH5py() throws {
        let group = try arrays().group("deep").group("er")
        #expect(try group.text(attribute: "fixed") == "bytes")
        #expect(try group.number(attribute: "whole") == 42)
        #expect(try group.number(attribute: "real") == 2.5)
        #expect(try group.text(attribute: "nothing") == nil)
        #expect(throws: InputError.self) { try group.number(attribute: "list") }
        #expect(throws: InputError.self) { try group.number(attribute: "none") }
        #expect(throws: InputError.self) { try group.number(attribute: "text") }
        #expect(throws: InputError.self) { try group.text(attribute: "whole") }
        // Text of variable length lies in a heap without checksums.
        #expect(throws: InputError.self) { try group.text(attribute: "text") }
    }

    @Test func wrongRequestsSayWhatIsThere() throws {
        let root = try arrays()
        func message(_ body: () throws -> Void) -> String {
            do {
                try body()
                return ""
            } catch { return "\(error)" }
        }
        #expect(message { _ = try root.dataset("lzf_int61") }.contains("did you mean 'lzf_int16'?"))
        #expect(message { _ = try root.dataset("deep") }.contains("cannot open the dataset"))
        #expect(message { _ = try root.group("lzf_int16") }.contains("cannot open the group"))
        #expect(
            message { _ = try root.dataset("lzf_int16").read(Float.self) }.contains(
                "expected Float elements, found int16"))
        #expect(
            message { _ = try root.dataset("lzf_int16").read(UInt16.self) }.contains(
                "expected UInt16 elements, found int16"))
        #expect(message { _ = try root.dataset("text_list").read(UInt8.self) }.contains("found text"))
        #expect(
            message { _ = try root.dataset("float64").read(Double.self, rows: 99..<101) }.contains(
                "expected at least 101 rows, found 100"))
        #expect(message { _ = try HDF5File.open("/none.h5") }.contains("cannot open the file"))
        #expect(
            message { _ = try HDF5File.open(golden("Audio/signal-int16.wav").path) }.contains("expected an HDF5 file"))
        #expect(message { _ = try HDF5File.open("/") }.contains("folder"))
        #expect(message { _ = try HDF5File.open(golden("HDF5/short.h5").path) }.contains("found another HDF5 file"))
    }

    @Test(arguments: [HDF5Dataset.Compression.none, .deflate(1), .deflate(9), .lzf])
    func whatIsWrittenIsRead(compression: HDF5Dataset.Compression) throws {
        try withTemporaryPath { path in
            let floats: [Float] =
                ramp(5000).map { Float($0) / 8 } + [
                    .nan, .infinity, -0.0, .leastNonzeroMagnitude, .greatestFiniteMagnitude,
                ]
            do {
                let root = try HDF5File.create(path).root
                let flat = try root.createDataset("flat", Float.self, chunkRows: 100, compression: compression)
                try flat.resize(rows: 3000)
                try flat.write(Array(floats[..<3000]), fromRow: 0)
                try flat.resize(rows: floats.count)
                try flat.write(Array(floats[3000...]), fromRow: 3000)
                let rows = try root.createGroup("g").createDataset(
                    "rows", Int64.self, rows: 7, width: 3, chunkRows: 2, compression: compression)
                try rows.write([1, 2, 3, 4, 5, 6], fromRow: 5)
                try rows.set("note", attribute: "é")
                try root.set("text\n日", attribute: "t")
                try root.set("again", attribute: "t")
                try root.set(-5, attribute: "n")
            }
            let root = try HDF5File.open(path).root
            let read = try root.dataset("flat").read(Float.self)
            #expect(read.map(\.bitPattern) == floats.map(\.bitPattern))
            #expect(try root.dataset("g/rows").read(Int64.self, rows: 4..<7) == [0, 0, 0, 1, 2, 3, 4, 5, 6])
            #expect(try root.dataset("g/rows").text(attribute: "é") == "note")
            #expect(try root.text(attribute: "t") == "again")
            #expect(try root.number(attribute: "n") == -5)
            #expect(try root.names() == ["flat", "g"])
            #expect(throws: InputError.self) { try HDF5File.create(path) }
        }
    }

    @Test func hostileShapesTakeNoMemory() throws {
        try withTemporaryPath { path in
            let file = try HDF5File.create(path)
            for (name, compression) in [("plain", HDF5Dataset.Compression.none), ("packed", .deflate(1))] {
                let dataset = try file.root.createDataset(
                    name, Float.self, width: 1 << 10, chunkRows: 1, compression: compression)
                try dataset.resize(rows: 1 << 50)
                #expect(throws: InputError.self) { try dataset.read(Float.self) }
                #expect(throws: InputError.self) { try dataset.read(Float.self, rows: 0..<1 << 30) }
                // A quarter of a gigabyte that is nowhere in the file.
                #expect(throws: InputError.self) { try dataset.read(Float.self, rows: 0..<1 << 16) }
                #expect(try dataset.read(Float.self, rows: 1 << 49..<(1 << 49) + 2).allSatisfy { $0 == 0 })
            }
            #expect(throws: InputError.self) {
                _ = try file.root.createDataset("chunk", Float.self, width: 1 << 20, chunkRows: 1 << 10)
            }
        }
    }

    @Test func anUnknownFilterIsNamed() throws {
        let error = #expect(throws: InputError.self) { _ = try arrays().dataset("unknown_filter") }
        #expect(error?.problem.contains("filter 32001") == true)
    }
}
