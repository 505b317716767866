import Foundation
import Testing

@testable import TortoiseCore

@Suite struct PhiloxTests {
    /// Random123's known answers for philox4x32-10: counter, key, result.
    @Test(
        arguments: [
            ([0, 0, 0, 0], [0, 0], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
            (
                [0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff], [0xffff_ffff, 0xffff_ffff],
                [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
            ),
            (
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0],
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
            ),
        ] as [([UInt64], [UInt64], [UInt32])])
    func knownAnswers(counter: [UInt64], key: [UInt64], result: [UInt32]) {
        let stream = PhiloxStream(key: key[0] | key[1] << 32, counter: counter[2] | counter[3] << 32)
        let block = stream.block(counter[0] | counter[1] << 32)
        #expect((0..<4).map { block[$0] } == result)
    }

    @Test func numbersByPosition() {
        let stream = RandomSource(seed: 9)["numbers"].stream
        let uniforms = stream.uniforms(11)
        for i in 0..<11 { #expect(uniforms[i] == Float(stream[i] >> 8) * 0x1p-24) }
        #expect(stream.uniforms(5) == Array(uniforms.prefix(5)))
        #expect(stream.normals(7) == Array(stream.normals(1_000).prefix(7)))
        #expect(stream.uniforms(0).isEmpty && stream.normals(0).isEmpty)
    }

    @Test func uniformsAreEven() {
        let values = RandomSource(seed: 1).stream.uniforms(200_000)
        #expect(values.allSatisfy { $0 >= 0 && $0 < 1 })
        var counts = [Int](repeating: 0, count: 100)
        for value in values { counts[Int(value * 100)] += 1 }
        // χ² of 99 degrees of freedom: 99 ± 5 standard deviations of √198.
        let chiSquared = counts.reduce(0.0) { $0 + pow(Double($1) - 2_000, 2) / 2_000 }
        #expect(chiSquared > 29 && chiSquared < 170)
    }

    @Test func normalsHaveTheirMoments() {
        let values = RandomSource(seed: 2).stream.normals(400_001).map(Double.init)
        let count = Double(values.count)
        func moment(_ power: Double) -> Double { values.reduce(0) { $0 + pow($1, power) } / count }
        // Within five standard deviations of each estimate.
        #expect(abs(moment(1)) < 5 * (1 / count).squareRoot())
        #expect(abs(moment(2) - 1) < 5 * (2 / count).squareRoot())
        #expect(abs(moment(3)) < 5 * (15 / count).squareRoot())
        #expect(abs(moment(4) - 3) < 5 * (96 / count).squareRoot())
        let correlation = zip(values, values.dropFirst()).reduce(0) { $0 + $1.0 * $1.1 } / count
        #expect(abs(correlation) < 5 / count.squareRoot())
    }

    @Test func sourcesPartWays() {
        let root = RandomSource(seed: 7)
        let streams = [
            root, root["a"], root["b"], root["ab"], root["a"]["b"], root["ba"], root[0], root[1], root[-1], root[0][1],
            root[1][0],
            root["0"], root[""], RandomSource(seed: 8), RandomSource(seed: 8)["a"],
        ].map(\.stream)
        for i in streams.indices {
            for j in streams.indices where j > i {
                #expect(streams[i].uniforms(2) != streams[j].uniforms(2), "\(i), \(j)")
            }
        }
        #expect(root["a"][3].stream == RandomSource(seed: 7)["a"][3].stream)
    }
}
