/// All that happens to logits between the model and the draw, in the order that docs/sampling.md gives.
///
/// The order is `transformers`'. Typical sampling comes before the temperature, where TorToiSe registers it;
/// `transformers`' own `typical_p` would come last.
struct LogitsPipeline {
    private let repetition: RepetitionPenalty
    private let dry: RepeatedRunProcessor?
    private let stopPenalty: StopPenalty
    private let start: Int
    private let settings: SamplingSettings
    /// Beams need two codes to go on when one of them is the stop token.
    private let minimumKept: Int

    init(_ settings: SamplingSettings, _ markers: CodeMarkers) {
        self.settings = settings
        start = Int(markers.start)
        minimumKept = settings.usesBeams ? 2 : 1
        repetition = RepetitionPenalty(
            penalty: settings.repetitionPenalty, decay: settings.repetitionDecay,
            placeholders: settings.penalizesPlaceholders ? [markers.start, 1] : [])
        dry = settings.dry.map { RepeatedRunProcessor(settings: $0, breaker: markers.calm) }
        stopPenalty = StopPenalty(power: settings.stopPenalty, stop: markers.stop)
    }

    /// Everything; what is left is drawn from by softmax, or its largest value taken.
    ///
    /// - Parameter codes: The candidate's, without the start token.
    func apply(to logits: inout MutableSpan<Float>, after codes: [Int32]) {
        repetition.apply(to: &logits, after: codes)
        dry?.apply(to: &logits, after: codes)
        stopPenalty.apply(to: &logits, after: codes)
        // No speech goes on with it, and what follows the autoregressive model has no code of this number.
        if logits.indices.contains(start) { logits[start] = -.infinity }
        guard !settings.isGreedy else { return }
        let usesFilters = settings.mirostat == nil
        if usesFilters, let mass = settings.typicalMass {
            Typical(mass: mass, minimumKept: minimumKept).apply(to: &logits)
        }
        if let dynamic = settings.dynamicTemperature {
            dynamic.apply(to: &logits)
        } else {
            Temperature(value: settings.temperature).apply(to: &logits)
        }
        guard usesFilters else { return }
        TopK(count: settings.topK, minimumKept: minimumKept).apply(to: &logits)
        TopP(mass: settings.topP, minimumKept: minimumKept).apply(to: &logits)
        MinP(share: settings.minP, minimumKept: minimumKept).apply(to: &logits)
    }
}
