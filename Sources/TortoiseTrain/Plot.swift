import ArgumentParser
import Foundation
import TortoiseCore

/// Draws the curves of a run.
struct Plot: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Draw losses, evaluations, gradient norm and learning rate of a run as PNG and SVG.")

    @Option(help: ArgumentHelp("The run's configuration; its logs lie beside it.", valueName: "file"))
    var yaml: String

    @Option(
        name: [.customShort("o"), .customLong("out-path")],
        help: ArgumentHelp("Where to write, without suffix.", valueName: "path"))
    var outPath: String?

    @Option(help: "Over how many steps losses are smoothed; 0 draws them as they are.")
    var smooth = 10.0

    func run() throws {
        guard smooth.isFinite, smooth >= 0 else {
            throw InputError.usage("expected 0 or more, found \(smooth)", at: "--smooth")
        }
        let root = FilePath.folder(of: yaml)
        let path = outPath ?? root + "/metrics"
        try RunHistory(root: root).plot(to: path, smoothing: smooth)
        print("wrote \(path).svg and \(path).png")
    }
}
