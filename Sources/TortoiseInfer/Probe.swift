import ArgumentParser
import TortoiseCore

/// Runs one stage on given tensors, to compare it with PyTorch.
struct Probe: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run one stage on given tensors, to compare it with PyTorch.",
        discussion: "Stages:\n"
            + StageProbe.descriptions.map { "  \($0.name): \($0.inputs) -> \($0.outputs)" }.joined(separator: "\n"))

    @Argument(help: "The stage.")
    var stage: String

    @Option(help: ArgumentHelp("Weights in the published layout; front ends have none.", valueName: "file"))
    var weights: String?

    @Option(help: ArgumentHelp("Safetensors with the stage's inputs.", valueName: "file"))
    var inputs: String

    @Option(help: ArgumentHelp("Safetensors to write.", valueName: "file"))
    var outputs: String

    @Option(
        help: ArgumentHelp(
            "Sizes, such as {\"layers\": 2}; the file's own or the published ones unless given.", valueName: "json"))
    var config: String?

    @Option(help: "How matrices of weights are kept: float32, bfloat16, int8 or int4.")
    var dtype = "float32"

    func run() throws {
        guard let precision = WeightPrecision(rawValue: dtype.lowercased()) else {
            let names = WeightPrecision.allCases.map(\.rawValue).joined(separator: ", ")
            throw InputError.usage("expected one of \(names), found '\(dtype)'", at: "--dtype")
        }
        try StageProbe.run(
            stage: stage, weights: weights, inputs: inputs, outputs: outputs, config: config, precision: precision)
    }
}
