import Foundation
import Testing

@testable import TortoiseCore

/// The interleaved signal that every `signal-*` golden holds.
private func interleavedSignal(_ name: String = "signal.f32") throws -> [Float] {
    let data = try Data(contentsOf: golden("Audio/\(name)"))
    return data.withUnsafeBytes { bytes in
        (0..<bytes.count / 4).map { bytes.loadUnaligned(fromByteOffset: $0 * 4, as: Float.self) }
    }
}

private func clip(_ interleaved: [Float]) -> AudioClip {
    AudioClip(
        channels: [0, 1].map { channel in stride(from: channel, to: interleaved.count, by: 2).map { interleaved[$0] } },
        sampleRate: 24_000)
}

private func largestDifference(_ a: AudioClip, _ b: AudioClip) -> Float {
    zip(a.channels, b.channels).flatMap { zip($0, $1).map { abs($0 - $1) } }.max() ?? .infinity
}

/// The signal rounded to whole steps of `bits` bits.
private func rounded(_ clip: AudioClip, bits: Int) -> AudioClip {
    let scale = Float(1 << (bits - 1))
    return AudioClip(
        channels: clip.channels.map { $0.map { min(($0 * scale).rounded(.toNearestOrEven), scale - 1) / scale } },
        sampleRate: clip.sampleRate)
}

@Suite struct AudioFileTests {
    @Test(
        arguments: [
            ("int16.wav", 2e-5), ("int24.wav", 1e-7), ("int32.wav", 1e-7), ("uint8.wav", 4e-3), ("float.wav", 0),
            ("double.wav", 0),
            ("extensible.wav", 2e-5), ("int16.flac", 2e-5), ("int24.flac", 1e-7), ("int16.aiff", 2e-5),
            ("int16.au", 2e-5),
            ("int16.caf", 2e-5), ("int16.rf64", 2e-5),
        ] as [(String, Float)])
    func losslessFilesDecodeToTheSignal(name: String, tolerance: Float) throws {
        let url = try golden("Audio/signal-\(name)")
        let read = try AudioFile.read(url.path)
        let expected = try clip(interleavedSignal())
        #expect(read.sampleRate == 24_000)
        #expect(read.channels.map(\.count) == [2400, 2400])
        // One step of rounding, and the other step between the scales 2^n and 2^n - 1.
        #expect(largestDifference(read, expected) <= 2 * tolerance)
        let decoded = try AudioFile.decode(Array(Data(contentsOf: url)))
        #expect(decoded == read)
    }

    @Test(arguments: ["vorbis.ogg", "opus.opus", "layer3.mp3"])
    func lossyFilesDecodeAsInPython(name: String) throws {
        let url = try golden("Audio/signal-\(name)")
        let expected = try clip(interleavedSignal("\(name).decoded.f32"))
        let read = try AudioFile.read(url.path)
        #expect(read.count == expected.count)
        // Different builds of the decoders round differently.
        #expect(largestDifference(read, expected) < 1e-3)
        #expect(try AudioFile.decode(Array(Data(contentsOf: url))) == read)
    }

    @Test func informationComesFromTheHeader() throws {
        let information = try AudioFile.information(golden("Audio/signal-int16.wav").path)
        #expect(information.sampleRate == 24_000)
        #expect(information.channelCount == 2)
        #expect(information.count == 2400)
        #expect(information.format.contains("WAV") && information.format.contains("16 bit"))
        #expect(information.metadata == AudioMetadata(title: "naïve", comment: #"{"seed": 7}"#))
        #expect(try AudioFile.duration(golden("Audio/signal-layer3.mp3").path) == 0.1)
    }

