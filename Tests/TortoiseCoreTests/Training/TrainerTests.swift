import Foundation
import Testing

@testable import TortoiseCore

/// The loop: exact continuation, commands, spoiled losses, checkpoints.
@Suite struct TrainerTests {
    static let optimizers: [OptimizerName] = [.adamw, .adam, .adamw8bit, .sgd, .prodigy]

    /// N + stop + N steps are 2N steps, bit for bit.
    @Test(arguments: optimizers, [1, 5, 12])
    func resumeIsExact(optimizer: OptimizerName, stop: Int) throws {
        try withTemporaryFolder { root in
            let whole = ToyRun(root: root + "/whole")
            try whole.run(steps: 20, optimizer: optimizer) { $0.trainer.ema.decay = 0.9 }
            try ToyRun(root: root + "/parts").run(steps: stop, optimizer: optimizer) { $0.trainer.ema.decay = 0.9 }
            let rest = ToyRun(root: root + "/parts", task: ToyTask(seed: 99))
            try rest.run(steps: 20, optimizer: optimizer) { $0.trainer.ema.decay = 0.9 }
            #expect(rest.steps.first?.step == stop + 1)
            #expect(rest.task.bits == whole.task.bits)
            #expect(rest.task.extraSteps == 20)
            for name in ["state.sft", "optimizer.sft"] {
                let expected = FileManager.default.contents(atPath: "\(root)/whole/ckpt/toy/20/\(name)")
                let found = FileManager.default.contents(atPath: "\(root)/parts/ckpt/toy/20/\(name)")
                #expect(expected != nil && expected == found)
            }
        }
    }

    @Test func evaluationChangesNothing() throws {
        try withTemporaryFolder { root in
            let plain = ToyRun(root: root + "/plain")
            try plain.run(steps: 10) { $0.trainer.ema.decay = 0.9 }
            let evaluated = ToyRun(root: root + "/evaluated")
            let task = evaluated.task
            var seen: [[[UInt32]]] = []
            evaluated.evaluation = { step in
                seen.append(task.bits)
                _ = task.loss(try ToySource().next(), phase: 0, .inference)
                return EvaluationReport(step: step, metrics: [("val.mse", 1)], seconds: 0)
            }
            evaluated.onEvent = { event in
                if case .step(let report) = event, report.step == 4 {
                    evaluated.inbox.post(.line("eval\neval", .console))
                }
            }
            try evaluated.run(steps: 10) {
                $0.trainer.ema.decay = 0.9
                $0.evaluation.frequency = 3
            }
            #expect(evaluated.task.bits == plain.task.bits)
            #expect(seen.count >= 3 && seen[0] != evaluated.task.bits)
        }
    }

    @Test func commandsAreObeyedAtStepBoundaries() throws {
        try withTemporaryFolder { root in
            let run = ToyRun(root: root)
            run.onEvent = { event in
                guard case .step(let report) = event else { return }
                switch report.step {
                case 3:
                    for line in [" SAVE \r", "save", "lr 0.001", "nonsense", "lr abc", ""] {
                        run.inbox.post(.line(line, .console))
                    }
                case 5:
                    for line in ["status@7", "quit@9", "event show", "time", "time to 8"] {
                        run.inbox.post(.line(line, .console))
                    }
                default: break
                }
            }
            let outcome = try run.run(steps: 100)
            #expect(outcome == .quit(step: 9, exitCode: 0))
            #expect(run.savedSteps == [3, 9])
            #expect(run.answers.contains { $0.hasPrefix("already saved: step 3") })
            #expect(run.refusals.contains { $0.contains("nonsense") } && run.refusals.contains { $0.contains("lr") })
            #expect(run.answers.contains { $0.contains("quit@9") && $0.contains("status@7") })
            #expect(run.answers.contains { $0.hasPrefix("step 7 of 100") })
            #expect(run.answers.contains { $0.hasSuffix("to step 8") })
            #expect(run.steps[2].learningRate == 0.02 && run.steps[3].learningRate == 0.001)
            // What `lr` set holds after a restart.
            let rest = ToyRun(root: root)
            try rest.run(steps: 10)
            #expect(rest.steps.map(\.learningRate) == [0.001])
        }
    }

