import Foundation
import Testing

/// What each folder of the sources may name, and how long its files may be; see docs/architecture.md.
@Suite struct LayeringTests {
    struct SourceFile: Sendable {
        /// From the folder `Sources`.
        let path: String
        let text: String

        /// The code without comments and string literals, line by line.
        var code: [String] {
            text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
                let literals = /"(?:[^"\\]|\\.)*"/
                let bare = String(line).replacing(literals, with: "\"\"")
                return bare.firstRange(of: "//").map { String(bare[..<$0.lowerBound]) } ?? bare
            }
        }
    }

    private let files: [SourceFile]

    init() throws {
        var root = URL(filePath: #filePath)
        for _ in 0..<4 { root.deleteLastPathComponent() }
        let sources = root.appending(path: "Sources")
        let walker = try #require(FileManager.default.enumerator(atPath: sources.path))
        files = try walker.compactMap { entry in
            guard let path = entry as? String, path.hasSuffix(".swift") else { return nil }
            return SourceFile(path: path, text: try String(contentsOf: sources.appending(path: path), encoding: .utf8))
        }
        try #require(files.count > 20)
    }

    private func files(in folder: String) -> [SourceFile] { files.filter { $0.path.hasPrefix(folder) } }

    /// Fails for every line of code in these files that matches.
    private func forbid(_ pattern: some RegexComponent, in files: [SourceFile], _ rule: String) {
        for file in files {
            for (number, line) in file.code.enumerated() where line.firstMatch(of: pattern) != nil {
                Issue.record("\(file.path):\(number + 1): \(rule): \(line.trimmingCharacters(in: .whitespaces))")
            }
        }
    }

    @Test func onlyKernelsNamesKernelsAndBLAS() {
        // Libraries.swift says which versions of the C libraries are in use, and calls nothing else of them.
        let others = files.filter {
            !$0.path.hasPrefix("TortoiseCore/Kernels/") && $0.path != "TortoiseCore/Support/Libraries.swift"
        }
        forbid(
            /\bcblas_|\bopenblas_|\btk_[a-z]|\bTK_[A-Z]|import C?OpenBLAS|import CKernels|\b(?:execution|current)\.table\b/,
            in: others,
            "only Kernels names C kernels and BLAS")
    }

    @Test func modelsOpenNoFiles() {
        forbid(
            /\bMappedFile\b|\bFileHandle\b|\bFileManager\b|\bopen\(|\bfopen\(|contentsOf|SafetensorsReader|openCheckpoint|import Foundation/,
            in: files(in: "TortoiseCore/Models/"), "models open no files")
    }

    @Test func operationsKnowNoParameters() {
        forbid(
            /\bParameter\b|\bParameterStore\b|\bParameterScope\b|\bRunContext\b/,
            in: ["Ops", "Autograd", "Tensor", "Kernels", "Support"].flatMap { files(in: "TortoiseCore/\($0)/") },
            "what stands below the layers knows no parameters")
    }

    /// What only a folder further down declares must not be named further up.
    @Test func lowerFoldersNameNothingAbove() {
        forbid(
            /\bTensor\b|\bGraphNode\b/, in: ["Support", "Kernels"].flatMap { files(in: "TortoiseCore/\($0)/") },
            "Tensor stands above")
        forbid(/\bGradients\b|\bGraphNode\b\(/, in: files(in: "TortoiseCore/Tensor/"), "autograd stands above")
        forbid(
            /\bOptimizer\b|\bTrainer\b|\bConfiguration\b/,
            in: ["Ops", "Autograd", "Tensor", "Kernels", "Layers"].flatMap { files(in: "TortoiseCore/\($0)/") },
            "training stands above")
    }

    @Test func executablesAndServerNameNoTensor() {
        let edges = ["TortoiseInfer/", "TortoiseTrain/", "TortoiseServer/", "TortoiseCommandLine/"].flatMap(files(in:))
        forbid(/\bTensor\b/, in: edges, "programs call the library's functions and never name Tensor")
    }

    @Test func theServerSeesProtocolsOnly() {
        forbid(
            /\b(?:SpeechPipeline|SpeechModels|LocalSynthesizer|LocalCatalog|TrainingSession|Trainer|TrainingFolders)\b/,
            in: files(in: "TortoiseServer/"), "the server sees SpeechSynthesizer, SpeechCatalog and TrainingMonitor")
    }

    @Test func libraryCodeNeitherPrintsNorForces() {
        // Precondition.swift is where all preconditions end.
        let library = files(in: "TortoiseCore/").filter { $0.path != "TortoiseCore/Support/Precondition.swift" }
        forbid(/\bprint\(|\bfatalError\(|\btry!|\bas!/, in: library, "not in library code")
    }

    @Test func filesAreShort() {
        for file in files {
            let lines = file.text.count { $0 == "\n" }
            if lines > 400 { Issue.record("\(file.path) has \(lines) lines; at most 400") }
        }
    }

    @Test func theCheckSeesCodeAndNotComments() {
        let file = SourceFile(path: "x.swift", text: "let a = \"tk_add\" // tk_add\ntk_add()\n")
        #expect(file.code.filter { $0.contains("tk_add") } == ["tk_add()"])
        withKnownIssue { forbid(/tk_add/, in: [file], "rule") }
    }
}
