/// Runs one stage of the stack on given tensors, so that anybody can compare it with PyTorch.
public struct StageProbe {
    /// What a stage takes and gives, for the help text.
    public struct Description: Sendable {
        public let name: String
        public let inputs: String
        public let outputs: String
    }

    typealias Body = (ProbeRequest) throws -> [(name: String, tensor: Tensor)]

    /// How a stage is asked.
    struct ProbeRequest {
        let weightsPath: String?
        let inputs: ProbeInputs
        let options: ConfigurationParameters?
        let precision: WeightPrecision

        var weights: String {
            get throws {
                guard let weightsPath else { throw InputError.usage("this stage needs weights", at: "--weights") }
                return weightsPath
            }
        }
    }

    private static var stages: [(description: Description, body: Body)] {
        autoregressiveStages + diffusionStages + vocoderStages + rankerStages + frontEndStages
    }

    /// All stages.
    public static var descriptions: [Description] { stages.map(\.description) }

    /// Runs a stage and writes what it gives.
    ///
    /// - Parameters:
    ///   - stage: One of `descriptions`.
    ///   - weights: A file in the published layout; nil for front ends, which have none.
    ///   - inputs: A safetensors file with the stage's inputs.
    ///   - outputs: The safetensors file to write; its metadata tells the seconds and the peak memory that the stage took.
    ///   - config: Sizes as JSON; the file's own or the published ones when nil.
    /// - Throws: `InputError` for unknown stages, files that do not fit, and inputs that are missing or of another shape.
    public static func run(
        stage: String, weights: String?, inputs: String, outputs: String, config: String?, precision: WeightPrecision
    ) throws {
        guard let (_, body) = stages.first(where: { $0.description.name == stage }) else {
            let names = stages.map(\.description.name)
            let near = nearestNames(to: stage, among: names, limit: 1).first
            throw InputError.usage(
                "there is no stage '\(stage.prefix(60))'", at: "probe",
                try: (near.map { "did you mean \($0)? " } ?? "") + "stages: \(names.joined(separator: ", "))")
        }
        let request = ProbeRequest(
            weightsPath: weights, inputs: try ProbeInputs(path: inputs),
            options: try config.map { try ModelLoader.options(json: $0, at: "--config") }, precision: precision)
        let start = ContinuousClock.now
        let results = try body(request)
        let metadata = [
            "stage": stage, "seconds": "\(start.duration(to: .now).seconds)",
            "peak_memory_bytes": "\(ProcessMemory.peak)",
        ]
        try SafetensorsWriter.write(
            results.map { ($0.name, TensorSource($0.tensor.detached)) }, metadata: metadata, to: outputs)
    }
}
