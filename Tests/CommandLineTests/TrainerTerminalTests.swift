import Foundation
import Testing

/// The trainer on a terminal: what is typed and what is shown share one screen.
@Suite struct TrainerTerminalTests {
    /// Both ends of a pseudo-terminal.
    private final class Terminal {
        let master: Int32
        let slave: Int32
        private(set) var shown = ""

        init() throws {
            var (one, two) = (Int32(-1), Int32(-1))
            var size = winsize(ws_row: 24, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0)
            try #require(openpty(&one, &two, nil, nil, &size) == 0)
            (master, slave) = (one, two)
            _ = fcntl(master, F_SETFL, O_NONBLOCK)
        }

        deinit {
            close(master)
            close(slave)
        }

        /// A trainer that was started on this terminal.
        func trainer(of tiny: TinyRun) throws -> Process {
            let trainer = Process()
            trainer.executableURL = programURL("tortoise-train")
            trainer.arguments = ["--yaml", tiny.yaml]
            let handle = FileHandle(fileDescriptor: slave, closeOnDealloc: false)
            (trainer.standardInput, trainer.standardError) = (handle, handle)
            trainer.standardOutput = FileHandle.nullDevice
            try trainer.run()
            return trainer
        }

        func type(_ text: String) { _ = Array(text.utf8).withUnsafeBytes { write(master, $0.baseAddress, $0.count) } }

        /// Reads until the screen's output passes a test.
        func wait(seconds: Double = 20, until isReached: (String) -> Bool) -> Bool {
            let limit = Date(timeIntervalSinceNow: seconds)
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while Date() < limit {
                let count = read(master, &buffer, buffer.count)
                if count > 0 { shown += String(decoding: buffer[..<count], as: UTF8.self) }
                if isReached(shown) { return true }
                if count <= 0 { usleep(5_000) }
            }
            return false
        }

        func forget() { shown = "" }

        var hasEcho: Bool {
            var mode = termios()
            return tcgetattr(slave, &mode) == 0 && mode.c_lflag & tcflag_t(ECHO) != 0
        }
    }

    @Test func whatIsTypedIsNotTorn() throws {
        try withTemporaryFolder { root in
            let tiny = try TinyRun(root, iterations: 1_000_000)
            let terminal = try Terminal()
            let trainer = try terminal.trainer(of: tiny)
            defer { if trainer.isRunning { kill(trainer.processIdentifier, SIGKILL) } }
            #expect(terminal.wait { $0.contains("epoch 0") || $0.contains("epoch 1") }, "\(terminal.shown.suffix(500))")
            #expect(!terminal.hasEcho)
            terminal.type("sax")
            #expect(terminal.wait { $0.contains("> sax") })
            terminal.forget()
            // Steps go on being shown, each time with the whole of what was typed before them.
            #expect(terminal.wait { $0.components(separatedBy: "\r\u{1B}[K> sax").count > 5 })
            #expect(!terminal.shown.contains("\u{1B}[K1"))
            terminal.type("\u{7F}ve\r")
            #expect(terminal.wait { $0.contains("saved step") })
            terminal.type("quit\r")
            #expect(terminal.wait { $0.contains("left at step") }, "\(terminal.shown.suffix(500))")
            trainer.waitUntilExit()
            #expect(trainer.terminationStatus == 0)
            #expect(terminal.hasEcho)
        }
    }

    @Test func anInterruptGivesTheTerminalBack() throws {
        try withTemporaryFolder { root in
            let tiny = try TinyRun(root, iterations: 1_000_000)
            let terminal = try Terminal()
            let trainer = try terminal.trainer(of: tiny)
            defer { if trainer.isRunning { kill(trainer.processIdentifier, SIGKILL) } }
            #expect(terminal.wait { $0.contains("epoch 0") || $0.contains("epoch 1") })
            kill(trainer.processIdentifier, SIGINT)
            #expect(terminal.wait { $0.contains("left at step") })
            trainer.waitUntilExit()
            #expect(trainer.terminationStatus == 130 && terminal.hasEcho)
        }
    }
}
