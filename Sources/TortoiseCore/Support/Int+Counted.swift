extension Int {
    /// The number with what is counted: "1 utterance", "12 utterances".
    func counted(_ noun: String) -> String { "\(self) \(noun)\(self == 1 ? "" : "s")" }
}
