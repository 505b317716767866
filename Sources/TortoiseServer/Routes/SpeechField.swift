import TortoiseCore

/// A field of a request for speech: its name, what the description of the API says of it, and what it sets.
struct SpeechField: Sendable {
    let name: String
    let schema: JSONValue
    /// The field without which this one has no effect.
    private(set) var leader: String?
    private let set: @Sendable (JSONValue, inout SpeechBody) throws -> Void

    func read(_ value: JSONValue, into body: inout SpeechBody) throws {
        do {
            try set(value, &body)
        } catch is WrongType {
            let expected = schema["type"]?.stringValue ?? "another kind of value"
            throw ServerError(400, "expected \(expected)", parameter: name, code: "wrong_type")
        }
    }

    private struct WrongType: Error {}

    private init(name: String, schema: JSONValue, set: @escaping @Sendable (JSONValue, inout SpeechBody) throws -> Void)
    {
        (self.name, self.schema, self.set) = (name, schema, set)
    }

    /// The same field, refused where `isThere` says that what it belongs to is off; `leader` turns it on and is read before it.
    private func needing(_ leader: String, _ isThere: @escaping @Sendable (SpeechBody) -> Bool) -> SpeechField {
        var field = SpeechField(name: name, schema: schema) { [name, set] value, body in
            guard isThere(body) else {
                throw ServerError(400, "has no effect without \(leader)", parameter: name)
            }
            try set(value, &body)
        }
        field.leader = leader
        return field
    }

    // MARK: - Kinds

    private static func text(
        _ name: String, _ meaning: String, choices: [String] = [],
        _ set: @escaping @Sendable (String, inout SpeechBody) throws -> Void
    ) -> SpeechField {
        var schema: [JSONValue.Member] = [
            .init(key: "type", value: "string"), .init(key: "description", value: .string(meaning)),
        ]
        if !choices.isEmpty { schema.append(.init(key: "enum", value: .array(choices.map { .string($0) }))) }
        return SpeechField(name: name, schema: .object(schema)) { value, body in
            guard let text = value.stringValue else { throw WrongType() }
            guard choices.isEmpty || choices.contains(text) else {
                throw ServerError(
                    400, "expected one of \(choices.joined(separator: ", ")), found '\(text.prefix(40))'",
                    parameter: name)
            }
            try set(text, &body)
        }
    }

    private static func number(
        _ name: String, _ meaning: String, _ range: ClosedRange<Double>? = nil,
        _ set: @escaping @Sendable (Double, inout SpeechBody) throws -> Void
    ) -> SpeechField {
        SpeechField(
            name: name, schema: numeric("number", meaning, range.map { ("\($0.lowerBound)", "\($0.upperBound)") })
        ) {
            guard let number = $0.doubleValue, number.isFinite else { throw WrongType() }
            if let range, !range.contains(number) {
                throw ServerError(
                    400, "expected \(range.lowerBound) to \(range.upperBound), found \(number)", parameter: name)
            }
            try set(number, &$1)
        }
    }

    private static func whole(
        _ name: String, _ meaning: String, _ range: ClosedRange<Int>? = nil,
        _ set: @escaping @Sendable (Int, inout SpeechBody) throws -> Void
    ) -> SpeechField {
        SpeechField(
            name: name, schema: numeric("integer", meaning, range.map { ("\($0.lowerBound)", "\($0.upperBound)") })
        ) {
            guard let number = $0.integerValue else { throw WrongType() }
            if let range, !range.contains(number) {
                throw ServerError(
                    400, "expected \(range.lowerBound) to \(range.upperBound), found \(number)", parameter: name)
            }
            try set(number, &$1)
        }
    }

    private static func numeric(_ type: String, _ meaning: String, _ range: (String, String)?) -> JSONValue {
        var schema: [JSONValue.Member] = [
            .init(key: "type", value: .string(type)), .init(key: "description", value: .string(meaning)),
        ]
        if let range, let low = Double(range.0), let high = Double(range.1) {
            schema += [.init(key: "minimum", value: .number(low)), .init(key: "maximum", value: .number(high))]
        }
        return .object(schema)
    }

    private static func flag(
        _ name: String, _ meaning: String, _ set: @escaping @Sendable (Bool, inout SpeechBody) -> Void
    ) -> SpeechField {
        SpeechField(name: name, schema: ["type": "boolean", "description": .string(meaning)]) {
            guard let flag = $0.boolValue else { throw WrongType() }
            set(flag, &$1)
        }
    }

    // MARK: - The fields

    /// All fields, OpenAI's first.
    static let all: [SpeechField] = openAI + ours + sampling + late