    @Test func quittingWithoutSaving() throws {
        try withTemporaryFolder { root in
            let run = ToyRun(root: root)
            run.inbox.post(.line("quit!@4", .console))
            let outcome = try run.run(steps: 10)
            #expect(outcome == .quit(step: 4, exitCode: 0))
            #expect(run.savedSteps.isEmpty)
        }
    }

    @Test(arguments: [("SIGINT", Int32(130)), ("SIGTERM", 143), ("SIGHUP", 129)])
    func signalsSaveAndLeave(name: String, code: Int32) throws {
        try withTemporaryFolder { root in
            let run = ToyRun(root: root)
            run.onEvent = { event in
                if case .step(let report) = event, report.step == 2 {
                    run.inbox.post(.signal(name: name, .quit(saving: true), exitCode: code))
                }
            }
            let outcome = try run.run(steps: 10) { $0.trainer.saveOnQuit = false }
            #expect(outcome.exitCode == code && run.savedSteps == [2])
        }
    }

    @Test func pauseWaitsForResume() throws {
        try withTemporaryFolder { root in
            let run = ToyRun(root: root)
            run.onEvent = { event in
                if case .step(let report) = event, report.step == 2 { run.inbox.post(.line("pause", .console)) }
                if case .paused = event {
                    let inbox = run.inbox
                    Thread.detachNewThread {
                        usleep(50_000)
                        inbox.post(.line("save", .console))
                        inbox.post(.line("resume", .console))
                    }
                }
            }
            try run.run(steps: 4)
            #expect(run.savedSteps == [2, 4])
            #expect(run.events.contains { if case .resumed = $0 { true } else { false } })
        }
    }

    @Test func spoiledLossesAreSkippedAndNamed() throws {
        try withTemporaryFolder { root in
            let run = ToyRun(root: root)
            run.source.spoils = { $0 == SamplerPosition(epoch: 0, batch: 3) }
            try run.run(steps: 6)
            let faults = run.events.compactMap { event -> (Int, [String])? in
                if case .badUpdate(let step, _, let names) = event { (step, names) } else { nil }
            }
            #expect(faults.map(\.0) == [2] && faults.first?.1 == ["toy/0-3"])
            #expect(run.task.bits.joined().allSatisfy { Float(bitPattern: $0).isFinite })
            #expect(run.savedSteps == [6])
        }
    }

    @Test func persistentlySpoiledLossesGoBackAndThenEnd() throws {
        try withTemporaryFolder { root in
            let run = ToyRun(root: root)
            run.source.spoils = { $0.epoch >= 1 }
            let outcome = try run.run(steps: 100) {
                $0.trainer.saveFrequency = 2
                $0.trainer.maximumBadUpdates = 3
            }
            let rates = run.events.compactMap { event -> Double? in
                if case .wentBack(_, _, let rate) = event { rate } else { nil }
            }
            #expect(rates == [0.01, 0.005, 0.0025])
            guard case .diverged = outcome else {
                Issue.record("expected the run to end as diverged, found \(outcome)")
                return
            }
            #expect(outcome.exitCode == 4)
            // The last checkpoint is a good one.
            let rest = ToyRun(root: root)
            try rest.run(steps: 8)
            #expect(rest.task.bits.joined().allSatisfy { Float(bitPattern: $0).isFinite })
        }
    }

    @Test func oldCheckpointsArePruned() throws {
        try withTemporaryFolder { root in
            try ToyRun(root: root).run(steps: 9) {
                $0.trainer.saveFrequency = 2
                $0.trainer.keepLastCheckpoints = 2
            }
            #expect(CheckpointFolder(path: root + "/ckpt/toy").tags == ["8", "9"])
        }
    }

    @Test func aCheckpointThatAKillLeftWithoutItsNameIsFound() throws {
        try withTemporaryFolder { root in
            try ToyRun(root: root).run(steps: 2) { $0.trainer.saveTag = "best" }
            let folder = root + "/ckpt/toy/"
            try FileManager.default.moveItem(atPath: folder + "best", toPath: folder + ".unfinished-best-old")
            let rest = ToyRun(root: root)
            try rest.run(steps: 3) { $0.trainer.saveTag = "best" }
            #expect(rest.steps.map(\.step) == [3])
            #expect(CheckpointFolder(path: folder).tags == ["best"])
        }
    }

    /// Puts a file where checkpoints would go.
    private func blockCheckpoints(_ root: String) throws {
        try FileManager.default.removeItem(atPath: root + "/ckpt/toy")
        try Data().write(to: URL(filePath: root + "/ckpt/toy"))
    }

