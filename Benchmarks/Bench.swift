import ArgumentParser
import Foundation
import TortoiseCommandLine
import TortoiseCore

/// Times named shapes from the real models beside the machine's limits and PyTorch.
@main
struct Bench: Program {
    static let configuration = CommandConfiguration(
        commandName: "tortoise-bench",
        abstract: "Time kernels, layers and training steps beside this machine's limits and PyTorch.")

    @Option(help: "A Python that has PyTorch; each case is then timed there too, in turn.")
    var torch: String?

    @Option(help: "Only the cases whose names contain this.")
    var filter: String?

    @Option(help: "Where to write the figures as JSON.")
    var json: String?

    @Option(help: "Threads for both; physical cores unless given.")
    var threads: Int?

    func run() throws {
        let count = threads ?? Execution.threadCount
        guard (1...256).contains(count) else { throw ValidationError("--threads takes a number from 1 to 256") }
        try Execution.with(threads: count) { try measureAll() }
    }

    private func measureAll() throws {
        let wanted = filter ?? ""
        let all: [Case] = TrainingCases.all + MatrixCases.all + LayerCases.all
        let cases = all.filter { wanted.isEmpty || $0.name.contains(wanted) }
        guard !cases.isEmpty else { throw ValidationError("no case has \"\(wanted)\" in its name") }
        let machine = Machine.measure()
        print(
            String(
                format: "%@, %d threads, %@: %.0f GFLOP/s by OpenBLAS, %.1f GB/s read", machine.processor,
                machine.threads, machine.instructionSet, machine.peakArithmetic / 1e9, machine.readBandwidth / 1e9))
        print("case                                     ours ms   of limit   torch ms   torch/ours   memory MB (torch)")
        let runner = try torch.map { try TorchRunner(python: $0, threads: machine.threads) }
        var figures: [Figures] = []
        for item in cases {
            let figure = try Figures(item, machine, runner)
            print(figure.line)
            figures.append(figure)
        }
        runner?.finish()
        try json.map { try write(figures, machine, to: $0) }
    }

    private func write(_ figures: [Figures], _ machine: Machine, to path: String) throws {
        let report: [String: Any] = [
            "processor": machine.processor, "threads": machine.threads, "instruction_set": machine.instructionSet,
            "openblas_gflops": machine.peakArithmetic / 1e9, "read_gb_per_second": machine.readBandwidth / 1e9,
            "cases": figures.map(\.object),
        ]
        let data = try JSONSerialization.data(withJSONObject: report, options: [.prettyPrinted, .sortedKeys])
        try data.write(to: URL(filePath: path), options: .atomic)
    }
}

/// What was measured of one case.
private struct Figures {
    let name: String
    let seconds: Double
    let memory: Double
    /// The share of what the limit allows; nil where there is none.
    let share: Double?
    let torch: (seconds: Double, memory: Double)?

    /// Bytes that a cache may hold, which reading other memory in between would put out of it.
    private static let cached = 128e6

    init(_ item: Case, _ machine: Machine, _ runner: TorchRunner?) throws {
        name = item.name
        Execution.releaseReserve()
        PeakMemory.reset()
        let body = item.prepare()
        // The second call of a training step has the optimizer's state beside the gradients.
        body()
        body()
        memory = PeakMemory.value
        (seconds, share) = Self.timed(body, item.limit, machine)
        torch = try runner?.measure(item.description)
    }

    private static func timed(_ body: () -> Void, _ limit: Limit, _ machine: Machine) -> (Double, share: Double?) {
        switch limit {
        case .arithmetic(let operations):
            let seconds = Timing.median(body)
            return (seconds, operations / machine.peakArithmetic / seconds)
        case .product(let m, let n, let k):
            let (seconds, bare) = Timing.medians(body, BareProduct(m: m, n: n, k: k).body)
            return (seconds, bare / seconds)
        case .memory(let bytes) where bytes > cached:
            let reading = MemoryReading()
            let (seconds, limit) = Timing.median(body, beside: reading.body)
            return (seconds, limit * bytes / reading.bytes / seconds)
        case .memory(let bytes):
            let seconds = Timing.median(body)
            return (seconds, bytes / machine.readBandwidth / seconds)
        case .none: return (Timing.median(body), nil)
        }
    }

    var line: String {
        var text = name.padding(toLength: 38, withPad: " ", startingAt: 0) + String(format: "%10.3f", seconds * 1e3)
        text += share.map { String(format: "%9.0f %%", $0 * 100) } ?? "           "
        guard let torch else { return text + String(format: "%40.0f", memory / 1e6) }
        text += String(format: "%11.3f%12.2fx", torch.seconds * 1e3, torch.seconds / seconds)
        return text + String(format: "%12.0f (%.0f)", memory / 1e6, torch.memory / 1e6)
    }

    var object: [String: Any] {
        var object: [String: Any] = ["name": name, "seconds": seconds, "memory_bytes": memory]
        if let share { object["share_of_limit"] = share }
        if let torch {
            object["torch_seconds"] = torch.seconds
            object["torch_memory_bytes"] = torch.memory
        }
        return object
    }
}
