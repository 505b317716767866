import ArgumentParser
import Foundation
import TortoiseCommandLine
import TortoiseCore

#if Server
    import TortoiseServer

    /// Serves the web page and the API.
    struct Serve: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Serve a web page and OpenAI's speech API.",
            discussion: """
                Only this machine is listened to unless --listen says otherwise, and then a token is needed. SIGTERM and Ctrl-C let \
                the speech that is being made end. docs/serving.md has all of it.
                """)

        @Option(help: ArgumentHelp("Where to listen; port 0 takes any.", valueName: "host:port[/path]"))
        var listen = "127.0.0.1:7860"

        @OptionGroup var access: AccessOptions

        @Option(help: ArgumentHelp("A name that requests may be addressed to; may be repeated.", valueName: "name"))
        var hostName: [String] = []

        @Option(help: ArgumentHelp("Another origin whose pages may use the API; may be repeated.", valueName: "origin"))
        var origin: [String] = []

        @OptionGroup var limits: LimitOptions

        @Option(help: ArgumentHelp("The folder of trainings.", valueName: "folder"))
        var training = "training"

        @Option(help: ArgumentHelp("Where published weights are fetched to.", valueName: "folder"))
        var fetched = "data/models"

        @Flag(help: "Log errors only.")
        var quiet = false

        @OptionGroup var modelOptions: ModelOptions

        func run() throws {
            signal(SIGPIPE, SIG_IGN)
            var options = ServerOptions()
            try options.listen(at: listen)
            options.token = try access.secret()
            try options.checkAccess(isOpen: access.noToken)
            (options.hostNames, options.origins) = (hostName, origin)
            try limits.apply(to: &options)
            let parts = try modelOptions.parts()
            let catalog = LocalCatalog(
                parts.files, trainings: training, fetched: fetched,
                mirror: ProcessInfo.processInfo.environment["TORTOISE_MIRROR"])
            let clips = AudioLimits(
                maximumSeconds: options.clipSeconds, maximumBytes: options.uploadLimit, maximumSamples: 32 << 20)
            let (precision, products) = (parts.precision, parts.products)
            let (adapters, frontEnd) = (parts.adapters, parts.frontEnd)
            let server = try TortoiseServer(
                options, catalog: catalog, monitor: TrainingFolders(root: training, program: Self.trainer),
                isQuiet: quiet
            ) {
                LocalSynthesizer(
                    catalog, precision: precision, products: products, adapters: adapters, frontEnd: frontEnd,
                    limits: clips, cache: .standard())
            }
            try server.run { address in
                StandardError.say("listening at \(address)")
            }
        }

        /// The trainer that was built beside this program; nil when it was not.
        private static var trainer: String? {
            let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
            let path = URL(filePath: own).deletingLastPathComponent().appending(path: "tortoise-train").path
            return FileManager.default.isExecutableFile(atPath: path) ? path : nil
        }
    }

    /// How much is allowed.
    struct LimitOptions: ParsableArguments {
        @Option(help: "Requests that may wait; more are told to come back.")
        var queue = 32

        @Option(help: "Characters of a text.")
        var textLimit = 20_000

        @Option(help: ArgumentHelp("Bytes of a request with recordings, in MiB.", valueName: "mib"))
        var uploadLimit = 64

        @Option(help: "Recordings of a request.")
        var clipCount = 16

        @Option(help: ArgumentHelp("How long a recording may be.", valueName: "seconds"))
        var clipSeconds = 120.0

        @Option(help: ArgumentHelp("The time in which a request has to arrive.", valueName: "seconds"))
        var arrivalTime = 60.0

        @Option(help: ArgumentHelp("The time in which speech has to be made.", valueName: "seconds"))
        var workTime = 600.0

        @Option(
            help: ArgumentHelp(
                "The time without a request after which weights are let go of; 0 for never.", valueName: "seconds"))
        var idle = 900.0

        @Option(
            help: ArgumentHelp(
                "The time that speech which is being made has when the server stops.", valueName: "seconds"))
        var grace = 30.0

        func apply(to options: inout ServerOptions) throws {
            func check(_ value: Double, _ range: ClosedRange<Double>, _ flag: String) throws {
                guard range.contains(value) else {
                    throw InputError.usage(
                        "expected \(range.lowerBound) to \(range.upperBound), found \(value)", at: flag)
                }
            }
            try check(Double(queue), 1...10_000, "--queue")
            try check(Double(textLimit), 1...1_000_000, "--text-limit")
            try check(Double(uploadLimit), 1...1_024, "--upload-limit")
            try check(Double(clipCount), 1...64, "--clip-count")
            try check(clipSeconds, 1...3_600, "--clip-seconds")
            try check(arrivalTime, 1...3_600, "--arrival-time")
            try check(workTime, 1...86_400, "--work-time")
            try check(idle, 0...1e6, "--idle")
            try check(grace, 0...3_600, "--grace")
            (options.queue, options.textLimit, options.uploadLimit) = (queue, textLimit, uploadLimit << 20)
            (options.clipCount, options.clipSeconds) = (clipCount, clipSeconds)
            (options.arrivalSeconds, options.workSeconds) = (arrivalTime, workTime)
            (options.idleSeconds, options.graceSeconds) = (idle, grace)
        }
    }
#else
    /// Says that this build serves nothing; without it "serve" would be spoken.
    struct Serve: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Not in this build.", shouldDisplay: false)

        @Argument(parsing: .captureForPassthrough)
        var ignored: [String] = []

        func run() throws {
            throw InputError.usage(
                "this build has no server", at: "serve", try: "build with the trait: swift build --traits Server")
        }
    }
#endif
