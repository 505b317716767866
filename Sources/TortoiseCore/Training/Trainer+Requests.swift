// What is asked of a running trainer, obeyed between two steps.

extension Trainer {
    /// Obeys everything that arrived; returns how the run ends when it was asked to end.
    func obeyRequests() -> TrainingOutcome? {
        repeat {
            for command in schedule.due(at: state.stats.step) {
                if let outcome = obey(command, exitCode: nil) { return outcome }
            }
            for request in inbox.take() {
                if let outcome = obey(request) { return outcome }
            }
            if isPaused { inbox.wait(seconds: 1) }
        } while isPaused
        return nil
    }

    private func obey(_ request: TrainerRequest) -> TrainingOutcome? {
        switch request {
        case .note(let text): report(.answer(text))
        case .signal(let name, let command, let exitCode):
            report(.answer("\(name): \(command)"))
            return obey(command, exitCode: exitCode)
        case .line(let line, _):
            do {
                if let command = try ConsoleCommand(line: line) { return obey(command, exitCode: nil) }
            } catch {
                report(.refused("\(error)"))
            }
        }
        return nil
    }

    private func obey(_ command: ConsoleCommand, exitCode: Int32?) -> TrainingOutcome? {
        let step = state.stats.step
        switch command {
        case .save: save()
        case .export: saveAndExport()
        case .quit(let saving): return quit(saving: saving, exitCode: exitCode)
        case .evaluate(let thenQuit):
            evaluate()
            if thenQuit { return quit(saving: true, exitCode: exitCode) }
        case .learningRate(let rate):
            state.stats.learningRate = rate
            let next = learningRate(at: step)
            let share = next == rate ? "" : ", of which the schedule takes \(next) at the next one"
            report(.answer("the learning rate is \(rate) from step \(step + 1) on\(share)"))
        case .lossScale(let scale):
            report(.answer("losses are computed in float32 and need no scale; \(scale) changes nothing"))
        case .status: report(.answer(status))
        case .pause:
            isPaused = true
            report(.paused(step: step))
        case .resume:
            if isPaused { report(.resumed) }
            isPaused = false
        case .time(let target): report(.answer(timeLeft(to: target)))
        case .scheduled(let what, let target):
            guard target > step else {
                if target == step { return obey(what, exitCode: nil) }
                report(.warning("step \(target) has passed; this is step \(step)"))
                return nil
            }
            schedule.add(what, at: target)
            report(.answer("\(what) at step \(target)"))
        case .showEvents:
            let lines = schedule.events.map { "  \($0.command)@\($0.step)" }
            report(.answer(lines.isEmpty ? "nothing is scheduled" : "scheduled:\n" + lines.joined(separator: "\n")))
        case .clearEvents:
            schedule.clear()
            report(.answer("nothing is scheduled any more"))
        case .help:
            let lines = ConsoleCommand.words.map { "  " + $0.usage.padding(to: 14) + $0.meaning }
            report(.answer("commands:\n" + lines.joined(separator: "\n")))
        }
        return nil
    }

    /// Nil where the checkpoint that was wanted cannot be written: then only a signal, or `quit!`, ends the run.
    private func quit(saving: Bool, exitCode: Int32?) -> TrainingOutcome? {
        // A signal is no wish to lose work, whatever save_on_quit says.
        if saving, options.trainer.saveOnQuit || exitCode != nil {
            let isSaved = save()
            guard isSaved || exitCode != nil else {
                report(.warning("training goes on; make room and try again, or leave without a checkpoint: quit!"))
                return nil
            }
            if isSaved, options.trainer.exportOnQuit, !options.trainer.exportOnSave, exitCode == nil { export() }
        }
        return .quit(step: state.stats.step, exitCode: exitCode ?? 0)
    }

    private var status: String {
        let stats = state.stats
        let saved = lastSave.map { "last checkpoint at step \($0.step)" } ?? "no checkpoint of this run yet"
        return
            "step \(stats.step) of \(options.trainer.iterations), epoch \(stats.position.epoch), \(stats.samples.counted("utterance")), "
            + "learning rate \(learningRate(at: stats.step)), \(saved), \(schedule.events.count) scheduled\(isPaused ? ", paused" : "")"
    }

    private func timeLeft(to target: Int?) -> String {
        let target = target ?? options.trainer.iterations
        guard target > state.stats.step else { return "step \(target) has passed; this is step \(state.stats.step)" }
        let seconds = secondsLeft(to: target)
        guard seconds > 0 else { return "unknown before the first step" }
        return "\(seconds.asTime) to step \(target)"
    }
}

extension String {
    /// Followed by blanks up to a width.
    func padding(to width: Int) -> String { self + String(repeating: " ", count: max(1, width - count)) }
}

extension Double {
    /// Seconds as a person says them: "45 s", "3 min 20 s", "5 h 2 min", "3 d 4 h".
    public var asTime: String {
        guard isFinite, self < 1e12 else { return "a very long time" }
        let total = Int(rounded())
        switch total {
        case ..<100: return "\(total) s"
        case ..<6_000: return "\(total / 60) min \(total % 60) s"
        case ..<172_800: return "\(total / 3_600) h \(total % 3_600 / 60) min"
        default: return "\(total / 86_400) d \(total % 86_400 / 3_600) h"
        }
    }
}
