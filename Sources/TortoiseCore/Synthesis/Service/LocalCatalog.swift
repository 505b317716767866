import Foundation

/// The voices and models of this machine.
public struct LocalCatalog: SpeechCatalog {
    /// What speaks unless something else is chosen.
    let base: ModelFiles
    /// The folder that trainings are in.
    private let trainings: String
    /// The folder that voices are saved to.
    private let savedVoices: String
    private let fetcher: WeightFetcher
    private let fetched: String

    /// - Parameters:
    ///   - trainings: Where exported weights and adapters are looked for: `RUN/ckpt/MODEL/NAME.sft`.
    ///   - savedVoices: One of the folders that `VoiceLibrary` looks in.
    ///   - fetched: Where published weights go.
    public init(
        _ base: ModelFiles, trainings: String = "training", savedVoices: String = "voices",
        fetched: String = "data/models", mirror: String? = nil
    ) {
        (self.base, self.trainings, self.savedVoices, self.fetched) = (base, trainings, savedVoices, fetched)
        fetcher = WeightFetcher(folder: fetched, mirror: mirror)
    }

    // MARK: - Voices

    /// Letters, digits, blanks, dashes and dots: a name that is a file's name and nothing else.
    static func checkVoiceName(_ name: String) throws {
        let allowed = name.unicodeScalars.allSatisfy {
            $0.properties.isAlphabetic || "0123456789 -_.".unicodeScalars.contains($0)
        }
        guard (1...60).contains(name.count), allowed, !name.hasPrefix("."), name != "random",
            name.trimmingCharacters(in: .whitespaces) == name
        else {
            throw InputError.usage(
                "expected 1 to 60 letters, digits, blanks, dashes and dots, found '\(name.prefix(60))'", at: "name",
                try: "such as 'anna'")
        }
    }

    /// The file of a voice that is or can be saved.
    ///
    /// - Throws: `InputError.usage` for names that cannot be used.
    func voicePath(_ name: String) throws -> String {
        try Self.checkVoiceName(name)
        return "\(savedVoices)/\(name).\(Voice.suffix)"
    }

    public func voices() -> [VoiceListing] {
        VoiceLibrary.names.map { name in
            let isSaved = (try? voicePath(name)).map(FileManager.default.fileExists) ?? false
            return VoiceListing(name: name, isSaved: isSaved)
        }
    }

    public func deleteVoice(_ name: String) throws {
        let path = try voicePath(name)
        guard FileManager.default.fileExists(atPath: path) else {
            throw InputError.data(
                VoiceLibrary.names.contains(name)
                    ? "is no saved voice: it came with the package" : "there is no saved voice of this name",
                at: name)
        }
        guard unlink(path) == 0 else {
            throw InputError.data("cannot be removed: \(String(cString: strerror(errno)))", at: name)
        }
    }

    /// Makes the folder for saved voices.
    func prepareVoices() throws {
        do {
            try FileManager.default.createDirectory(atPath: savedVoices, withIntermediateDirectories: true)
        } catch {
            throw InputError.data("the folder cannot be made: \(error.localizedDescription)", at: savedVoices)
        }
    }

    // MARK: - Models

    public func models() -> [ModelListing] {
        sets() + exported()
    }

    private func sets() -> [ModelListing] {
        var folders: [(id: String, folder: String)] = []
        if let models = try? DataFolder.path(of: "models") {
            folders.append(("published", models))
            let names = ((try? FileManager.default.contentsOfDirectory(atPath: models)) ?? []).sorted()
            folders += names.map { ($0, "\(models)/\($0)") }
        }
        let isKnown = folders.contains { Self.isSame($0.folder, base.folder) }
        if !isKnown { folders.insert((Self.name(of: base.folder), base.folder), at: 0) }
        return folders.compactMap { id, folder in
            let isDefault = Self.isSame(folder, base.folder)
            guard let files = isDefault ? base : try? ModelFiles(set: folder),
                files.find(.autoregressive) != nil
            else { return nil }
            let found = ModelStage.allCases.compactMap { stage in
                files.find(stage).map { Self.file(stage.rawValue, $0) }
            }
            return ModelListing(id: id, kind: .set, files: found, isDefault: isDefault)
        }
    }

