import ArgumentParser
import Foundation
import TortoiseCommandLine
import TortoiseCore

/// Feeds mutated inputs to every parser and looks for traps, hangs and memory out of proportion.
///
/// Inputs are made from a seed and a number, so that `--target T --seed S --first N --inputs 1` repeats one. A child process parses; what
/// it was doing when it died is in a file that it maps.
@main
struct Fuzz: Program {
    static let configuration = CommandConfiguration(
        commandName: "tortoise-fuzz", abstract: "Feed mutated inputs to every parser.",
        discussion: "Targets: \(FuzzTarget.all.map(\.name).joined(separator: ", "))")

    @Option(help: "Inputs per target.")
    var inputs = 2_000

    @Option(help: "What the mutations follow from.")
    var seed: UInt64 = 1

    @Option(help: "Only this target.")
    var target: String?

    @Option(help: "The number of the first input.")
    var first = 0

    @Option(help: "The folder of seed files.")
    var seeds = "Tests/TortoiseCoreTests/Goldens"

    @Option(help: ArgumentHelp("Run as the child that parses, and note progress here.", visibility: .private))
    var progress: String?

    func run() throws {
        let targets = try FuzzTarget.all.filter { candidate in
            guard let target else { return true }
            guard FuzzTarget.all.contains(where: { $0.name == target }) else {
                throw ValidationError(
                    "there is no target '\(target)'; there are \(FuzzTarget.all.map(\.name).joined(separator: ", "))")
            }
            return candidate.name == target
        }
        if let progress {
            return try FuzzChild(targets[0], seed: seed, seedFolder: seeds, progress: progress).run(
                first..<first + inputs)
        }
        var faults = 0
        for target in targets { faults += try FuzzParent(self, target).run() }
        guard faults == 0 else { throw InputError.data("\(faults) inputs broke a parser") }
        print("no parser was broken")
    }
}

/// Watches children parse, and starts another after each that died.
struct FuzzParent {
    private let options: Fuzz
    private let target: FuzzTarget
    /// Seconds that one input may take.
    private static let patience = 20
    /// Looks at the child in a second.
    private static let looks = 50

    init(_ options: Fuzz, _ target: FuzzTarget) { (self.options, self.target) = (options, target) }

    /// The number of inputs that broke the target.
    func run() throws -> Int {
        let progress = try FuzzProgress(path: "\(FuzzFiles.folder)/tortoise-fuzz-\(getpid())", creating: true)
        defer { progress.remove() }
        let start = Date()
        var (next, faults) = (options.first, 0)
        let end = options.first + options.inputs
        while next < end {
            progress.input = UInt64(next)
            progress.accepted = 0
            let reason = try watch(from: next, to: end, progress)
            guard let reason else { break }
            faults += 1
            let broken = Int(progress.input)
            print(
                "\(target.name): input \(broken) \(reason); repeat: --target \(target.name) --seed \(options.seed) --first \(broken) --inputs 1"
            )
            next = broken + 1
            if faults >= 10 { break }
        }
        let seconds = String(format: "%.1f", Date().timeIntervalSince(start))
        print(
            "\(target.name): \(options.inputs) inputs in \(seconds) s, \(progress.accepted) of the last child's accepted, \(faults) faults"
        )
        return faults
    }

    /// Runs one child; nil when it came to the end, else how it died.
    private func watch(from first: Int, to end: Int, _ progress: FuzzProgress) throws -> String? {
        let child = Process()
        child.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        child.arguments = [
            "--target", target.name, "--seed", "\(options.seed)", "--first", "\(first)", "--inputs", "\(end - first)",
            "--seeds",
            options.seeds, "--progress", progress.path,
        ]
        try child.run()
        // Counted in looks: a run that is stopped and goes on later was not hanging meanwhile.
        var (last, unchanged) = (progress.input, 0)
        while child.isRunning {
            usleep(UInt32(1_000_000 / Self.looks))
            unchanged = progress.input == last ? unchanged + 1 : 0
            last = progress.input
            guard unchanged > Self.patience * Self.looks else { continue }
            kill(child.processIdentifier, SIGKILL)
            child.waitUntilExit()
            return "hung for \(Self.patience) s"
        }
        child.waitUntilExit()
        if child.terminationReason == .uncaughtSignal { return "died of signal \(child.terminationStatus)" }
        return child.terminationStatus == 0 ? nil : "left with \(child.terminationStatus)"
    }
}

/// Parses mutated inputs in a process of its own.
struct FuzzChild {
    private let target: FuzzTarget
    private let seed: UInt64
    private let originals: [[UInt8]]
    private let progress: FuzzProgress
    /// What parsing may take beyond twice the input: tables, buffers and the library's own growth.
    private static let allowance = 48 << 20

    init(_ target: FuzzTarget, seed: UInt64, seedFolder: String, progress: String) throws {
        (self.target, self.seed) = (target, seed)
        originals = try target.originals(in: seedFolder)
        self.progress = try FuzzProgress(path: progress, creating: false)
    }

    func run(_ range: Range<Int>) throws {
        let path = "\(FuzzFiles.folder)/tortoise-fuzz-input-\(getpid())"
        defer { unlink(path) }
        for number in range {
            progress.input = UInt64(number)
            var mutator = Mutator(seed: seed, number: number)
            let bytes = mutator.mutated(originals)
            let before = resetPeakMemory()
            do {
                try target.parse(bytes, path)
                progress.accepted += 1
            } catch is InputError {}
            let grown = ProcessMemory.peak - before
            if grown > 2 * bytes.count + Self.allowance {
                throw InputError.data(
                    "input \(number) of \(bytes.count) bytes took \(grown) bytes of memory", at: target.name)
            }
        }
    }

    /// Forgets the peak so far; returns what is in memory now.
    private func resetPeakMemory() -> Int {
        let descriptor = open("/proc/self/clear_refs", O_WRONLY)
        if descriptor >= 0 {
            write(descriptor, "5", 1)
            close(descriptor)
        }
        return ProcessMemory.peak
    }
}

/// Where inputs and progress lie: in memory where there is such a folder.
enum FuzzFiles {
    static var folder: String {
        access("/dev/shm", W_OK) == 0 ? "/dev/shm" : FileManager.default.temporaryDirectory.path
    }
}

/// The number of the input under way, in a file that parent and child map.
final class FuzzProgress {
    let path: String
    private let numbers: UnsafeMutablePointer<UInt64>

    init(path: String, creating: Bool) throws {
        self.path = path
        let descriptor = open(path, creating ? O_RDWR | O_CREAT | O_TRUNC : O_RDWR, 0o600)
        guard descriptor >= 0, ftruncate(descriptor, 16) == 0,
            let memory = mmap(nil, 16, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0), memory != MAP_FAILED
        else { throw InputError.data("cannot be mapped: \(String(cString: strerror(errno)))", at: path) }
        close(descriptor)
        numbers = memory.bindMemory(to: UInt64.self, capacity: 2)
    }

    var input: UInt64 {
        get { numbers[0] }
        set { numbers[0] = newValue }
    }

    /// Inputs that the target took.
    var accepted: UInt64 {
        get { numbers[1] }
        set { numbers[1] = newValue }
    }

    func remove() { unlink(path) }
}
