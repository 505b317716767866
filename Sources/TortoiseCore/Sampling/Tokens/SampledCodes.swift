/// One candidate: the mel codes of an utterance.
public struct SampledCodes: Sendable, Equatable {
    /// Without the start and the stop token.
    public var codes: [Int32]
    /// Whether the model said that the speech is over; if not, the limit of steps was reached.
    public var isStopped: Bool
    /// A beam's log-probability divided by its length to the power of the length penalty; `nil` without beams.
    public var score: Float?

    public init(codes: [Int32], isStopped: Bool, score: Float? = nil) {
        (self.codes, self.isStopped, self.score) = (codes, isStopped, score)
    }
}

/// How codes are made ready for the stages after the autoregressive model, which know no stop token.
public enum CodeEnding: Sendable, Equatable {
    /// Real codes are kept, and silence follows the last one: as much as the original's trimming leaves of its padding.
    case silence
    /// What the original does (`fix_autoregressive_output` in tortoise/api.py): a row of this length, silence from the
    /// stop token on, and the tail of a clip that ends in zeros in the last places, whatever was there.
    case original(length: Int)
}

/// Puts an end to candidates and cuts off long silences.
public struct CodeFinisher: Sendable, Equatable {
    private let markers: CodeMarkers
    /// How many codes of silence in a row are speech's; where there are more, the rest of the clip is cut off.
    private let maximumCalm: Int

    /// - Parameter maximumCalm: The original's is 8.
    public init(_ markers: CodeMarkers, maximumCalm: Int = 8) {
        (self.markers, self.maximumCalm) = (markers, maximumCalm)
    }

    /// The codes that CLVP scores and that the latents are computed from.
    ///
    /// A candidate that never stopped stays as it is, as in the original.
    public func finish(_ candidate: SampledCodes, _ ending: CodeEnding = .silence) -> [Int32] {
        guard candidate.isStopped else { return candidate.codes }
        var codes = candidate.codes
        switch ending {
        case .silence:
            let calm = codes.reversed().prefix { $0 == markers.calm }.count
            if calm < maximumCalm { codes += repeatElement(markers.calm, count: maximumCalm - calm) }
        case .original(let length):
            guard codes.count < length else { return codes }
            codes += repeatElement(markers.calm, count: length - codes.count)
            let tail = markers.tail.suffix(length)
            codes.replaceSubrange((length - tail.count)..., with: tail)
        }
        return codes
    }

    /// How many of the codes, and of their latents, come before a silence gets too long.
    public func trimmedCount(_ codes: [Int32]) -> Int {
        var calm = 0
        for (index, code) in codes.enumerated() {
            calm = code == markers.calm ? calm + 1 : 0
            if calm > maximumCalm { return index }
        }
        return codes.count
    }
}
