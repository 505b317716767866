/// Teaches CLVP which codes belong to which text, by telling the utterances of a batch apart.
public final class CLVPTask: TrainingTask {
    public let name: String
    public let model: CLVPModel
    private let store: ParameterStore
    private let description: [(name: String, value: CheckpointContent)]

    public init(
        name: String, _ model: CLVPModel, _ store: ParameterStore,
        description: [(name: String, value: CheckpointContent)]
    ) {
        (self.name, self.model, self.store, self.description) = (name, model, store, description)
    }

    public var parameters: [Parameter] { store.parameters }
    public var phases: [TrainingPhase] { [TrainingPhase("", store.trainable)] }

    public func loss(_ batch: UtteranceBatch, phase: Int, _ run: RunContext) -> TaskLoss {
        let (text, textLengths) = batch.text
        let (codes, codeLengths) = batch.codes(padding: 0)
        let loss = model.loss(text: text, textLengths: textLengths, codes: codes, codeLengths: codeLengths, run)
        return TaskLoss(loss, parts: [("contrast", loss.item)])
    }

    public func exportedWeights(dtype: WeightDType) throws -> ExportedWeights {
        ExportedWeights(try store.exported(CLVPModel.keyMap, dtype), values: description)
    }
}
