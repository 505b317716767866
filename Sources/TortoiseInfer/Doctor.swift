import ArgumentParser
import TortoiseCore

/// Says what the programs found on this machine.
struct Doctor: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show processor features, threads and libraries.")

    func run() {
        let available = InstructionSet.allCases.filter(\.isAvailable).map(\.rawValue)
        print("instruction sets  \(available.joined(separator: ", ")); using \(Execution.instructionSet.rawValue)")
        print("threads           \(Execution.threadCount) of \(Processor.physicalCores) physical cores")
        print("matrix products   OpenBLAS kernels for \(BLASCore.name)")
        let isFaster = ProductPrecision.mixed(true) == .bfloat16
        let halves = isFaster ? "yes" : "no, \(ProductPrecision.whyNotMixed); amp has no effect"
        print("mixed precision   \(halves)")
        for library in Libraries.versions { print(library.name.padded(to: 18) + library.version) }
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: max(1, width - count)) }
}
