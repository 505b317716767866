// Saving, exporting, continuing, and going back when losses are spoiled.

extension Trainer {
    /// The times a run goes back to the same checkpoint before it gives up.
    private static var patience: Int { 3 }

    /// Writes a checkpoint unless this step has one.
    ///
    /// Training and the checkpoints before it survive whatever happens here.
    /// - Returns: Whether the step has a checkpoint now.
    @discardableResult
    func save() -> Bool {
        let step = state.stats.step
        if let lastSave, lastSave.step == step {
            report(.answer("already saved: step \(step) is in \(lastSave.path)"))
            return true
        }
        let spoiled = state.spoiledParameters
        guard spoiled.isEmpty else {
            let reason = "not saved: NaN or infinity in \(spoiled.prefix(5).joined(separator: ", "))"
            report(.saveFailed(step: step, reason: reason))
            return false
        }
        let start = ContinuousClock.now
        do {
            let (path, bytes) = try checkpoints.write(tag: tag(step)) { try state.write(to: $0) }
            lastSave = (step, path)
            let seconds = start.duration(to: .now).seconds
            metrics.write(event: "save", step: step, path)
            report(.saved(step: step, path: path, bytes: bytes, seconds: seconds))
            let removed = checkpoints.prune(keeping: options.trainer.keepLastCheckpoints, andAlways: path)
            if !removed.isEmpty { report(.pruned(removed)) }
            if options.trainer.exportOnSave { export() }
            return true
        } catch {
            metrics.write(event: "save failed", step: step, "\(error)")
            report(.saveFailed(step: step, reason: "\(error)"))
            return false
        }
    }

    /// Weights for inference of what a checkpoint has, written once.
    func saveAndExport() {
        let isFresh = lastSave?.step != state.stats.step
        if !(save() && isFresh && options.trainer.exportOnSave) { export() }
    }

    /// The name of this step's checkpoint.
    private func tag(_ step: Int) -> String {
        let tag = options.trainer.saveTag.lowercased()
        return tag.hasPrefix("it") || tag.hasPrefix("step") || tag.isEmpty ? String(step) : tag
    }

    /// Writes weights for inference beside the checkpoints: `fp32.sft` or what the task names.
    ///
    /// - Returns: Whether they were written.
    @discardableResult
    func export() -> Bool {
        let step = state.stats.step
        do {
            let path = try state.average.map { try $0.withAverages { try writeExport() } } ?? writeExport()
            metrics.write(event: "export", step: step, path)
            report(.exported(path: path))
            return true
        } catch {
            report(.saveFailed(step: step, reason: "the weights were not exported: \(error)"))
            return false
        }
    }

    private func writeExport() throws -> String {
        let path = folder.checkpoints + "/" + options.exportName
        try state.task.exportedWeights(dtype: options.trainer.weightDType).write(to: path)
        return path
    }

    // MARK: - Continuing

    /// Takes up the newest checkpoint that loads, or the one of a tag.
    ///
    /// - Parameter isForced: Continues although data or settings are not those of the checkpoint.
    /// - Returns: The checkpoint's path; nil when there is none.
    /// - Throws: `InputError` when what changed forbids continuing, and when checkpoints are there but none loads.
    public func resume(isForced: Bool) throws -> String? {
        var candidates = checkpoints.candidates
        if let wanted = options.trainer.loadTag {
            candidates = candidates.filter { $0 == "\(checkpoints.path)/\(wanted)" }
            guard !candidates.isEmpty else {
                throw InputError.usage(
                    "there is no checkpoint '\(wanted)'", at: "trainer.load_tag",
                    try: "there are: \(checkpoints.tags.joined(separator: ", "))")
            }
        }
        guard !candidates.isEmpty else { return nil }
        let identity = state.stats.identity
        var faults: [String] = []
        for folder in candidates {
            do {
                try state.read(
                    from: folder,
                    .init(
                        optimizer: options.trainer.loadStates && !options.trainer.loadModuleOnly,
                        counters: !options.trainer.restartStepCount))
            } catch {
                faults.append("\(error)")
                continue
            }
            for fault in faults { report(.warning("a checkpoint was passed over: \(fault)")) }
            // Who does not train has no data that could be others.
            if !options.trainer.restartStepCount, !identity.isEmpty {
                try checkIdentity(identity, isForced: isForced)
            }
            state.stats.identity = identity
            try takeUpData(isForced: isForced)
            if faults.isEmpty { lastSave = (state.stats.step, folder) }
            return folder
        }
        throw InputError.model(
            "no checkpoint can be loaded:\n  " + faults.joined(separator: "\n  "), at: checkpoints.path,
            try: "move the folder away to start afresh")
    }

    /// Where another batch size leaves no such place in the epoch, a run that is forced begins the next one.
    private func takeUpData(isForced: Bool) throws {
        guard source.position != state.stats.position else { return }
        do {
            try source.seek(to: state.stats.position)
        } catch {
            guard isForced else { throw error }
            try source.seek(to: SamplerPosition(epoch: state.stats.position.epoch + 1))
            state.stats.position = source.position
        }
    }

    private func checkIdentity(_ identity: [String: String], isForced: Bool) throws {
        let before = state.stats.identity
        let changed = Set(before.keys).union(identity.keys).sorted().filter { before[$0] != identity[$0] }
        guard !changed.isEmpty else { return }
        let list = changed.map { "\($0) was \(before[$0] ?? "not there"), is \(identity[$0] ?? "not there")" }
        guard isForced else {
            throw InputError.usage(
                "the checkpoint was made with other data or settings: " + list.joined(separator: "; "),
                try: "give --force to continue all the same")
        }
        report(.answer("continuing although " + list.joined(separator: "; ")))
    }

    // MARK: - Spoiled updates

    /// Says what was spoiled; after several in a row goes back to the last good checkpoint at a lower rate, or ends the run.
    func settleBadUpdate(_ update: Update, _ batches: [Task.Batch]) -> TrainingOutcome? {
        guard let fault = update.fault else {
            state.stats.badUpdates = 0
            return nil
        }
        let faulty = update.faultyBatches.isEmpty ? Array(batches.indices) : update.faultyBatches
        let names = faulty.flatMap { batches[$0].names }
        state.stats.badUpdates += 1
        metrics.write(event: "bad update", step: state.stats.step, fault)
        report(.badUpdate(step: state.stats.step, what: fault, names: names))
        guard state.stats.badUpdates >= options.trainer.maximumBadUpdates else { return nil }
        return goBack() ? nil : .diverged(step: state.stats.step)
    }

    private func goBack() -> Bool {
        let factor = state.stats.learningRateFactor / 2
        let identity = state.stats.identity
        guard factor >= 1 / Double(1 << Self.patience) else { return false }
        for folder in checkpoints.candidates {
            guard (try? state.read(from: folder)) != nil, state.spoiledParameters.isEmpty else { continue }
            // The weights go back, the data goes on: the batches that spoiled the losses are not met again at once.
            state.stats.position = source.position
            state.stats.identity = identity
            state.stats.learningRateFactor = factor
            state.stats.badUpdates = 0
            lastSave = nil
            report(.wentBack(toStep: state.stats.step, path: folder, learningRate: learningRate(at: state.stats.step)))
            return true
        }
        return false
    }
}
