import ArgumentParser
import Foundation
import TortoiseCommandLine
import TortoiseCore

/// Shows and converts weights.
struct ModelsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models", abstract: "List, fetch, check and convert weights.",
        subcommands: [List.self, Fetch.self, Verify.self, Convert.self])

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show which file each stage would use, and what it is.")

        @OptionGroup var fileOptions: ModelFileOptions

        func run() throws {
            for line in try fileOptions.find().files.listing() { print(line) }
        }
    }

    struct Fetch: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Download published weights; stopped at any time, the same command goes on.",
            discussion: "Files: " + PublishedWeights.files.map(\.name).joined(separator: ", ")
                + ". TORTOISE_MIRROR names an address that replaces the publishers'.")

        @Argument(help: "Which files; what speaking needs by default, \"all\" for all.")
        var files: [String] = []

        @Option(help: ArgumentHelp("Where they go.", valueName: "folder"))
        var into = "data/models"

        @Option(help: ArgumentHelp("An address that replaces the publishers'.", valueName: "url"))
        var mirror: String?

        @Flag(help: "Fetch nothing; see that what is needed is there and whole.")
        var offline = false

        func run() throws {
            let names =
                files.isEmpty
                ? PublishedWeights.standard : files == ["all"] ? PublishedWeights.files.map(\.name) : files
            let mirror = mirror ?? ProcessInfo.processInfo.environment["TORTOISE_MIRROR"]
            let fetcher = WeightFetcher(folder: into, mirror: mirror)
            for name in names {
                let progress = ProgressLine(name)
                let (path, sum, wasThere) = try fetcher.fetch(name, isOffline: offline) {
                    progress.update($0 >> 20, $1 >> 20)
                }
                progress.finish()
                print("\(path)  \(sum)\(wasThere ? "  was there" : "")")
            }
        }
    }

    struct Verify: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the SHA-256 of weight files after reading every tensor.")

        @Argument(help: "Weight files.")
        var files: [String]

        func run() throws {
            for file in files { print("\(try SHA256.hex(ofFile: file))  \(file)  \(try WeightFile.summary(file))") }
        }
    }

    struct Convert: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write weights in another format: .safetensors or .sft, .pth or .pt.")

        @Argument(help: "The file to read.")
        var input: String

        @Argument(help: "The file to write; its suffix decides on the format.")
        var output: String

        @Option(help: "float32, float16, bfloat16 or int8 (a scale per 32 values); as it is by default.")
        var dtype: String?

        func run() throws {
            let type = try dtype.map { name in
                guard let type = WeightDType(rawValue: name.lowercased()) else {
                    throw InputError.usage(
                        "expected float32, float16, bfloat16 or int8, found '\(name)'", at: "--dtype")
                }
                return type
            }
            try WeightFile.convert(input, to: output, dtype: type)
            print("wrote \(output)")
        }
    }
}
