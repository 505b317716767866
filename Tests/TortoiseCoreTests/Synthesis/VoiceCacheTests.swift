import Foundation
import Testing

@testable import TortoiseCore

@Suite struct VoiceCacheTests {
    /// A folder with files that stand for models and a recording, and a cache beside them.
    private struct Place {
        let folder: String
        let models: SpeechModels
        var clip: String { folder + "/clip.wav" }
        var cache: VoiceCache { VoiceCache(folder: folder + "/cache/voices") }
        var kept: [String] {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder + "/cache/voices")) ?? []
            return names.map { folder + "/cache/voices/" + $0 }
        }

        init() throws {
            folder = FileManager.default.temporaryDirectory.appending(path: "voices-\(UUID().uuidString)").path
            try FileManager.default.createDirectory(atPath: folder + "/set", withIntermediateDirectories: true)
            for name in ["set/autoregressive.sft", "set/diffusion.sft", "clip.wav"] {
                try Data([1, 2, 3]).write(to: URL(filePath: "\(folder)/\(name)"))
            }
            models = SpeechModels(try ModelFiles(set: folder + "/set"))
        }

        func remove() { try? FileManager.default.removeItem(atPath: folder) }

        /// The voice that the cache gives, and whether it had to be encoded.
        func voice(mode: LatentMode = .whole, seed: UInt64 = 0, cache: VoiceCache? = nil) throws -> (Voice, Bool) {
            var isEncoded = false
            let voice = try (cache ?? self.cache).voice(of: [clip], models, mode: mode, seed: seed) {
                isEncoded = true
                return Voice(autoregressive: [0.1, -1e-30, 3], diffusion: [1, 2], clips: ["clip.wav"])
            }
            return (voice, isEncoded)
        }
    }

    @Test func aVoiceIsEncodedOnce() throws {
        let place = try Place()
        defer { place.remove() }
        let first = try place.voice()
        let second = try place.voice()
        #expect(first.1 && !second.1 && first.0 == second.0)
        let permissions = try FileManager.default.attributesOfItem(atPath: place.folder + "/cache/voices")
        #expect(permissions[.posixPermissions] as? Int == 0o700)
    }

    @Test func whatAVoiceDependsOnTellsItApart() throws {
        let place = try Place()
        defer { place.remove() }
        _ = try place.voice()
        #expect(try !place.voice(seed: 7).1, "whole clips leave nothing to chance")
        #expect(try place.voice(mode: .average).1)
        #expect(try place.voice(mode: .average, seed: 7).1)
        for changed in [place.clip, place.folder + "/set/autoregressive.sft"] {
            try Data([4, 5, 6, 7]).write(to: URL(filePath: changed))
            #expect(try place.voice().1, "\(changed)")
        }
        // The mels that CVVP hears are in no voice's file.
        try Data([1]).write(to: URL(filePath: place.folder + "/set/cvvp.sft"))
        let models = SpeechModels(try ModelFiles(set: place.folder + "/set"))
        for _ in 0..<2 {
            var isEncoded = false
            _ = try place.cache.voice(of: [place.clip], models, mode: .whole, seed: 0) {
                isEncoded = true
                return Voice(autoregressive: [1], diffusion: [1])
            }
            #expect(isEncoded)
        }
    }

    @Test func aDamagedFileOrFolderCostsTheEncodingOnly() throws {
        let place = try Place()
        defer { place.remove() }
        _ = try place.voice()
        let file = try #require(place.kept.first)
        try Data("no voice".utf8).write(to: URL(filePath: file))
        #expect(try place.voice().1)
        #expect(try !place.voice().1, "it was written again")
        let impossible = VoiceCache(folder: place.clip + "/voices")
        for _ in 0..<2 { #expect(try place.voice(cache: impossible).1) }
    }

    @Test func theOldestVoicesGo() throws {
        let place = try Place()
        defer { place.remove() }
        _ = try place.voice()
        let first = try #require(place.kept.first)
        for age in 1...255 {
            let path = "\(place.folder)/cache/voices/\(age).voice"
            try Data().write(to: URL(filePath: path))
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSinceNow: -60 - Double(age))], ofItemAtPath: path)
        }
        _ = try place.voice(mode: .average)
        #expect(place.kept.count == 256)
        #expect(place.kept.contains(first) && !place.kept.contains { $0.hasSuffix("/255.voice") })
    }

    @Test func theUsersFolderIsFoundAndCanBeTurnedOff() {
        #expect(VoiceCache.standard([:]) == nil)
        #expect(VoiceCache.standard(["TORTOISE_CACHE": "", "HOME": "/home/anna"]) == nil)
        #expect(VoiceCache.standard(["TORTOISE_CACHE": "/c"]) == VoiceCache(folder: "/c/voices"))
        #expect(
            VoiceCache.standard(["HOME": "/home/anna", "XDG_CACHE_HOME": "/x"])
                == VoiceCache(folder: "/x/tortoise/voices"))
        #expect(
            VoiceCache.standard(["HOME": "/home/anna", "XDG_CACHE_HOME": "x"])
                == VoiceCache(folder: "/home/anna/.cache/tortoise/voices"))
    }
}
