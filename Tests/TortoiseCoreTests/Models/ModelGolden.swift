import Testing

@testable import TortoiseCore

/// A golden that holds a model's weights under `weights.` and gradients under `gradient.`.
struct ModelGolden: ParameterSource {
    let file: GoldenFile
    var label: String { "golden" }
    private let prefix = "weights."

    init(_ path: String) throws { file = try GoldenFile(path) }

    var names: [String] { file.keys.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) } }
    func tensor(_ name: String) throws -> Tensor? { file.has(prefix + name) ? try file.tensor(prefix + name) : nil }

    subscript(_ key: String) -> Tensor { get throws { try file.tensor(key) } }

    /// Compares the gradients of all parameters with the golden's; those without one there must have none here.
    ///
    /// - Parameter fileGradient: Finds the gradient by a parameter's name, in the parameter's orientation.
    func checkGradients(
        _ gradients: Gradients, of parameters: [Parameter], within limit: Double,
        _ fileGradient: ((String) throws -> Tensor?)? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        var compared = 0
        for parameter in parameters {
            let key = "gradient." + parameter.name
            let expected =
                try fileGradient.map { try $0(parameter.name) } ?? (file.has(key) ? try file.tensor(key) : nil)
            guard let expected else {
                let isZero = gradients[parameter.value]?.values.allSatisfy { $0 == 0 } ?? true
                #expect(isZero, "\(parameter.name) has a gradient", sourceLocation: sourceLocation)
                continue
            }
            compared += 1
            let found = gradients[parameter.value] ?? Tensor.zeros(parameter.shape)
            let difference = TensorDifference(found, from: expected)
            #expect(difference.error < limit, "\(parameter.name): \(difference)", sourceLocation: sourceLocation)
        }
        #expect(compared > 0, sourceLocation: sourceLocation)
    }
}
