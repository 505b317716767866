/// What a cleaner did to a text, for `--explain`.
struct CleaningLog {
    /// Steps are kept only while recording: each holds a copy of the whole text.
    let isRecording: Bool
    /// The steps that changed the text.
    var steps: [TextExplanation.Step] = []
    /// Characters that have no spoken form, in order of appearance.
    var dropped: [Unicode.Scalar] = []

    init(isRecording: Bool) {
        self.isRecording = isRecording
    }

    /// Notes a step unless it left the text alone.
    mutating func record(_ rule: String, before: String, after: String) {
        // Byte by byte: canonically equivalent strings are equal in Swift, but a rule that composes has done something.
        guard isRecording, !before.utf8.elementsEqual(after.utf8) else { return }
        steps.append(TextExplanation.Step(rule: rule, text: after))
    }

    /// Notes a step on ASCII text unless it left the text alone.
    mutating func record(_ rule: String, before: [UInt8], after: [UInt8]) {
        guard isRecording, before != after else { return }
        steps.append(TextExplanation.Step(rule: rule, text: String(decoding: after, as: UTF8.self)))
    }
}
