import Foundation

/// Why an utterance cannot be made from its recording.
struct DroppedRecording: Error {
    let reason: DropReason
    var detail = ""
}

/// Reads, cuts, trims and checks the sound of utterances, one after another.
///
/// The last recording is remembered, for its slices follow each other. `@unchecked Sendable`: used by one thread at a time.
final class RecordingReader: @unchecked Sendable {
    /// One utterance at both rates.
    struct Sound: Sendable {
        /// At 22,050 Hz.
        var samples: [Float]
        /// At 24,000 Hz.
        var wideSamples: [Float]
    }

    /// Both mel front ends reflect 512 samples at each end, and a code needs 1,024.
    private static let shortest = 0.2

    private let settings: PrepareSettings
    private var remembered: (path: String, samples: [Float], rate: Int)?

    init(_ settings: PrepareSettings) { self.settings = settings }

    func read(_ planned: PlannedUtterance) -> Result<Sound, DroppedRecording> {
        do {
            return .success(try sound(of: planned))
        } catch let drop as DroppedRecording {
            return .failure(drop)
        } catch {
            return .failure(DroppedRecording(reason: .unreadableAudio, detail: "\(error)"))
        }
    }

    private func sound(of planned: PlannedUtterance) throws -> Sound {
        var (samples, rate) = try recording(planned.audioPath)
        if let slice = planned.slice {
            func place(_ seconds: Double) -> Int { Int(min(max(0, seconds * Double(rate)), Double(samples.count))) }
            let start = place(slice.lowerBound)
            samples = Array(samples[start..<max(start, place(slice.upperBound))])
        }
        guard samples.allSatisfy(\.isFinite) else { throw DroppedRecording(reason: .notANumber) }
        let sounding = SilenceTrimming.soundingRange(samples, sampleRate: rate)
        let peak = samples.reduce(0) { max($0, abs($1)) }
        guard !sounding.isEmpty, peak >= 1e-4 else { throw DroppedRecording(reason: .silent) }
        if let threshold = settings.trimSilence {
            samples = SilenceTrimming.trimmed(samples, sampleRate: rate, threshold: threshold)
        }
        let seconds = Double(samples.count) / Double(rate)
        let detail = String(format: "%.2f s", seconds)
        guard seconds >= max(Self.shortest, settings.minimumDuration) else {
            throw DroppedRecording(reason: .tooShort, detail: detail)
        }
        guard settings.maximumDuration == 0 || seconds <= settings.maximumDuration else {
            throw DroppedRecording(reason: .tooLong, detail: detail)
        }
        if let target = settings.loudness {
            let gain = Loudness.gain(for: samples, sampleRate: rate, target: target)
            samples = samples.map { $0 * gain }
        }
        return Sound(
            samples: try Resampler(from: rate, to: SampleRate.narrow)(samples),
            wideSamples: try Resampler(from: rate, to: SampleRate.wide)(samples))
    }

    private func recording(_ path: String) throws -> (samples: [Float], rate: Int) {
        if let remembered, remembered.path == path { return (remembered.samples, remembered.rate) }
        remembered = nil
        let clip = try AudioFile.read(path)
        let samples = clip.mono()
        remembered = (path, samples, clip.sampleRate)
        return (samples, clip.sampleRate)
    }
}
