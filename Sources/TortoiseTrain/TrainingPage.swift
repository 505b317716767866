import Foundation
import TortoiseCommandLine
import TortoiseCore

#if Server
    import TortoiseServer

    /// The web page of the run that this process is.
    struct TrainingPage {
        private let options: ServerOptions

        /// - Throws: `InputError.usage` for addresses that cannot be used, or that others could reach without a token.
        init(address: String, _ access: AccessOptions) throws {
            var options = ServerOptions()
            try options.listen(at: address)
            options.token = try access.secret()
            try options.checkAccess(isOpen: access.noToken)
            self.options = options
        }

        /// Serves until the process ends; that the page is not there does not end a training.
        func start(folder: String, _ display: TrainingDisplay) throws {
            try display.copyLines(to: TrainingFolders.logPath(folder: folder))
            let server = try TortoiseServer(options, monitor: TrainingFolders(run: folder), isQuiet: true)
            server.start(
                onListening: { display.tell("this run is shown at \($0)") },
                onFailure: { display.tell("the page is not there: \($0)") })
        }
    }
#else
    /// There is no page in a build without the trait `Server`.
    struct TrainingPage {
        init(address: String, _ access: AccessOptions) throws {
            throw InputError.usage("this build has no server", at: "--serve", try: "build with the trait Server")
        }

        func start(folder: String, _ display: TrainingDisplay) throws {}
    }
#endif
