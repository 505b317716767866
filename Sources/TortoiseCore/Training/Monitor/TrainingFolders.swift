import Foundation
import Synchronization

/// The runs beneath a folder, seen through their files: what any trainer leaves there, whoever started it.
public final class TrainingFolders: TrainingMonitor {
    /// What was read of each run's logs.
    private let readers = Mutex<[String: MetricsReader]>([:])
    private let root: String
    /// The only run that is shown; nil shows all beneath the root.
    private let only: String?
    /// The trainer's program; nil when runs cannot be started from here.
    private let program: String?

    private static let depth = 3
    /// Points of a curve that are shown; more are thinned out.
    private static let mostPoints = 2_000
    private static let logTail = 32_768

    /// - Parameters:
    ///   - root: The folder of trainings; every folder beneath it with a `config.yaml` is a run.
    ///   - program: `tortoise-train`, to start runs with.
    public init(root: String, program: String?) { (self.root, only, self.program) = (root, nil, program) }

    /// One run only: the one that this process is.
    public init(run folder: String) {
        let path = URL(filePath: folder).standardizedFileURL
        (root, only, program) = (path.deletingLastPathComponent().path, path.lastPathComponent, nil)
    }

    /// The log of a run: what its trainer says.
    public static func logPath(folder: String) -> String { folder + "/console.log" }

    // MARK: - Finding runs

    public func runs() -> [TrainingRunListing] {
        var found: [TrainingRunListing] = []
        func visit(_ id: String, _ depth: Int) {
            let folder = id.isEmpty ? root : "\(root)/\(id)"
            let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
            if !id.isEmpty, names.contains("config.yaml") {
                found.append(TrainingRunListing(id: id, isRunning: RunLock.isHeld(root: folder)))
                return
            }
            guard depth > 0 else { return }
            for name in names where !name.hasPrefix(".") { visit(id.isEmpty ? name : "\(id)/\(name)", depth - 1) }
        }
        if let only {
            return [TrainingRunListing(id: only, isRunning: RunLock.isHeld(root: "\(root)/\(only)"))]
        }
        visit("", Self.depth)
        return found
    }

    private func folder(of run: String) throws -> String {
        guard runs().contains(where: { $0.id == run }) else {
            throw InputError.usage(
                "there is no run '\(run.prefix(80))'", at: "run", try: "a run is a folder with a config.yaml")
        }
        return "\(root)/\(run)"
    }

    // MARK: - Looking

    public func state(of run: String, since: Double, logOffset offset: Int) throws -> TrainingRunState {
        let folder = try folder(of: run)
        var state = TrainingRunState()
        state.isRunning = RunLock.isHeld(root: folder)
        if let loaded = try? Configuration.load(ConfigurationSource(yaml: folder + "/config.yaml", environment: [:])) {
            state.iterations = loaded.configuration.trainer.iterations
        }
        let curves = readers.withLock { readers in
            readers[folder, default: MetricsReader()].update(root: folder)
            return readers[folder]?.curves ?? []
        }
        func last(_ name: String) -> Double? { curves.first { $0.name == name }?.points.last?.value }
        state.step = Int(curves.compactMap { $0.points.last?.step }.max() ?? 0)
        state.secondsPerStep = curves.first { $0.name == "elapsed_time" }.flatMap { curve in
            let recent = curve.points.suffix(20).map(\.value)
            return recent.isEmpty ? nil : recent.reduce(0, +) / Double(recent.count)
        }
        state.memoryBytes = last("memory_bytes").map { Int($0) }
        state.waitingShare = last("waiting")
        state.curves = curves.filter { RunHistory.isCurve($0.name) }.map { curve in
            RunHistory.Curve(
                name: curve.name, points: Self.thinned(curve.points.filter { $0.step > since && $0.value.isFinite }))
        }
        (state.log, state.logOffset) = Self.log(Self.logPath(folder: folder), from: offset)
        return state
    }

    private static func thinned(_ points: [(step: Double, value: Double)]) -> [(step: Double, value: Double)] {
        guard points.count > mostPoints else { return points }
        let size = (points.count + mostPoints - 1) / mostPoints
        return stride(from: 0, to: points.count, by: size).map { start in
            let group = points[start..<min(start + size, points.count)]
            return (group[group.endIndex - 1].step, group.reduce(0) { $0 + $1.value } / Double(group.count))
        }
    }

    private static func log(_ path: String, from offset: Int) -> (text: String, offset: Int) {
        guard let file = FileHandle(forReadingAtPath: path), let end = try? file.seekToEnd() else { return ("", 0) }
        defer { try? file.close() }
        // A log that was begun anew is shorter than what was seen.
        let from = offset > Int(end) ? 0 : offset
        let start = max(from, Int(end) - logTail)
        try? file.seek(toOffset: UInt64(start))
        let data = (try? file.read(upToCount: logTail)) ?? Data()
        return (String(decoding: data, as: UTF8.self), start + data.count)
    }

    public func samples(of run: String) throws -> [EvaluationSample] {
        let folder = try folder(of: run) + "/logs"
        let files = FileManager.default
        func list(_ path: String) -> [String] {
            ((try? files.contentsOfDirectory(atPath: path)) ?? []).sorted().filter { !$0.hasPrefix(".") }
        }
        var found: [EvaluationSample] = []
        for log in list(folder) {
            for step in list("\(folder)/\(log)").compactMap({ Int($0) }) {
                let base = "\(folder)/\(log)/\(step)"
                let references = Set(list(base + "/ref"))
                for model in list(base) where model != "ref" {
                    for set in list("\(base)/\(model)") {
                        for name in list("\(base)/\(model)/\(set)") where name.hasSuffix(".wav") {
                            found.append(
                                EvaluationSample(
                                    id: "\(log)/\(step)/\(model)/\(set)/\(name)", step: step, name: name, set: set,
                                    hasReference: references.contains(name)))
                        }
                    }
                }
            }
        }
        return Array(found.sorted { $0.step == $1.step ? $0.id < $1.id : $0.step > $1.step }.prefix(200))
    }

