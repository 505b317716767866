import Foundation
import Testing

/// The trainer as a process: its console, signals, files and what is left after it was killed.
@Suite(.serialized) struct TrainerProcessTests {
    private static let endless = 1_000_000

    @Test func stoppingAndGoingOnGivesTheSameBytes() throws {
        try withTemporaryFolder { root in
            let whole = try TinyRun(root, iterations: 24)
            #expect(try run("tortoise-train", ["--yaml", whole.yaml]).status == 0)
            let expected = try whole.checkpoint(24)
            for stop in [3, 5, 13] {
                try FileManager.default.removeItem(at: whole.folder)
                _ = try TinyRun(root, iterations: stop)
                #expect(try run("tortoise-train", ["--yaml", whole.yaml]).status == 0)
                _ = try TinyRun(root, iterations: 24)
                // With evaluations in between, too.
                let result = try run("tortoise-train", ["--yaml", whole.yaml], input: "eval@\(stop + 2)\neval@20\n")
                #expect(result.status == 0 && result.errors.contains("val.mel"), "\(result.errors)")
                #expect(try whole.checkpoint(24) == expected, "stopped at \(stop)")
            }
        }
    }

    @Test func wordsThroughAPipeAreObeyed() throws {
        try withTemporaryFolder { root in
            let tiny = try TinyRun(root, iterations: Self.endless)
            let pipe = Pipe()
            let trainer = try RunningProgram("tortoise-train", ["--yaml", tiny.yaml], input: pipe)
            #expect(trainer.wait(for: "steps per epoch"))
            pipe.fileHandleForWriting.write(Data("  SaVe \r\nstatus\nflub\nlr 1e-4\n".utf8))
            #expect(trainer.wait(for: "saved step"))
            #expect(trainer.wait(for: "of \(Self.endless), epoch"))
            #expect(trainer.wait(for: "not understood: 'flub'"))
            #expect(trainer.wait(for: "the learning rate is 0.0001"))
            // The last line has no newline, and its end is no command.
            pipe.fileHandleForWriting.write(Data("quit".utf8))
            try pipe.fileHandleForWriting.close()
            #expect(trainer.finish() == 0)
            #expect(tiny.latest != nil)
        }
    }

    @Test func otherStandardInputsAreNoTrouble() throws {
        try withTemporaryFolder { root in
            let tiny = try TinyRun(root, iterations: Self.endless)
            // A regular file is a script.
            let script = root.appending(path: "script")
            try Data("save\neval\nquit".utf8).write(to: script)
            let scripted = try RunningProgram(
                "tortoise-train", ["--yaml", tiny.yaml], input: try FileHandle(forReadingFrom: script))
            #expect(scripted.finish() == 0 && scripted.said.contains("saved step"))
            // /dev/null says nothing; a pipe that ends is said once, and training goes on.
            for (input, note) in [
                (FileHandle.nullDevice as Any, "steps per epoch"), (endedPipe() as Any, "standard input has ended"),
            ] {
                let trainer = try RunningProgram("tortoise-train", ["--yaml", tiny.yaml], input: input)
                #expect(trainer.wait(for: note))
                usleep(200_000)
                #expect(trainer.process.isRunning)
                trainer.signal(SIGTERM)
                #expect(trainer.finish() == 143)
            }
            // Closed altogether.
            let shell = Process()
            shell.executableURL = URL(filePath: "/bin/sh")
            shell.arguments = ["-c", "exec \"$0\" --yaml \"$1\" <&-", programURL("tortoise-train").path, tiny.yaml]
            shell.standardError = FileHandle.nullDevice
            try shell.run()
            usleep(700_000)
            #expect(shell.isRunning)
            kill(shell.processIdentifier, SIGTERM)
            shell.waitUntilExit()
            #expect(shell.terminationStatus == 143)
        }
    }

    private func endedPipe() -> Pipe {
        let pipe = Pipe()
        try? pipe.fileHandleForWriting.close()
        return pipe
    }

    @Test func signalsDoWhatTheyPromise() throws {
        try withTemporaryFolder { root in
            let tiny = try TinyRun(root, iterations: Self.endless)
            for (signal, status) in [(SIGINT, Int32(130)), (SIGTERM, 143), (SIGHUP, 129)] {
                let before = tiny.latest ?? 0
                let trainer = try RunningProgram("tortoise-train", ["--yaml", tiny.yaml], input: FileHandle.nullDevice)
                #expect(trainer.wait(for: "epoch "))
                usleep(100_000)
                trainer.signal(SIGUSR2)
                #expect(trainer.wait(for: "learning rate"))
                trainer.signal(SIGUSR1)
                #expect(trainer.wait(for: "saved step"))
                trainer.signal(signal)
                #expect(trainer.finish() == status)
                #expect((tiny.latest ?? 0) > before)
            }
        }
    }

    @Test func theControlFileAndTheLock() throws {
        try withTemporaryFolder { root in
            let tiny = try TinyRun(root, iterations: Self.endless)
            let trainer = try RunningProgram("tortoise-train", ["--yaml", tiny.yaml], input: FileHandle.nullDevice)
            #expect(trainer.wait(for: "steps per epoch"))
            let second = try run("tortoise-train", ["--yaml", tiny.yaml])
            #expect(second.status == 2 && second.errors.contains("another trainer"))
            #expect(try run("tortoise-train", ["tell", tiny.folder.path, "save"]).status == 0)
            #expect(trainer.wait(for: "saved step"))
            #expect(try run("tortoise-train", ["tell", tiny.folder.path, "sav"]).errors.contains("did you mean save"))
            #expect(try run("tortoise-train", ["tell", tiny.folder.path, "quit!"]).status == 0)
            #expect(trainer.finish() == 0)
        }
    }

    /// Killed at any moment, also while it saves, the newest checkpoint loads; TORTOISE_SOAK raises the number of kills.
    @Test func killedRunsGoOn() throws {
        let kills = ProcessInfo.processInfo.environment["TORTOISE_SOAK"].flatMap(Int.init) ?? 25
        try withTemporaryFolder { root in
            // Saving at every step: most kills fall into a save.
            let tiny = try TinyRun(root, iterations: Self.endless, saveFrequency: 1)
            var generator = SystemRandomNumberGenerator()
            var reached = 0
            for _ in 0..<kills {
                let trainer = try RunningProgram("tortoise-train", ["--yaml", tiny.yaml], input: FileHandle.nullDevice)
                #expect(trainer.wait(for: "steps per epoch"), "\(trainer.said)")
                if reached > 0 { #expect(trainer.said.contains("continuing from"), "\(trainer.said)") }
                usleep(UInt32.random(in: 0..<120_000, using: &generator))
                trainer.signal(SIGKILL)
                _ = trainer.finish()
                let now = tiny.latest ?? 0
                #expect(now >= reached)
                reached = now
            }
            let names = try FileManager.default.contentsOfDirectory(atPath: tiny.checkpoints.path)
            #expect(names.count { $0.hasPrefix(".") } <= 2, "leftovers: \(names)")
        }
    }
}