    @Test func whatCannotBeSavedIsNotLeftInSilence() throws {
        try withTemporaryFolder { root in
            let run = ToyRun(root: root)
            run.onEvent = { event in
                guard case .step(let report) = event else { return }
                if report.step == 2 {
                    try? self.blockCheckpoints(root)
                    run.inbox.post(.line("quit", .console))
                }
                if report.step == 4 { run.inbox.post(.line("quit!", .console)) }
            }
            let outcome = try run.run(steps: 100)
            #expect(outcome == .quit(step: 4, exitCode: 0))
            #expect(run.warnings.contains { $0.contains("quit!") })
        }
        try withTemporaryFolder { root in
            let run = ToyRun(root: root)
            run.onEvent = { if case .step(let report) = $0, report.step == 2 { try? self.blockCheckpoints(root) } }
            let outcome = try run.run(steps: 3)
            #expect(outcome == .finished(step: 3, isComplete: false) && outcome.exitCode == 3)
        }
    }

    @Test func whatWasLearnedIsSavedBeforeTheDataFails() throws {
        try withTemporaryFolder { root in
            let run = ToyRun(root: root)
            run.source.fails = { $0 == SamplerPosition(epoch: 0, batch: 6) }
            #expect(throws: InputError.self) { try run.run(steps: 100) }
            #expect(run.savedSteps == [3])
        }
    }

    @Test func aNewAverageBeginsWithTheCheckpointsWeights() throws {
        try withTemporaryFolder { root in
            try ToyRun(root: root).run(steps: 3)
            let rest = ToyRun(root: root)
            try rest.run(steps: 3) { $0.trainer.ema.decay = 0.9 }
            let average = try #require(rest.trainer?.state.average).values.map { $0.tensor.values.map(\.bitPattern) }
            #expect(average == rest.task.bits)
        }
    }

    @Test func changedDataIsNamed() throws {
        try withTemporaryFolder { root in
            try ToyRun(root: root).run(steps: 2)
            let other = ToyRun(root: root, source: ToySource(identity: "another"))
            let error = #expect(throws: InputError.self) { try other.run(steps: 4) }
            #expect(error?.description.contains("dataset was toy, is another") == true)
            try ToyRun(root: root, source: ToySource(identity: "another")).run(steps: 4, force: true)
        }
    }

    @Test func damagedCheckpointsArePassedOver() throws {
        try withTemporaryFolder { root in
            try ToyRun(root: root).run(steps: 4) { $0.trainer.saveFrequency = 2 }
            let newest = root + "/ckpt/toy/4/state.sft"
            try Data(FileManager.default.contents(atPath: newest)?.prefix(50) ?? Data()).write(
                to: URL(filePath: newest))
            let rest = ToyRun(root: root)
            try rest.run(steps: 3)
            #expect(rest.steps.map(\.step) == [3])
            #expect(rest.warnings.contains { $0.contains("passed over") })
        }
    }

    @Test func twoPhasesHaveTheirOwnOptimizers() throws {
        try withTemporaryFolder { root in
            let whole = ToyRun(root: root + "/whole", task: ToyTask(hasTwoPhases: true))
            try whole.run(steps: 6)
            #expect(whole.steps.allSatisfy { $0.gradientNorms.map(\.name) == ["a", "b"] })
            try ToyRun(root: root + "/parts", task: ToyTask(hasTwoPhases: true)).run(steps: 3)
            let rest = ToyRun(root: root + "/parts", task: ToyTask(seed: 7, hasTwoPhases: true))
            try rest.run(steps: 6)
            #expect(rest.task.bits == whole.task.bits)
        }
    }

    @Test func metricsAreJSONLines() throws {
        try withTemporaryFolder { root in
            try ToyRun(root: root).run(steps: 3)
            let text = try String(contentsOfFile: root + "/logs/1/metrics.jsonl", encoding: .utf8)
            let lines = try text.split(separator: "\n").map { try JSONValue(parsing: Array($0.utf8), at: "metrics") }
            #expect(lines.count == 4)
            #expect(lines[0]["it"]?.integerValue == 1 && lines[0]["loss.mse"] != nil && lines[0]["grad_norm"] != nil)
            #expect(lines[3]["event"]?.stringValue == "save")
        }
    }
}