    public func audio(of run: String, sample: String, isReference: Bool) throws -> String {
        guard let found = try samples(of: run).first(where: { $0.id == sample }),
            !isReference || found.hasReference
        else {
            throw InputError.usage("there is no such sample", at: "sample", try: "the list of samples has their ids")
        }
        let logs = try folder(of: run) + "/logs"
        guard isReference else { return "\(logs)/\(found.id)" }
        let parts = found.id.split(separator: "/")
        return "\(logs)/\(parts[0])/\(parts[1])/ref/\(found.name)"
    }

    // MARK: - Configurations

    public func configuration(of run: String) throws -> String {
        let path = try folder(of: run) + "/config.yaml"
        guard let data = FileManager.default.contents(atPath: path) else {
            throw InputError.usage("cannot be read", at: path)
        }
        return String(decoding: data, as: UTF8.self)
    }

    public func validate(_ yaml: String) -> (errors: [String], notes: [String]) {
        do {
            let (configuration, notes) = try Configuration.parse(yaml, file: "config.yaml")
            let trained = configuration.trainedModels.map(\.name)
            let errors =
                trained.count == 1
                ? [] : ["models: expected one with 'training: True', found \(trained.count)"]
            return (errors, notes.map { "\($0)" })
        } catch {
            return ("\(error)".split(separator: "\n").map(String.init), [])
        }
    }

    public func check(_ run: String, progress: (_ done: Int, _ total: Int) throws -> Void) throws -> [String] {
        let yaml = try folder(of: run) + "/config.yaml"
        let loaded = try Configuration.load(ConfigurationSource(yaml: yaml, environment: [:]))
        return try loaded.notes.map { "\($0)" } + loaded.datasetReport(limit: 20, progress: progress)
    }

    // MARK: - Running

    public func start(_ run: String, yaml: String?) throws {
        guard let program else {
            throw InputError.usage("no training can be started here", try: "use 'tortoise-infer serve'")
        }
        let folder = try yaml.map { try write($0, run) } ?? self.folder(of: run)
        guard !RunLock.isHeld(root: folder) else {
            throw InputError.usage("a trainer runs there already", at: run, try: "tell it to quit first")
        }
        let log = Self.logPath(folder: folder)
        guard FileManager.default.createFile(atPath: log, contents: nil),
            let output = FileHandle(forWritingAtPath: log)
        else { throw InputError.usage("cannot be written", at: log) }
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = ["run", "--yaml", folder + "/config.yaml"]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = output
        do {
            try process.run()
        } catch {
            throw InputError.usage("the trainer cannot be started: \(error.localizedDescription)", at: program)
        }
        try? output.close()
    }

    /// Writes the configuration of a run that is there, or of a new one.
    private func write(_ yaml: String, _ run: String) throws -> String {
        let parts = run.split(separator: "/", omittingEmptySubsequences: false)
        let isName = parts.allSatisfy { part in
            !part.isEmpty && !part.hasPrefix(".")
                && part.unicodeScalars.allSatisfy {
                    $0.isASCII && ($0.properties.isAlphabetic || "0123456789-_.".unicodeScalars.contains($0))
                }
        }
        guard isName, (1...Self.depth).contains(parts.count), run.count <= 80 else {
            throw InputError.usage(
                "expected letters, digits, dashes and dots, found '\(run.prefix(80))'", at: "run",
                try: "such as my-voice")
        }
        let faults = validate(yaml).errors
        guard faults.isEmpty else { throw InputError.usage(faults.joined(separator: "; "), at: "yaml") }
        let folder = "\(root)/\(run)"
        guard !RunLock.isHeld(root: folder) else {
            throw InputError.usage("a trainer runs there already", at: run, try: "tell it to quit first")
        }
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw InputError.usage("the folder cannot be made: \(error.localizedDescription)", at: folder)
        }
        try AtomicFile.write(to: folder + "/config.yaml") { try $0.write(Array(yaml.utf8)) }
        return folder
    }

    public func tell(_ run: String, _ line: String) throws {
        let folder = try folder(of: run)
        guard RunLock.isHeld(root: folder) else {
            throw InputError.usage("no trainer runs there now", at: run, try: "start it first")
        }
        guard !line.contains(where: \.isNewline) else { throw InputError.usage("expected one line", at: "line") }
        try ControlFile(folder: folder).write(line)
    }
}

extension LoadedConfiguration {
    /// What the dataset holds, what is odd about it, and what a run would take of it: lines for people.
    ///
    /// - Parameters:
    ///   - limit: How many names are listed of each kind.
    ///   - progress: What it throws ends the work.
    /// - Throws: `InputError` when there is nothing that could be trained on.
    public func datasetReport(limit: Int, progress: (_ done: Int, _ total: Int) throws -> Void) throws -> [String] {
        let file = try DatasetFile(path: paths.resolve(configuration.dataset.hdf5Name))
        let check = try DatasetCheck(file, TextFrontEnd(of: self), progress: progress)
        return try check.lines(limit: limit) + TrainingSession(self).selectionSummary()
    }
}