    /// What trainings exported, at most three folders down.
    private func exported() -> [ModelListing] {
        var found: [ModelListing] = []
        func visit(_ folder: String, _ id: String, depth: Int) {
            let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
            if names.contains("ckpt") {
                let models = (try? FileManager.default.contentsOfDirectory(atPath: folder + "/ckpt")) ?? []
                for model in models.sorted() { found += listings("\(folder)/ckpt/\(model)", "\(id)/\(model)", model) }
            }
            guard depth > 0 else { return }
            for name in names where !name.hasPrefix(".") && name != "ckpt" && name != "logs" {
                visit("\(folder)/\(name)", id.isEmpty ? name : "\(id)/\(name)", depth: depth - 1)
            }
        }
        visit(trainings, "", depth: 3)
        return found
    }

    private func listings(_ folder: String, _ id: String, _ model: String) -> [ModelListing] {
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
        return names.compactMap { name in
            let suffix = (name as NSString).pathExtension, stem = (name as NSString).deletingPathExtension
            guard ModelFiles.suffixes.contains(suffix) else { return nil }
            let isAdapter = stem == "lora"
            guard isAdapter || (try? ModelStage(named: model)) != nil else { return nil }
            return ModelListing(
                id: "\(id)/\(name)", kind: isAdapter ? .adapter : .checkpoint,
                files: [Self.file(isAdapter ? "autoregressive" : model, "\(folder)/\(name)")])
        }
    }

    /// The listing of an id.
    ///
    /// - Throws: `InputError.usage` with the nearest that there is.
    func listing(_ id: String) throws -> ModelListing {
        let known = models()
        if let found = known.first(where: { $0.id == id }) { return found }
        let near = nearestNames(to: id, among: known.map(\.id), limit: 1).first
        throw InputError.usage(
            "there is no model '\(id.prefix(120))'", at: "model",
            try: near.map { "did you mean \($0)?" } ?? "/v1/models lists what there is")
    }

    /// The files and adapters that a choice stands for.
    func resolve(_ choice: ModelChoice) throws -> (files: ModelFiles, adapters: [SpeechModels.AdapterFile]) {
        var files = base
        if let id = choice.id {
            let listing = try listing(id)
            switch listing.kind {
            case .set where listing.isDefault: break
            case .set:
                let path = listing.files.first?.path ?? ""
                files = try ModelFiles(set: FilePath.folder(of: path))
            case .checkpoint:
                for file in listing.files { files.use(file.path, for: try ModelStage(named: file.stage)) }
            case .adapter:
                throw InputError.usage("is an adapter", at: id, try: "name it among the adapters, with a strength")
            }
        }
        let adapters = try choice.adapters.map { adapter in
            let listing = try listing(adapter.id)
            guard listing.kind == .adapter, let file = listing.files.first else {
                throw InputError.usage("is no adapter", at: adapter.id)
            }
            return SpeechModels.AdapterFile(path: file.path, strength: adapter.strength)
        }
        return (files, adapters)
    }

    // MARK: - Files

    public func published() -> [(name: String, isThere: Bool)] {
        PublishedWeights.files.map { file in
            (file.name, FileManager.default.fileExists(atPath: "\(fetched)/\(file.name)"))
        }
    }

    public func fetch(_ name: String, progress: (_ done: Int, _ total: Int) throws -> Void) throws -> String {
        try fetcher.fetch(name, isOffline: false, progress: progress).sha256
    }

    public func verify(_ id: String, progress: (_ done: Int, _ total: Int) throws -> Void) throws -> [String] {
        let files = try listing(id).files
        return try files.enumerated().map { index, file in
            try progress(index, files.count)
            let summary = try WeightFile.summary(file.path)
            return "\(file.stage): \(try SHA256.hex(ofFile: file.path)), \(summary)"
        }
    }

    private static func file(_ stage: String, _ path: String) -> ModelListing.File {
        var status = stat()
        let bytes = stat(path, &status) == 0 ? Int(status.st_size) : 0
        return ModelListing.File(stage: stage, path: path, bytes: bytes)
    }

    private static func name(of folder: String) -> String { (folder as NSString).lastPathComponent }

    private static func isSame(_ a: String, _ b: String) -> Bool {
        URL(filePath: a).standardizedFileURL.path == URL(filePath: b).standardizedFileURL.path
    }
}
