extension SamplingSettings {
    /// Checks every setting; programs and the server call this before anything is loaded.
    ///
    /// - Throws: `InputError.usage` naming the flag and what it takes.
    public func validate() throws {
        try Self.check(temperature, 0...10, "--ar-temp", "0 takes the most likely code")
        try Self.check(guidance, 0...20, "--ar-guidance", "1 is a good start, 0 the plain model")
        try Self.check(topK, 0...1_000_000, "--top-k", "0 allows every code")
        try Self.check(topP, 0...1, "--top-p", "1 allows every code")
        try Self.check(minP, 0...1, "--min-p", "0 allows every code")
        if let typicalMass {
            try Self.check(typicalMass, above: 0, below: 1, "--typical-mass", "the original uses 0.9")
        }
        try Self.check(repetitionPenalty, above: 0, below: 1_000, "--repetition-penalty", "1 means no penalty")
        try Self.check(repetitionDecay, -2...2, "--repetition-penalty-decay", "0 keeps the penalty constant")
        try Self.check(stopPenalty, -2...2, "--stop-penalty", "0 means no penalty")
        try Self.check(lengthPenalty, -10...10, "--length-penalty", "1 compares beams by their mean log-probability")
        try Self.check(beamWidth, 0...32, "--beam-width", "1 samples without beams")
        try Self.check(maximumSteps, 1...1_000_000, "--max-ar-steps", "the original makes up to 500")
        try validateGroups()
    }

    private func validateGroups() throws {
        if let dynamic = dynamicTemperature {
            try Self.check(dynamic.minimum, above: 0, below: 10, "--min-ar-temp", "0.5 is a good start")
            try Self.check(dynamic.maximum, dynamic.minimum...10, "--max-ar-temp", "not below --min-ar-temp")
            try Self.check(dynamic.exponent, above: 0, below: 10, "--ar-temp-exponent", "1 follows the entropy itself")
        }
        if let mirostat {
            try Self.check(mirostat.tau, 0...100, "--mirostat-tau", "5 is a good start")
            try Self.check(mirostat.eta, 0...1, "--mirostat-eta", "0.1 is a good start")
            guard !usesBeams else {
                throw InputError.usage("Mirostat cannot follow beams", at: "--mirostat", try: "leave out --beam-width")
            }
            guard temperature > 0 || dynamicTemperature != nil else {
                throw InputError.usage(
                    "Mirostat draws codes, and a temperature of 0 draws none", at: "--mirostat",
                    try: "choose --ar-temp 1 or leave out --mirostat")
            }
        }
        if let dry {
            try Self.check(dry.multiplier, 0...100, "--dry-multiplier", "0.8 is a good start")
            try Self.check(dry.base, 1...10, "--dry-base", "1.75 is a good start")
            try Self.check(dry.allowedLength, 1...10_000, "--dry-allowed-length", "2 is a good start")
            try Self.check(dry.range, 0...1_000_000, "--dry-range", "0 looks at every code")
        }
    }

    /// Written so that NaN, too, is out of range.
    private static func check<Value: Comparable>(
        _ value: Value, _ range: ClosedRange<Value>, _ flag: String, _ hint: String
    ) throws {
        guard range.contains(value) else {
            throw InputError.usage(
                "expected \(range.lowerBound) to \(range.upperBound), found \(value)", at: flag, try: hint)
        }
    }

    private static func check(_ value: Float, above low: Float, below high: Float, _ flag: String, _ hint: String)
        throws
    {
        guard value > low, value < high else {
            throw InputError.usage(
                "expected more than \(low) and less than \(high), found \(value)", at: flag, try: hint)
        }
    }
}
