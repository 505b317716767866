/// Where a run stands: everything of a checkpoint that is no tensor.
public struct TrainingStats: Equatable, Sendable {
    /// Steps made (updates, skipped ones included).
    public var step = 0
    public var samples = 0
    public var tokens = 0
    /// After the last batch that was trained on.
    public var position = SamplerPosition()
    /// What `lr` set by hand; nil while the configuration's rate holds.
    public var learningRate: Double?
    /// What going back to earlier checkpoints has multiplied the rate by.
    public var learningRateFactor = 1.0
    /// Spoiled updates in a row.
    public var badUpdates = 0
    /// What must not change under a run, by name.
    public var identity: [String: String] = [:]

    public init() {}

    /// As JSON, the reference's names first.
    var json: String {
        let identity = identity.sorted { $0.key < $1.key }
            .map { "\(JSONValue.quoted($0.key)):\(JSONValue.quoted($0.value))" }.joined(separator: ",")
        return
            "{\"global_step\":\(step),\"micro_step\":\(step),\"global_samples\":\(samples),\"tokens_processed\":\(tokens),"
            + "\"epoch\":\(position.epoch),\"batch\":\(position.batch),"
            + "\"learning_rate\":\(learningRate.map { "\($0)" } ?? "null"),\"learning_rate_factor\":\(learningRateFactor),"
            + "\"bad_updates\":\(badUpdates),\"identity\":{\(identity)}}"
    }

    /// - Throws: `InputError.model` when the text is not what `json` gives.
    init(json text: String, at place: String) throws {
        let value = try JSONValue(parsing: Array(text.utf8), at: place, kind: .model)
        func count(_ key: String) throws -> Int {
            guard let number = value[key]?.integerValue, number >= 0 else {
                throw InputError.model("expected a count '\(key)'", at: place)
            }
            return number
        }
        step = try count("global_step")
        samples = try count("global_samples")
        tokens = try count("tokens_processed")
        position = SamplerPosition(epoch: try count("epoch"), batch: try count("batch"))
        learningRate = value["learning_rate"]?.doubleValue
        learningRateFactor = value["learning_rate_factor"]?.doubleValue ?? 1
        badUpdates = value["bad_updates"]?.integerValue ?? 0
        if case .object(let members)? = value["identity"] {
            for member in members { identity[member.key] = member.value.stringValue }
        }
    }
}
