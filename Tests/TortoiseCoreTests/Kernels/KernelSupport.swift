import CKernels
import Testing

/// The instruction sets that this processor has, each with its table of kernels.
enum KernelSet: UInt32, CaseIterable, CustomTestStringConvertible {
    case scalar, avx2, avx512

    var table: tk_table? { tk_table_for(tk_isa(rawValue))?.pointee }
    var testDescription: String { "\(self)" }

    static let present = allCases.filter { $0.table != nil }
}

/// Lengths around the widths of vectors and the blocks of the kernels.
let oddSizes = [0, 1, 3, 7, 8, 9, 15, 16, 17, 31, 33, 63, 100, 1000, 4099]

/// Floats that lie between guard values, at an address that no vector width divides.
final class GuardedFloats {
    private static let margin = 17
    private static let guardValue: Float = -12_345.678
    private let storage: UnsafeMutableBufferPointer<Float>
    let count: Int

    init(_ values: [Float]) {
        count = values.count
        storage = .allocate(capacity: count + 2 * Self.margin)
        storage.initialize(repeating: Self.guardValue)
        for (index, value) in values.enumerated() { pointer[index] = value }
    }

    deinit { storage.deallocate() }

    var pointer: UnsafeMutablePointer<Float> {
        guard let base = storage.baseAddress else { preconditionFailure("an allocation has an address") }
        return base + Self.margin
    }

    var values: [Float] { Array(storage[Self.margin..<Self.margin + count]) }

    /// Whether nothing was written before or after the values.
    var isIntact: Bool {
        storage.prefix(Self.margin).allSatisfy { $0 == Self.guardValue }
            && storage.suffix(Self.margin).allSatisfy { $0 == Self.guardValue }
    }
}

/// How far a kernel may be from its oracle: `absolute + relative * |expected|`.
struct Tolerance {
    var absolute: Double
    var relative: Double

    init(absolute: Double = 1e-6, relative: Double = 2e-6) {
        (self.absolute, self.relative) = (absolute, relative)
    }

    func accepts(_ actual: Double, _ expected: Double) -> Bool {
        if expected.isNaN || actual.isNaN { return expected.isNaN && actual.isNaN }
        return actual == expected || abs(actual - expected) <= absolute + relative * abs(expected)
    }
}

/// Expects every value to be within the tolerance, and reports the first that is not.
func expectClose(
    _ actual: [Float], _ expected: [Double], _ tolerance: Tolerance = Tolerance(), _ label: String,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    guard actual.count == expected.count else {
        Issue.record("\(label): \(actual.count) values for \(expected.count)", sourceLocation: sourceLocation)
        return
    }
    let wrong = actual.indices.first { !tolerance.accepts(Double(actual[$0]), expected[$0]) }
    if let wrong {
        Issue.record(
            "\(label): element \(wrong) of \(actual.count) is \(actual[wrong]), expected \(expected[wrong])",
            sourceLocation: sourceLocation)
    }
}

/// One call of a kernel on guarded, unaligned buffers, and what a naive computation in double precision expects of it.
struct KernelCheck {
    typealias Inputs = [UnsafePointer<Float>]
    typealias Outputs = [UnsafeMutablePointer<Float>]

    var label: String
    var inputs: [[Float]]
    /// What the outputs hold before the call.
    var outputs: [[Float]]
    /// The input that the first output may take the place of.
    var inPlace: Int?
    var tolerance = Tolerance()

    /// Runs the kernel with every instruction set, out of place and in place.
    func run(
        sourceLocation: SourceLocation = #_sourceLocation, kernel: (tk_table, Inputs, Outputs) throws -> Void,
        expected: ([[Double]]) throws -> [[Double]]
    ) rethrows {
        let expectation = try expected(inputs.map { $0.map(Double.init) })
        for instructionSet in KernelSet.present {
            guard let table = instructionSet.table else { continue }
            for shared in [nil, inPlace].uniqued() {
                let given = inputs.map(GuardedFloats.init)
                let results = outputs.enumerated().map { index, initial in
                    if index == 0, let shared { given[shared] } else { GuardedFloats(initial) }
                }
                try kernel(table, given.map { UnsafePointer($0.pointer) }, results.map(\.pointer))
                let name = "\(label), \(instructionSet)\(shared == nil ? "" : ", in place")"
                for (index, result) in results.enumerated() {
                    expectClose(
                        result.values, expectation[index], tolerance, "\(name), output \(index)",
                        sourceLocation: sourceLocation)
                }
                #expect(
                    (given + results).allSatisfy { $0.isIntact }, "\(name) wrote past a buffer",
                    sourceLocation: sourceLocation)
                for (index, input) in given.enumerated() where index != shared {
                    let unchanged = zip(input.values, inputs[index]).allSatisfy { $0 == $1 || $1.isNaN }
                    #expect(unchanged, "\(name) changed input \(index)", sourceLocation: sourceLocation)
                }
            }
        }
    }
}

extension Array where Element: Equatable {
    fileprivate func uniqued() -> [Element] { reduce(into: []) { if !$0.contains($1) { $0.append($1) } } }
}

/// Reproducible numbers (SplitMix64).
struct KernelRandom {
    private var state: UInt64

    init(_ seed: Int) { state = UInt64(bitPattern: Int64(seed)) }

    mutating func bits() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func float(in range: ClosedRange<Float> = -2...2) -> Float {
        let unit = Float(bits() >> 40) * 0x1p-24
        return range.lowerBound + unit * (range.upperBound - range.lowerBound)
    }

    mutating func floats(_ count: Int, in range: ClosedRange<Float> = -2...2) -> [Float] {
        (0..<count).map { _ in float(in: range) }
    }
}

/// The gradient of `sum(weights * f(x))` with respect to x, by central differences in double precision.
func numericalGradient(at x: [Double], weights: [Double], of f: ([Double]) -> [Double]) -> [Double] {
    x.indices.map { index in
        let step = 1e-6
        func value(_ shift: Double) -> Double {
            var moved = x
            moved[index] += shift
            return zip(f(moved), weights).reduce(0) { $0 + $1.0 * $1.1 }
        }
        return (value(step) - value(-step)) / (2 * step)
    }
}
