import Foundation
import Testing

@testable import TortoiseCore

/// What can be typed, and everything that standard input can be.
@Suite struct ConsoleTests {
    @Test(arguments: [
        ("save", ConsoleCommand.save), ("  QUIT \r", .quit(saving: true)), ("quit!", .quit(saving: false)),
        ("Eval", .evaluate(thenQuit: false)), ("eval_quit", .evaluate(thenQuit: true)), ("export", .export),
        ("lr 1e-4", .learningRate(1e-4)), ("lr   0", .learningRate(0)), ("loss_scale 1024", .lossScale(1_024)),
        ("time", .time(to: nil)), ("time to 500", .time(to: 500)), ("time 500", .time(to: 500)),
        ("save@100", .scheduled(.save, step: 100)), ("lr 1e-5 @ 70", .scheduled(.learningRate(1e-5), step: 70)),
        ("event show", .showEvents), ("EVENT CLEAR", .clearEvents), ("pause", .pause), ("resume", .resume),
        ("help", .help),
    ])
    func commandsAreRead(line: String, command: ConsoleCommand) throws {
        #expect(try ConsoleCommand(line: line) == command)
        // As it is shown it can be typed again.
        #expect(try ConsoleCommand(line: "\(command)") == command)
    }

    @Test(arguments: [
        ("sav", "save"), ("lr", "lr X"), ("lr fast", "lr"), ("lr nan", "lr"), ("lr -1", "lr"), ("save@", "step"),
        ("@5", "command"),
        ("save@5@6", "'@'"), ("save@-1", "step"), ("time to never", "step"), ("\u{1F422}", "help"),
        ("save now", "help"),
    ])
    func malformedLinesGetAHint(line: String, hint: String) {
        let error = #expect(throws: InputError.self) { try ConsoleCommand(line: line) }
        #expect(error?.description.contains(hint) == true, "\(error?.description ?? "no error")")
        #expect(error?.description.contains("\n") == false)
    }

    @Test func blankLinesAreNothing() throws {
        #expect(try ConsoleCommand(line: " \r") == nil)
    }

    private func lines(_ requests: [TrainerRequest]) -> [String] {
        requests.map { request in
            switch request {
            case .line(let text, _): text
            case .note(let text): "note: " + text.prefix(24)
            case .signal(let name, _, _): name
            }
        }
    }

    @Test func pipesAreReadToTheEnd() throws {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        let inbox = CommandInbox()
        let reader = StandardInputReader(descriptor: ends[0], inbox: inbox)
        #expect(reader.kind == .pipe)
        let text = Array("save\r\nstatus\nquit".utf8)
        write(ends[1], text, text.count)
        close(ends[1])
        reader.readAll()
        close(ends[0])
        #expect(lines(inbox.take()) == ["save\r", "status", "quit", "note: standard input has ended"])
    }

    @Test func filesAreObeyedLineByLine() throws {
        try withTemporaryFolder { folder in
            try "status\n\nsave\nquit".write(toFile: folder + "/script", atomically: true, encoding: .utf8)
            let descriptor = open(folder + "/script", O_RDONLY)
            defer { close(descriptor) }
            let inbox = CommandInbox()
            let reader = StandardInputReader(descriptor: descriptor, inbox: inbox)
            #expect(reader.kind == .file)
            reader.readAll()
            #expect((0..<5).map { _ in lines(inbox.take()) } == [["status"], [""], ["save"], ["quit"], []])
        }
    }

    @Test func devicesAndClosedDescriptorsSayNothing() {
        let null = open("/dev/null", O_RDONLY)
        defer { close(null) }
        #expect(StandardInputReader(descriptor: null, inbox: CommandInbox()).kind == .nothing)
        #expect(StandardInputReader(descriptor: 987, inbox: CommandInbox()).kind == .nothing)
    }

    @Test func longLinesAreCut() {
        var assembler = LineAssembler()
        let lines = assembler.append([UInt8](repeating: 65, count: 100_000) + [10] + Array("save\n".utf8))
        #expect(lines.map(\.count) == [LineAssembler.limit, 4])
    }

    @Test func controlFileIsTakenOnce() throws {
        try withTemporaryFolder { folder in
            let file = ControlFile(folder: folder)
            #expect(file.take().isEmpty)
            try file.write("save")
            try file.write("quit@10")
            #expect(file.take() == ["save", "quit@10"])
            #expect(file.take().isEmpty)
            #expect(throws: InputError.self) { try file.write("sav") }
            try "status".write(toFile: file.path, atomically: false, encoding: .utf8)
            #expect(file.take() == ["status"])
            try file.write("save")
            #expect(file.discard() && file.take().isEmpty)
        }
    }

    @Test func oneTrainerAFolder() throws {
        try withTemporaryFolder { folder in
            #expect(!RunLock.isHeld(root: folder))
            let lock = try RunLock(root: folder)
            #expect(RunLock.isHeld(root: folder))
            #expect(throws: InputError.self) { try RunLock(root: folder) }
            withExtendedLifetime(lock) {}
        }
    }

    @Test func scheduledCommandsComeOnce() {
        var schedule = CommandSchedule()
        schedule.add(.save, at: 5)
        schedule.add(.status, at: 3)
        schedule.add(.export, at: 5)
        #expect(schedule.due(at: 2).isEmpty)
        #expect(schedule.due(at: 4).isEmpty && schedule.events.count == 2)
        #expect(schedule.due(at: 5) == [.save, .export])
        #expect(schedule.due(at: 5).isEmpty)
    }
}
