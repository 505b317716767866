import Foundation
import Testing

@testable import TortoiseCore

@Suite struct HDF5ContentsTests {
    private func items(_ name: String) throws -> [HDF5Contents.Item] {
        let contents = try HDF5Contents(of: golden("HDF5/\(name)").path)
        var items: [HDF5Contents.Item] = []
        while let item = try contents.next() { items.append(item) }
        #expect(try contents.next() == nil)
        return items
    }

    @Test func everythingIsHandedOver() throws {
        let items = try items("arrays.h5")
        for (name, count) in [
            ("lzf_int16", 5000), ("gzip_uint16", 5000), ("contiguous_int64", 300), ("big_endian_int32", 300),
            ("chunked_uint8", 3000),
        ] { #expect(items.contains(.integers(name, ramp(count).map(Int32.init)))) }
        let deep = try #require(items.firstIndex(of: .group("deep")))
        #expect(items.first == .group("/") && items.last == .groupEnd)
        #expect(items[deep + 1] == .group("er"))
        let attributes = items[(deep + 2)...].prefix { $0 != .groupEnd }
        #expect(attributes.count == 4)
        for attribute: HDF5Contents.Item in [
            .textAttribute("text", "é"), .textAttribute("fixed", "bytes"), .numberAttribute("whole", 42),
            .numberAttribute("real", 2.5),
        ] { #expect(attributes.contains(attribute)) }
    }

    @Test func whatCannotBeReadIsNamed() throws {
        let items = try items("arrays.h5")
        for name in ["float64", "text_list", "lzf_shuffle_float32"] {
            #expect(items.contains(.fault(name, why: "it is neither whole numbers nor one text")))
        }
        #expect(
            items.contains(
                .fault("unknown_filter", why: "it is packed with filter 32001; known are gzip, shuffle and lzf")))
    }

    /// The library would read on behind what it unpacked.
    @Test func chunksThatAreTooShortAreRefused() throws {
        let why = "what is stored of this array is not what its shape takes"
        let names = ["fletcher", "gzip", "gzip_endless", "gzip_skipped", "lzf_skipped", "shuffle"]
        #expect(try items("short.h5") == [.group("/")] + names.map { .fault($0, why: why) } + [.groupEnd])
    }

    @Test func aReaderMayStopEarly() throws {
        for _ in 0..<20 {
            let contents = try HDF5Contents(of: golden("HDF5/python.h5").path)
            #expect(try contents.next() == .group("/"))
        }
    }

    @Test func badFilesAreNamed() throws {
        #expect { try HDF5Contents(of: "/none.h5") } throws: { "\($0)".contains("cannot open the file") }
        #expect { try HDF5Contents(of: golden("Audio/signal-int16.wav").path) } throws: {
            "\($0)".contains("expected an HDF5 file")
        }
        try withTemporaryPath { path in
            let whole = try Data(contentsOf: golden("HDF5/python.h5"))
            try whole.prefix(1_000).write(to: URL(filePath: path))
            let item = try HDF5Contents(of: path).next()
            guard case .fault("", let why)? = item else { return #expect(Bool(false), "\(String(describing: item))") }
            #expect(why.contains("truncated"))
        }
    }
}