    private static let openAI: [SpeechField] = [
        text("model", "A model of /v1/models; tts-1 and its like stand for the server's own.") { name, body in
            body.model = name
            body.request.model.id = SpeechBody.usualModels.contains(name) ? nil : name
        },
        text("input", "What is to be said; lines are spoken one after another.") { $1.request.text = $0 },
        SpeechField(
            name: "voice",
            schema: [
                "type": ["string", "object"],
                "description":
                    "A name of /v1/voices, a mix such as anna:0.7+ben:0.3, or random; the first voice unless given. OpenAI's names stand for those that are there.",
            ]
        ) { value, body in
            // OpenAI's own voices are objects with an id.
            guard let name = value.stringValue ?? value["id"]?.stringValue else { throw WrongType() }
            body.request.voice = name
        },
        text(
            "response_format", "How audio is encoded; mp3 unless given, where it can be written.",
            choices: AudioFormat.names
        ) {
            $1.formatName = $0
        },
        number("speed", "Above 1 for faster speech; the pitch stays.", TimeStretch.speeds) { $1.request.speed = $0 },
        text("stream_format", "audio for bytes, sse for server-sent events.", choices: ["audio", "sse"]) {
            format, body in
            body.sendsEvents = format == "sse"
            if format == "sse" { body.request.isStreamed = true }
        },
        text("instructions", "Accepted for OpenAI's clients; these models take none.") { _, _ in },
    ]

    private static let ours: [SpeechField] = [
        flag("stream", "Send sound as soon as there is any.") { flag, body in
            body.request.isStreamed = flag || body.sendsEvents
        },
        flag("background", "Answer at once with a job; its events and its result are asked for.") {
            $1.isBackground = $0
        },
        text(
            "preset", "The original's settings; other fields win.", choices: SpeechPreset.allCases.map(\.rawValue)
        ) { _, _ in },
        whole("seed", "The same seed gives the same audio.", 0...Int.max) { $1.request.settings.seed = UInt64($0) },
        whole("candidates", "Sequences of codes to choose from.", 1...512) {
            $1.request.settings.candidates = $0
        },
        text(
            "rank_by", "Who chooses: CLVP, or the autoregressive model if it was trained to hear codes.",
            choices: CandidateRanking.allCases.map(\.rawValue)
        ) { $1.request.settings.ranking = try CandidateRanking(named: $0) },
        whole("keep", "How many candidates are spoken, best first.", 1...16) { $1.request.settings.kept = $0 },
        number("cvvp_amount", "CVVP's share of the ranking.", 0...1) {
            $1.request.settings.cvvpAmount = Float($0)
        },
        flag("sort_by_similarity", "Give the spoken versions by how near they are to the voice.") {
            $1.request.settings.sortsBySimilarity = $0
        },
        whole("max_phrase", "Spoken characters said in one breath; 0 for no limit.", 0...10_000) {
            $1.request.settings.longestPhrase = $0 == 0 ? nil : $0
        },
        whole("batch_size", "Candidates that are decoded together.", 1...64) { $1.request.settings.batchSize = $0 },
        SpeechField(
            name: "loras",
            schema: [
                "type": "array", "description": "Adapters of /v1/models with their strengths.",
                "items": [
                    "type": "object", "required": ["id"],
                    "properties": ["id": ["type": "string"], "strength": ["type": "number"]],
                ],
            ]
        ) { value, body in
            guard case .array(let items) = value, items.count <= 8 else { throw WrongType() }
            body.request.model.adapters = try items.map { item in
                guard let id = item["id"]?.stringValue else { throw WrongType() }
                let strength = item["strength"]?.doubleValue ?? 1
                guard (-10.0...10.0).contains(strength) else {
                    throw ServerError(400, "expected a strength of -10 to 10, found \(strength)", parameter: "loras")
                }
                return ModelChoice.Adapter(id: id, strength: Float(strength))
            }
        },
    ]

