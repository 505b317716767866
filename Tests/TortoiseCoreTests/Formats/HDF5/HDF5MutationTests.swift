import Foundation
import Testing

@testable import TortoiseCore

/// Our own files carry checksums on all their structure, so damage is found wherever it falls. Files of older formats (h5py's
/// default) have none, and libhdf5 itself crashes on some damaged ones: a child process reads them.
@Suite struct HDF5MutationTests {
    @Test(.timeLimit(.minutes(1))) func damagedDatasetsNeverTrap() throws {
        let original = try Array(Data(contentsOf: golden("HDF5/dataset.h5")))
        try expectNoTrap(original, rounds: 300, seed: 21, dense: 0..<original.count) { mapped in
            let file = try DatasetFile(path: mapped.path)
            _ = try file.utterances(in: 0..<min(file.count, 5), verifying: true)
            _ = try file.codeCounts()
        }
    }

    @Test(.timeLimit(.minutes(1))) func damagedLZFNeverTraps() throws {
        try withTemporaryPath { path in
            let values = ramp(4_000).map { UInt8($0 % 7) }
            do {
                let dataset = try HDF5File.create(path).root.createDataset(
                    "a", UInt8.self, rows: 4_000, chunkRows: 500, compression: .lzf)
                try dataset.write(values, fromRow: 0)
            }
            let original = try Array(Data(contentsOf: URL(filePath: path)))
            try expectNoTrap(original, rounds: 300, seed: 23, dense: 0..<original.count) { mapped in
                _ = try HDF5File.open(mapped.path).root.dataset("a").read(UInt8.self)
            }
        }
    }

    @Test func theLibraryBreaksOnDamagedHeapsInAChild() throws {
        try withTemporaryPath { path in
            var bytes = try Array(Data(contentsOf: golden("HDF5/python.h5")))
            for (place, value) in [(1131, 0o257), (2361, 0o40), (4025, 0o147), (12780, 0o200)] {
                bytes[place] = UInt8(value)
            }
            try Data(bytes).write(to: URL(filePath: path))
            let error = #expect(throws: InputError.self) { try PythonDatasetFile.read(path) { _ in } }
            #expect(error?.problem.contains("the HDF5 library crashes") == true)
        }
    }

    @Test(.timeLimit(.minutes(1))) func damagedPythonDatasetsNeverTrap() throws {
        let original = try Array(Data(contentsOf: golden("HDF5/python.h5")))
        try expectNoTrap(original, rounds: 300, seed: 22, dense: 0..<original.count) { mapped in
            try PythonDatasetFile.read(mapped.path) { _ in }
        }
    }

    @Test(arguments: ["dataset.h5", "python.h5", "arrays.h5"]) func filesCutShortAreRefused(name: String) throws {
        let original = try Array(Data(contentsOf: golden("HDF5/\(name)")))
        try withTemporaryPath { path in
            for length in stride(from: 0, to: original.count, by: 499) {
                try Data(original[..<length]).write(to: URL(filePath: path))
                #expect(throws: InputError.self) { try HDF5File.open(path) }
                #expect(throws: InputError.self) { try DatasetFile(path: path) }
                #expect(throws: InputError.self) { try DatasetWriter(appendingTo: path) }
            }
        }
    }
}
