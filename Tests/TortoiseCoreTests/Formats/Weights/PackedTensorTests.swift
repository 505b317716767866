import Foundation
import Testing

@testable import TortoiseCore

/// Tensors that files keep as int8 with scales.
@Suite struct PackedTensorTests {
    private func weights(_ shape: [Int]) -> Tensor {
        let random = RandomSource(seed: 5)["weights"]
        return Initializer.normal(standardDeviation: 0.3).values(shape, random)
    }

    private func write(_ tensors: [(name: String, tensor: Tensor)], as dtype: WeightDType, to path: String) throws {
        try ExportedWeights(try tensors.flatMap { try $0.tensor.stored($0.name, as: dtype) }).write(to: path)
    }

    /// Matrices, convolutions and rows that are no multiple of a block come back within half a step of their block.
    @Test(arguments: [[40, 70], [16, 8, 9], [1024, 1]])
    func comesBackWithinHalfAStep(shape: [Int]) throws {
        try withTemporaryFolder { folder in
            let path = folder + "/a.safetensors"
            let original = weights(shape)
            try write([("w", original)], as: .int8, to: path)
            let source = CheckpointSource(try openCheckpoint(path: path))
            #expect(source.names == ["w"])
            let read = try #require(try source.tensor("w"))
            #expect(read.shape == shape && read.dtype == .float32)
            let width = shape.dropFirst().reduce(1, *)
            let (a, b) = (original.values, read.values)
            for row in 0..<shape[0] {
                for start in stride(from: 0, to: width, by: 32) {
                    let block = (row * width + start)..<(row * width + min(start + 32, width))
                    let step = block.map { abs(a[$0]) }.max()! / 127
                    #expect(block.allSatisfy { abs(a[$0] - b[$0]) <= 0.501 * step })
                }
            }
        }
    }

    @Test func vectorsAndSmallTensorsStayFloat() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/a.safetensors"
            try write([("bias", weights([2048])), ("small", weights([8, 8]))], as: .int8, to: path)
            let reader = try openCheckpoint(path: path)
            #expect(Set(reader.names) == ["bias", "small"])
            #expect(reader.entries.values.allSatisfy { $0.dtype == .float32 })
        }
    }

    /// Packing what was unpacked changes nothing, so that files can go back and forth.
    @Test func packingAgainChangesNothing() throws {
        try withTemporaryFolder { folder in
            let (first, wide, second) = ("\(folder)/1.sft", "\(folder)/2.sft", "\(folder)/3.sft")
            try write([("w", weights([64, 64]))], as: .int8, to: first)
            try WeightFile.convert(first, to: wide, dtype: .float32)
            #expect(try openCheckpoint(path: wide).entries["w"]?.dtype == .float32)
            try WeightFile.convert(wide, to: second, dtype: .int8)
            #expect(try Data(contentsOf: URL(filePath: first)) == Data(contentsOf: URL(filePath: second)))
        }
    }

    @Test func otherIntegersAreIntegers() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/a.safetensors"
            let numbers = TensorSource([1, 2, 3, 4] as [Int8], dtype: .int8, shape: [2, 2])
            let scalar = TensorSource([5] as [Int8], dtype: .int8, shape: [])
            let none = TensorSource([], shape: [0, 0])
            try SafetensorsWriter.write([("n", numbers), ("s", scalar), ("s.scales", none)], to: path)
            let source = CheckpointSource(try openCheckpoint(path: path))
            #expect(Set(source.names) == ["n", "s", "s.scales"])
            for name in ["n", "s"] { #expect(try source.tensor(name)?.dtype == .int8) }
        }
    }

    @Test func scalesOfAnotherShapeAreAnError() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/a.safetensors"
            let numbers = TensorSource([Int8](repeating: 1, count: 64), dtype: .int8, shape: [1, 64])
            try SafetensorsWriter.write([("n", numbers), ("n.scales", TensorSource([1], shape: [1, 1]))], to: path)
            #expect {
                try CheckpointSource(try openCheckpoint(path: path)).tensor("n")
            } throws: {
                "\($0)".contains("needs scales [1, 2]")
            }
        }
    }

    @Test func otherTypesAreRefused() {
        #expect {
            try weights([8, 8]).stored("w", as: .int4)
        } throws: {
            "\($0)".contains("choose float32, float16, bfloat16 or int8")
        }
    }
}
