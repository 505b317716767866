import Foundation

/// Reads commands from standard input, whatever that is, without ever stopping or spinning.
///
/// A terminal is read only while the program is in its foreground, so that a job in the background is not stopped
/// (SIGTTIN). A pipe is read to its end, of which the user hears once. A regular file is a script: one line at each step
/// boundary. /dev/null and other devices say nothing.
public struct StandardInputReader: Sendable {
    /// What standard input is.
    public enum Kind: String, Sendable {
        case terminal, pipe, file, nothing

        static func of(_ descriptor: Int32) -> Kind {
            var status = stat()
            guard fstat(descriptor, &status) == 0 else { return .nothing }
            switch status.st_mode & S_IFMT {
            case S_IFREG: return .file
            case S_IFIFO, S_IFSOCK: return .pipe
            case S_IFCHR: return isatty(descriptor) == 1 ? .terminal : .nothing
            default: return .nothing
            }
        }
    }

    public let kind: Kind
    private let descriptor: Int32
    private let inbox: CommandInbox
    private let keys: TerminalKeys?
    private let onTyping: @Sendable (String) -> Void

    /// - Parameters:
    ///   - descriptor: Standard input, or another for tests.
    ///   - keys: When given and standard input is a terminal, keys are taken over, and `onTyping` draws what was typed.
    ///   - onTyping: Hears of the unfinished line whenever it changes.
    public init(
        descriptor: Int32 = STDIN_FILENO, inbox: CommandInbox, keys: TerminalKeys? = nil,
        onTyping: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.descriptor = descriptor
        self.inbox = inbox
        self.keys = keys
        self.onTyping = onTyping
        kind = Kind.of(descriptor)
    }

    /// Starts the thread that reads.
    public func start() {
        guard kind != .nothing else { return }
        let thread = Thread { readAll() }
        thread.name = "console"
        thread.start()
    }

    /// Reads to the end; returns at once for what has none to wait for.
    func readAll() {
        switch kind {
        case .nothing: return
        case .file: inbox.post(script: readFile())
        case .pipe: readStream(endMeans: "standard input has ended; training goes on (write commands to run.ctl)")
        case .terminal:
            // Whoever reads while in the background is stopped; with this ignored the read fails and is tried again.
            signal(SIGTTIN, SIG_IGN)
            if keys != nil { readKeys() } else { readStream(endMeans: nil) }
        }
    }

    private func readFile() -> [String] {
        var lines = LineAssembler()
        var result: [String] = []
        while let bytes = readChunk(), !bytes.isEmpty { result += lines.append(bytes) }
        return result + [lines.finish()].compactMap { $0 }
    }

    private func readStream(endMeans note: String?) {
        var lines = LineAssembler()
        while true {
            if kind == .terminal, !isForeground {
                usleep(Self.backgroundPause)
                continue
            }
            guard let bytes = readChunk() else { return }
            if bytes.isEmpty {
                if let last = lines.finish() { inbox.post(.line(last, .console)) }
                // A named pipe may get another writer, whose lines count as well.
                guard kind == .terminal || isNamedPipe else {
                    if let note { inbox.post(.note(note)) }
                    return
                }
                // Control-D on a terminal: nothing ended, but never spin.
                usleep(Self.backgroundPause)
            }
            for line in lines.append(bytes) { inbox.post(.line(line, .console)) }
        }
    }

    private func readKeys() {
        var line = TypedLine()
        while let bytes = readChunk() {
            if bytes.isEmpty { usleep(Self.backgroundPause) }
            let finished = line.append(bytes)
            onTyping(line.text)
            for line in finished { inbox.post(.line(line, .console)) }
        }
    }

    private var isNamedPipe: Bool {
        var named = stat()
        var own = stat()
        guard kind == .pipe, fstat(descriptor, &own) == 0, own.st_mode & S_IFMT == S_IFIFO else { return false }
        // What a shell makes with | lies in no folder.
        let link = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(descriptor)")) ?? ""
        return link.hasPrefix("/") && stat(link, &named) == 0 && named.st_ino == own.st_ino
    }

    private static let backgroundPause: UInt32 = 250_000

    private var isForeground: Bool {
        let group = tcgetpgrp(descriptor)
        return group < 0 || group == getpgrp()
    }

    /// What there is to read; empty at the end, nil when reading has become impossible.
    private func readChunk() -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while true {
            if kind != .file {
                if isForeground { keys?.take() }
                var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                let ready = poll(&request, 1, 500)
                if ready == 0 {
                    // Come up for air, so that a terminal that was left is noticed.
                    if kind == .terminal, !isForeground { usleep(Self.backgroundPause) }
                    continue
                }
                if ready < 0, errno != EINTR { return nil }
                if request.revents & Int16(POLLNVAL) != 0 { return nil }
                if kind == .terminal, !isForeground {
                    usleep(Self.backgroundPause)
                    continue
                }
            }
            let count = read(descriptor, &buffer, buffer.count)
            if count >= 0 { return Array(buffer[..<count]) }
            switch errno {
            case EINTR: continue
            case EAGAIN: usleep(Self.backgroundPause)
            case EIO where kind == .terminal && !isForeground: usleep(Self.backgroundPause)
            default: return nil
            }
        }
    }
}
