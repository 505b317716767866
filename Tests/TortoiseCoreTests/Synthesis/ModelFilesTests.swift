import Foundation
import Testing

@testable import TortoiseCore

@Suite struct ModelFilesTests {
    /// A set, a run whose configuration begins with weights of it, and what the run exported.
    private func files(_ root: String, _ more: String = "", exported: [String]) throws -> ModelFiles {
        for path in ["set/autoregressive.sft", "set/diffusion.sft", "set/a.sft"] + exported {
            let url = URL(filePath: "\(root)/\(path)")
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data().write(to: url)
        }
        try FileManager.default.createDirectory(atPath: root + "/run", withIntermediateDirectories: true)
        let yaml = root + "/run/config.yaml"
        try Data(
            """
            models:
            - {name: autoregressive, training: True, path: ../set/autoregressive.sft}
            - {name: diffusion, path: ../set/diffusion.sft}
            \(more)
            """.utf8
        ).write(to: URL(filePath: yaml))
        return try ModelFiles(set: root + "/set", loaded: Configuration.load(ConfigurationSource(yaml: yaml)))
    }

    private func name(_ path: String?) -> String? {
        path.map { URL(filePath: $0).standardized.pathComponents.suffix(2).joined(separator: "/") }
    }

    @Test func whatWasTrainedGoesBeforeWhereItBegan() throws {
        try withTemporaryFolder { root in
            let before = try files(root, exported: [])
            #expect(name(before.find(.autoregressive)) == "set/autoregressive.sft")
            let others = ["run/ckpt/diffusion/fp32.sft", "run/ckpt/lora-r4-a8/lora.sft"]
            let after = try files(root, exported: ["run/ckpt/autoregressive/fp32.sft"] + others)
            #expect(name(after.find(.autoregressive)) == "autoregressive/fp32.sft")
            // A model that this run does not train is the one that it names.
            #expect(name(after.find(.diffusion)) == "set/diffusion.sft")
            #expect(after.adapter == nil)
        }
    }

    @Test func aFileSaysWhichStageItIs() throws {
        try withTemporaryFolder { root in
            let model = root + "/best.sft"
            try ExportedWeights(
                [("weight", TensorSource(Tensor([1, 2], shape: [2])))],
                values: [("config", .string(#"{"name": "diffusion", "kwargs": {"num_layers": 6}}"#))]
            ).write(to: model)
            func files(_ path: String) throws -> ModelFiles {
                try ModelFiles(
                    set: root, loaded: Configuration.load(ConfigurationSource(model: path, environment: [:])))
            }
            #expect(try files(model).find(.diffusion) == model)
            #expect(try files(model).find(.autoregressive) == nil)
            // Without a description its name tells, and else it is the autoregressive model.
            for (file, stage) in [("clvp2.pth", ModelStage.clvp), ("anna.pth", .autoregressive)] {
                try ExportedWeights([("weight", TensorSource(Tensor([1, 2], shape: [2])))], values: [])
                    .write(to: root + "/" + file)
                #expect(try files(root + "/" + file).find(stage) == root + "/" + file)
            }
            // Several take a place each.
            var several = try files(model)
            try several.use([model, root + "/clvp2.pth", root + "/anna.pth"])
            #expect(several.find(.diffusion) == model && several.find(.clvp) == root + "/clvp2.pth")
            #expect(several.find(.autoregressive) == root + "/anna.pth")
            #expect { try several.use([model, model]) } throws: { "\($0)".contains("both of the stage diffusion") }
        }
    }

    @Test func adaptersComeWithTheModelTheyWereTrainedOn() throws {
        try withTemporaryFolder { root in
            let lora = "loras:\n- {name: lora, rank: 4, alpha: 8, training: True"
            #expect(try files(root, lora + "}", exported: []).adapter == nil)
            #expect(name(try files(root, lora + ", path: ../set/a.sft}", exported: []).adapter?.path) == "set/a.sft")
            #expect(throws: InputError.self) { try files(root, lora + ", path: none.sft}", exported: []) }
            let found = try files(
                root, lora + "}", exported: ["run/ckpt/lora-r4-a8/lora.sft", "run/ckpt/autoregressive/fp32.sft"])
            #expect(name(found.adapter?.path) == "lora-r4-a8/lora.sft" && found.adapter?.alpha == 8)
            #expect(name(found.find(.autoregressive)) == "set/autoregressive.sft")
        }
    }
}
