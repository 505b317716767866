import Foundation

/// A line that is being typed on a terminal which does not edit lines itself, so that a status can be drawn around it.
struct TypedLine {
    private var bytes: [UInt8] = []
    /// Bytes of an escape sequence, such as an arrow key's, that has begun.
    private var escape: [UInt8] = []

    /// What stands there now.
    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// Takes keys; returns the lines that they finished.
    ///
    /// Backspace takes back a character, Control-U the line, Control-W a word; other keys that are no text do nothing.
    mutating func append(_ keys: [UInt8]) -> [String] {
        var finished: [String] = []
        for key in keys where !isPartOfEscape(key) {
            switch key {
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
                finished.append(text)
                bytes = []
            case 0x7F, 0x08: removeCharacter()
            case 0x15: bytes = []
            case 0x17:
                while bytes.last == UInt8(ascii: " ") { removeCharacter() }
                while let last = bytes.last, last != UInt8(ascii: " ") { removeCharacter() }
            case 0x1B: escape = [key]
            case 0..<0x20: break
            default: if bytes.count < LineAssembler.limit { bytes.append(key) }
            }
        }
        return finished
    }

    private mutating func removeCharacter() {
        while let last = bytes.popLast(), last & 0xC0 == 0x80 {}
    }

    private mutating func isPartOfEscape(_ key: UInt8) -> Bool {
        guard !escape.isEmpty else { return false }
        escape.append(key)
        // ESC [ parameters, then a letter or a tilde; ESC O and a letter; ESC and a character.
        let isIntroducer = escape.count == 2 && (key == UInt8(ascii: "[") || key == UInt8(ascii: "O"))
        if !isIntroducer, escape.count == 2 || (0x40...0x7E).contains(key) { escape = [] }
        return true
    }
}

/// A terminal's own echo and line editing, switched off while a program draws what is typed.
///
/// `@unchecked Sendable`: what changes is behind the lock.
public final class TerminalKeys: @unchecked Sendable {
    private let descriptor: Int32
    private let lock = NSLock()
    private var original: termios?
    /// Keys that arrive while the program leaves do not take the terminal over again.
    private var isOver = false

    public init(descriptor: Int32) { self.descriptor = descriptor }

    /// Takes the keys over, also again after a shell has had the terminal; interrupting and suspending stay as they are.
    func take() {
        var mode = termios()
        guard tcgetattr(descriptor, &mode) == 0 else { return }
        let taken = tcflag_t(ECHO | ICANON)
        guard mode.c_lflag & taken != 0 else { return }
        lock.withLock {
            guard !isOver else { return }
            if original == nil { original = mode }
            mode.c_lflag &= ~taken
            tcsetattr(descriptor, TCSANOW, &mode)
        }
    }

    /// Gives them back for good.
    public func giveBack() {
        lock.withLock {
            isOver = true
            guard var mode = original else { return }
            original = nil
            // From the background this would stop the program.
            signal(SIGTTOU, SIG_IGN)
            tcsetattr(descriptor, TCSANOW, &mode)
        }
    }
}
