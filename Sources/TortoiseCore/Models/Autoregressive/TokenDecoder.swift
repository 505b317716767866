/// What a decoder knows after a step: what may come next, and from what.
public struct DecoderOutput {
    /// Of the next token. Shape: [sequences, vocabulary], or [1, vocabulary] for sequences that are still alike.
    public let logits: Tensor
    /// The hidden states that the logits were made from. Shape: [sequences or 1, width]
    public let hidden: Tensor

    public init(logits: Tensor, hidden: Tensor) { (self.logits, self.hidden) = (logits, hidden) }

    /// The hidden state of one sequence. Shape: [1, width]
    func hidden(of sequence: Int) -> Tensor {
        let row = min(sequence, hidden.size(0) - 1)
        return hidden.sliced(0, row..<row + 1)
    }
}

/// A model that continues several sequences after one prompt, a token at a time.
///
/// Each sequence's outputs are the same bits whatever the others are, up to 16 sequences.
public protocol TokenDecoder: AnyObject {
    /// How many tokens fit after the prompt's last one.
    var maximumSteps: Int { get }
    /// Forgets what was decoded, and reads the prompt with the start token for this many sequences.
    func start(batch: Int) -> DecoderOutput
    /// Adds a token to each sequence.
    func step(_ tokens: [Int32]) -> DecoderOutput
    /// Makes sequence i continue sequence `parents[i]`; fewer parents leave fewer sequences.
    func reorder(_ parents: [Int])
}