    private static let sampling: [SpeechField] = [
        whole("max_ar_steps", "The most codes of an utterance.", 1...2_000) { $1.sampling.maximumSteps = $0 },
        whole("max_diffusion_steps", "Steps of the diffusion sampler.", 1...1_000) {
            $1.request.settings.diffusionSteps = $0
        },
        number("ar_temp", "What logits are divided by before a code is drawn; 0 takes the most likely.") {
            $1.sampling.temperature = Float($0)
        },
        number("ar_guidance", "How strongly codes are led away from what the voice would say without the text.", 0...20)
        {
            $1.sampling.guidance = Float($0)
        },
        number("top_p", "The probability that the codes which may be drawn have to reach.") {
            $1.sampling.topP = Float($0)
        },
        whole("top_k", "How many of the most likely codes may be drawn; 0 for all.") { $1.sampling.topK = $0 },
        number("min_p", "The least probability of a code, as a share of the most likely one's.") {
            $1.sampling.minP = Float($0)
        },
        number("typical_mass", "Typical sampling's mass.") { $1.sampling.typicalMass = Float($0) },
        number("repetition_penalty", "What logits of used codes are divided by.") {
            $1.sampling.repetitionPenalty = Float($0)
        },
        number("repetition_penalty_decay", "How that penalty changes with distance.") {
            $1.sampling.repetitionDecay = Float($0)
        },
        number("length_penalty", "For beams: the power of the length that scores are divided by.") {
            $1.sampling.lengthPenalty = Float($0)
        },
        number("stop_penalty", "Above 0 for longer speech, below for shorter.") { $1.sampling.stopPenalty = Float($0) },
        whole("beam_width", "Sequences followed at once; 1 for plain sampling.") { $1.sampling.beamWidth = max(1, $0) },
        number("diffusion_temp", "Multiplies the noise that diffusion starts from.") {
            $1.request.settings.diffusion.temperature = $0
        },
        text("diffusion_sampler", "How diffusion steps.", choices: DiffusionSamplerName.allCases.map(\.rawValue)) {
            $1.request.settings.diffusion.sampler = try DiffusionSamplerName(parsing: $0)
        },
        flag("cond_free", "Lead diffusion away from what it makes without conditioning.") {
            $1.request.settings.diffusion.setGuidance(strength: $0 ? DiffusionGuidance().strength : 0)
        },
        text(
            "vocoder", "How the waveform is made; the first that the set has unless given.",
            choices: ["univnet", "vocoder", "vocos", "bigvgan", "hifigan"]
        ) {
            try $1.request.settings.setVocoder(named: $0)
        },
    ]

    /// Fields that change what others began: `cond_free` and `ar_temp` come before them.
    private static let late: [SpeechField] = [
        number("cond_free_k", "How strongly diffusion is led away; 0 for not at all.", 0...100) {
            $1.request.settings.diffusion.setGuidance(strength: $0)
        },
        whole(
            "cond_free_every", "At every how many steps diffusion looks what that is; 1 is exact, more is faster.",
            1...1_000
        ) {
            guard $1.request.settings.diffusion.guidance != nil else {
                throw ServerError(400, "has no effect without cond_free", parameter: "cond_free_every")
            }
            $1.request.settings.diffusion.guidance?.interval = $0
        },
        number("max_ar_temp", "A temperature that follows how unsure the model is, up to this one.") { most, body in
            let least = body.sampling.temperature
            body.sampling.dynamicTemperature = DynamicTemperature(minimum: least, maximum: Float(most))
        },
        number("min_ar_temp", "The lower end of max_ar_temp.") { $1.sampling.dynamicTemperature?.minimum = Float($0) }
            .needing("max_ar_temp", hasDynamicTemperature),
        number("ar_temp_exponent", "The power of the entropy that the temperature follows.") {
            $1.sampling.dynamicTemperature?.exponent = Float($0)
        }.needing("max_ar_temp", hasDynamicTemperature),
        whole("mirostat", "Mirostat's version, 1 or 2; 0 for none.", 0...2) { version, body in
            body.sampling.mirostat = version > 0 ? Mirostat(version == 1 ? .one : .two) : nil
        },
        number("mirostat_tau", "The surprise that Mirostat holds, in bits.") { $1.sampling.mirostat?.tau = Float($0) }
            .needing("mirostat") { $0.sampling.mirostat != nil },
        number("mirostat_eta", "How quickly Mirostat corrects.") { $1.sampling.mirostat?.eta = Float($0) }
            .needing("mirostat") { $0.sampling.mirostat != nil },
        number("dry_multiplier", "The penalty on continuing what was said before.") {
            $1.sampling.dry = RepeatedRunPenalty(multiplier: Float($0))
        },
        number("dry_base", "How that penalty grows with the length of the run.") { $1.sampling.dry?.base = Float($0) }
            .needing("dry_multiplier", hasRunPenalty),
        whole("dry_allowed_length", "The longest run without that penalty, plus one.") {
            $1.sampling.dry?.allowedLength = $0
        }.needing("dry_multiplier", hasRunPenalty),
        whole("dry_range", "How many of the latest codes it looks at; 0 for all.") { $1.sampling.dry?.range = $0 }
            .needing("dry_multiplier", hasRunPenalty),
    ]

    private static let hasDynamicTemperature: @Sendable (SpeechBody) -> Bool = { $0.sampling.dynamicTemperature != nil }
    private static let hasRunPenalty: @Sendable (SpeechBody) -> Bool = { $0.sampling.dry != nil }
}

extension SpeechBody {
    fileprivate var sampling: SamplingSettings {
        get { request.settings.sampling }
        set { request.settings.sampling = newValue }
    }
}
