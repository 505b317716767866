/// Writes English text out as it is spoken: years, times, dates, decimals, money, units, fractions, ranges, telephone
/// numbers, Roman numerals, web addresses, initialisms, symbols, and a user's own words.
///
/// An ordered list of small rules, each a scanner over the whole text; a rule sees what the ones before it wrote. Rules
/// that need capitals come before "lower case". The result has only characters of `alphabet`: every other one is
/// spoken, transliterated, or reported as dropped. Any Unicode text is accepted.
public struct ExtendedNormalizer: Sendable {
    /// The characters that the result may have besides the blank.
    public let alphabet: Set<Unicode.Scalar>
    /// The user's own words, tried before every other rule.
    public let dictionary: PronunciationDictionary

    /// The characters of the published vocabulary.
    public static let publishedAlphabet = Set("!'(),-./:;?abcdefghijklmnopqrstuvwxyz".unicodeScalars)

    private let rules: [RewriteRule]

    public init(
        alphabet: Set<Unicode.Scalar> = Self.publishedAlphabet, dictionary: PronunciationDictionary = .init()
    ) {
        self.alphabet = alphabet
        self.dictionary = dictionary
        rules = [
            Self.characters, dictionary.rule, Self.webAddresses, Self.continentalNumbers, Self.times, Self.dates,
            Self.yearRanges,
            Self.abbreviations, Self.telephoneNumbers, Self.dottedNumbers, Self.scientificNumbers, Self.signs,
            Self.money, Self.ranges, Self.fractions, Self.durations, Self.decades, Self.units, Self.superscripts,
            Self.ordinals, Self.years, Self.romanNumerals, Self.initialisms, Self.lettersWithDigits, Self.symbols,
            Self.numbers,
        ]
    }

    /// The spoken form.
    public func normalize(_ text: String) -> String {
        var log = CleaningLog(isRecording: false)
        return normalize(text, log: &log)
    }

    /// The spoken form, with every rule that changed something and every character that was dropped in the log.
    func normalize(_ text: String, log: inout CleaningLog) -> String {
        var scalars = Array(text.unicodeScalars)
        for rule in rules {
            guard let result = rule.apply(to: scalars) else { continue }
            scalars = result
            if log.isRecording { log.steps.append(TextExplanation.Step(rule: rule.name, text: Self.string(scalars))) }
        }
        for (name, step) in [
            ("transliteration", transliterated), ("lower case", lowercased), ("vocabulary", restrictedToAlphabet),
            ("spaces and punctuation", tidied),
        ] as [(String, ([Unicode.Scalar], inout CleaningLog) -> [Unicode.Scalar])] {
            let before = scalars
            scalars = step(before, &log)
            if log.isRecording, scalars != before {
                log.steps.append(TextExplanation.Step(rule: name, text: Self.string(scalars)))
            }
        }
        return Self.string(scalars)
    }

    private static func string(_ scalars: [Unicode.Scalar]) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }

    // MARK: - Steps that close every text

    /// Letters and punctuation of any script in ASCII. Symbols that no rule has spoken are left for "vocabulary" to
    /// report: a drawing of them in ASCII could not be read out.
    private func transliterated(_ scalars: [Unicode.Scalar], _ log: inout CleaningLog) -> [Unicode.Scalar] {
        guard scalars.contains(where: { !$0.isASCII && !alphabet.contains($0) }) else { return scalars }
        var out: [Unicode.Scalar] = []
        var run = String.UnicodeScalarView()
        func flush() {
            guard !run.isEmpty else { return }
            let result = Transliterator.transliterate(String(run))
            out.append(contentsOf: result.text.unicodeScalars)
            log.dropped += result.dropped
            run = String.UnicodeScalarView()
        }
        for scalar in scalars {
            let isInAlphabet = scalar.properties.lowercaseMapping.unicodeScalars.allSatisfy(alphabet.contains)
            if !scalar.isASCII, !isInAlphabet, Self.isReadable(scalar) {
                run.append(scalar)
            } else {
                flush()
                out.append(scalar)
            }
        }
        flush()
        return out
    }

    private static func isReadable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .mathSymbol, .currencySymbol, .modifierSymbol, .otherSymbol, .privateUse, .unassigned, .surrogate,
            .control:
            false
        default: true
        }
    }

    private func lowercased(_ scalars: [Unicode.Scalar], _: inout CleaningLog) -> [Unicode.Scalar] {
        scalars.flatMap {
            $0.isASCII && !StartsWith.capital($0) ? [$0] : Array($0.properties.lowercaseMapping.unicodeScalars)
        }
    }

    /// Leaves out, and reports, what the vocabulary does not have; white space becomes a blank.
    private func restrictedToAlphabet(_ scalars: [Unicode.Scalar], _ log: inout CleaningLog) -> [Unicode.Scalar] {
        scalars.compactMap { scalar in
            if alphabet.contains(scalar) { return scalar }
            if scalar.properties.isWhitespace { return " " }
            switch scalar.properties.generalCategory {
            // Quotation marks are not heard; marks and format characters only modify their neighbours.
            case _ where scalar == "\"": break
            case .nonspacingMark, .enclosingMark, .format: break
            default: log.dropped.append(scalar)
            }
            return nil
        }
    }

    /// Single blanks, none before a mark or at the ends; at most three equal marks in a row, one comma or semicolon.
    private func tidied(_ scalars: [Unicode.Scalar], _: inout CleaningLog) -> [Unicode.Scalar] {
        var out: [Unicode.Scalar] = []
        out.reserveCapacity(scalars.count)
        for scalar in scalars {
            switch scalar {
            case " ":
                if let last = out.last, last != " " { out.append(scalar) }
            case ",", ".", ";", ":", "!", "?":
                if out.last == " " { out.removeLast() }
                let repeats = out.suffix(3).reversed().prefix { $0 == scalar }.count
                let isPause = scalar == "," || scalar == ";" || scalar == ":"
                // A comma says nothing at the beginning or beside another mark.
                if isPause, out.isEmpty || out.last.map({ ",;:.!?(".unicodeScalars.contains($0) }) == true { continue }
                if repeats < 3 {
                    if !isPause, let last = out.last, last == "," || last == ";" || last == ":" { out.removeLast() }
                    out.append(scalar)
                }
            default:
                out.append(scalar)
            }
        }
        if out.last == " " { out.removeLast() }
        return out
    }
}