    @Test(arguments: [AudioFormat.wav(.int16), .wav(.int24), .wav(.float), .flac(.int16), .flac(.int24), .pcm])
    func losslessWritingIsExact(format: AudioFormat) throws {
        let original = try clip(interleavedSignal())
        let bits = format.depth == .int16 ? 16 : 24
        let expected = format == .wav(.float) ? original : rounded(original, bits: bits)
        let metadata = AudioMetadata(title: "Ünïcode", comment: #"{"seed":0,"preset":"fast"}"#, artist: "a")
        let bytes = try AudioFile.encode(original, as: format, metadata: metadata)
        if format == .pcm {
            let values = bytes.withUnsafeBytes { raw in
                (0..<raw.count / 2).map {
                    Float(Int16(littleEndian: raw.loadUnaligned(fromByteOffset: $0 * 2, as: Int16.self))) / 32_768
                }
            }
            #expect(clip(values) == expected)
            return
        }
        let decoded = try AudioFile.decode(bytes)
        #expect(decoded == expected)
        // A second trip through the file changes nothing, and equal audio gives equal bytes.
        #expect(try AudioFile.encode(decoded, as: format, metadata: metadata) == bytes)

        let path = FileManager.default.temporaryDirectory.appending(path: "tortoise-\(UUID().uuidString).wav").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try AudioFile.write(original, to: path, format: format, metadata: metadata)
        #expect(try Array(Data(contentsOf: URL(filePath: path))) == bytes)
        #expect(try AudioFile.information(path).metadata == metadata)
    }

    @Test(arguments: [AudioFormat.vorbis(quality: 0.8), .opus(quality: 0.2), .mp3(quality: 0.8)])
    func lossyWritingKeepsTheSound(format: AudioFormat) throws {
        let count = 24_000
        let tone = (0..<count).map { 0.5 * Float(sin(2 * Double.pi * 440 * Double($0) / 24_000)) }
        let bytes = try AudioFile.encode(
            AudioClip(mono: tone, sampleRate: 24_000), as: format, metadata: .init(comment: "seed 3"))
        #expect(bytes.count < count)
        let path = FileManager.default.temporaryDirectory.appending(path: "tortoise-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(bytes).write(to: URL(filePath: path))
        #expect(try AudioFile.information(path).metadata.comment == "seed 3")
        let decoded = try AudioFile.decode(bytes)
        #expect(decoded.sampleRate == 24_000)
        #expect(abs(decoded.count - count) < 2_400)
        let middle = decoded.channels[0][8_000..<16_000]
        let rms = (middle.reduce(0) { $0 + $1 * $1 } / 8_000).squareRoot()
        #expect(abs(rms - 0.5 / Float(2).squareRoot()) < 0.02)
    }

    @Test func samplesBeyondFullScaleAreLimitedNotWrapped() throws {
        let loud = AudioClip(mono: [0, 2, -2, 1, -1, 1e30], sampleRate: 8_000)
        for format in [AudioFormat.wav(.int16), .wav(.int24), .flac(.int16)] {
            let read = try AudioFile.decode(AudioFile.encode(loud, as: format)).channels[0]
            #expect(read[1] > 0.999 && read[2] == -1 && read[3] > 0.999 && read[4] == -1 && read[5] > 0.999)
        }
        #expect(throws: InputError.self) {
            try AudioFile.encode(AudioClip(mono: [0, .nan], sampleRate: 8_000), as: .wav(.int16))
        }
    }

    @Test func aFailedWriteLeavesTheOldFile() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "tortoise-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "a.wav").path
        try Data("old".utf8).write(to: URL(filePath: path))
        let writer = try AudioWriter(path: path, format: .wav(.int16), sampleRate: 24_000)
        try writer.append([0.1, 0.2])
        #expect(throws: InputError.self) { try writer.append([.infinity]) }
        #expect(try Data(contentsOf: URL(filePath: path)) == Data("old".utf8))
        try writer.finish()
        #expect(try AudioFile.read(path).count == 2)
        #expect(throws: InputError.self) {
            try AudioFile.write(AudioClip(mono: [0], sampleRate: 8_000), to: folder.path + "/none/a.wav")
        }
        #expect(throws: InputError.self) {
            try AudioFile.write(AudioClip(mono: [0], sampleRate: 11_025), to: folder.path + "/a.opus")
        }
        #expect(throws: InputError.self) {
            try AudioFile.write(AudioClip(mono: [0], sampleRate: 8_000), to: path + ".xyz")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["a.wav"])
    }

    @Test func streamsAreWAVFilesWithoutAnEnd() throws {
        let original = try clip(interleavedSignal())
        let stream = AudioStream(wavAtSampleRate: 24_000, channelCount: 2)
        let decoded = try AudioFile.decode(stream.header + stream.encode(original))
        #expect(decoded == rounded(original, bits: 16))
        let known = AudioStream(wavAtSampleRate: 24_000, channelCount: 2, count: original.count)
        #expect(known.header + known.encode(original) == (try AudioFile.encode(original, as: .wav(.int16))))
        #expect(
            AudioStream(pcmWithChannelCount: 1).encode(AudioClip(mono: [.nan, 1, -1], sampleRate: 1)) == [
                0, 0, 255, 127, 0, 128,
            ])

        let pipe = Pipe()
        #expect(try AudioStream.write(known.header, to: pipe.fileHandleForWriting.fileDescriptor))
        #expect(pipe.fileHandleForReading.availableData == Data(known.header))
    }

    @Test func channelRules() throws {
        let clip = AudioClip(channels: [[1, 0.5], [0, -0.5]], sampleRate: 8_000)
        #expect(clip.mono() == [0.5, 0])
        #expect(clip.mono(.first) == [1, 0.5])
        #expect(ReferenceClips.paths(in: "a.wav; b.wav;;") == ["a.wav", "b.wav"])
        let paths = try ["signal-int16.wav", "signal-float.wav"].map { try golden("Audio/\($0)").path }
        #expect(try ReferenceClips.joined(paths).count == 4_800)
        #expect(try ReferenceClips.separate(paths).map(\.channels.count) == [1, 1])
        #expect(throws: InputError.self) { try ReferenceClips.joined([]) }
        let other = FileManager.default.temporaryDirectory.appending(path: "tortoise-\(UUID().uuidString).wav").path
        defer { try? FileManager.default.removeItem(atPath: other) }
        try AudioFile.write(AudioClip(mono: [2, -2], sampleRate: 8_000), to: other, format: .wav(.float))
        #expect(throws: InputError.self) { try ReferenceClips.joined(paths + [other]) }
        #expect(try ReferenceClips.separate([other])[0].channels == [[1, -1]])
    }

    @Test func limitsAndWrongInputs() throws {
        let bytes = try Array(Data(contentsOf: golden("Audio/signal-int16.flac")))
        var limits = AudioLimits.upload
        limits.maximumSeconds = 0.05
        #expect(throws: InputError.self) { try AudioFile.decode(bytes, limits: limits) }
        limits = .upload
        limits.maximumBytes = 100
        #expect(throws: InputError.self) { try AudioFile.decode(bytes, limits: limits) }
        limits = .upload
        limits.maximumSamples = 4_799
        #expect(throws: InputError.self) { try AudioFile.decode(bytes, limits: limits) }
        limits.maximumSamples = 4_800
        #expect(try AudioFile.decode(bytes, limits: limits).count == 2_400)
        #expect(throws: InputError.self) { try AudioFile.decode([]) }
        #expect(throws: InputError.self) { try AudioFile.decode(Array("no audio at all, only some words".utf8)) }
        for path in ["/", "/dev/null", "/none.wav"] {
            #expect(throws: InputError.self) { try AudioFile.read(path) }
        }
        // A header that promises 2^31 bytes of samples costs no memory for them.
        var lying = try Array(Data(contentsOf: golden("Audio/signal-int16.wav")))
        lying.replaceSubrange(4..<8, with: [0xFF, 0xFF, 0xFF, 0x7F])
        #expect(try AudioFile.decode(lying).count <= 2_400)
    }

    @Test(
        .timeLimit(.minutes(1)),
        arguments: [
            "int16.wav", "int24.flac", "vorbis.ogg", "opus.opus", "layer3.mp3", "int16.aiff", "int16.caf", "int16.rf64",
        ])
    func mutatedFilesNeverTrap(name: String) throws {
        let seed = try Array(Data(contentsOf: golden("Audio/signal-\(name)")))
        var generator = SeededGenerator(seed: 11)
        let deadline = ContinuousClock.now + .milliseconds(250)
        var limits = AudioLimits.upload
        limits.maximumSamples = 1 << 20
        var runs = 0
        while ContinuousClock.now < deadline {
            var bytes = seed
            if generator.next() % 3 == 0 { bytes.removeLast(Int(generator.next() % UInt64(bytes.count))) }
            for _ in 0..<(1 + generator.next() % 6) where !bytes.isEmpty {
                // Half of the changes fall into the header, where they matter most.
                let reach = generator.next() % 2 == 0 ? min(96, bytes.count) : bytes.count
                bytes[Int(generator.next() % UInt64(reach))] = UInt8(truncatingIfNeeded: generator.next())
            }
            do {
                let clip = try AudioFile.decode(bytes, limits: limits)
                #expect(clip.count * clip.channels.count <= limits.maximumSamples)
            } catch {
                #expect(error is InputError)
            }
            runs += 1
        }
        #expect(runs > 5)
    }
}
