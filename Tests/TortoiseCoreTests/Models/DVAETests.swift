import Testing

@testable import TortoiseCore

/// The discrete variational autoencoder and the learning of its codebook.
@Suite struct DVAETests {
    private let golden: ModelGolden
    private let config: DVAEConfig

    init() throws {
        golden = try ModelGolden("Models/dvae.safetensors")
        var config = DVAEConfig()
        (config.codes, config.codeWidth, config.residualBlocks, config.hiddenWidth) = (12, 6, 1, 8)
        self.config = config
    }

    private func load() throws -> (model: DVAEModel, parameters: ParameterStore) {
        try ParameterStore.load(from: KeyMappedSource(golden, DVAEModel.keyMap)) { DVAEModel(config, at: $0) }
    }

    private func expect(_ found: Tensor, _ key: String, within limit: Double = 2e-5) throws {
        let difference = TensorDifference(found, from: try golden[key])
        #expect(difference.error < limit, "\(key): \(difference)")
    }

    @Test func codesAndMelsAreTheOriginals() throws {
        let model = try load().model
        let codes = model.encode(try golden["mel"])
        #expect(codes.shape == [2, 7])
        #expect(codes.indexValues == (try golden["codes"].indexValues))
        try expect(model.decode(codes), "decoded")
    }

    @Test func lossesAndGradientsAreTheOriginals() throws {
        let (model, store) = try load()
        let frozen = Set(model.codebook.parameters.map(\.name))
        store.setTrainable { !frozen.contains($0.name) }
        let mel = try golden["mel"]
        let result = model.reconstruct(mel)
        let commitment = try #require(result.commitment)
        let loss = meanSquaredError(result.mel, mel)
        try expect(loss, "loss")
        try expect(commitment, "commitment")
        try golden.checkGradients((loss + commitment).gradients(), of: store.trainable, within: 1e-4)
    }

    @Test func codebookFollowsItsAverages() throws {
        let model = try load().model
        let result = model.reconstruct(try golden["mel"])
        model.codebook.update(result.vectors, result.codes)
        let names = ["embed", "cluster_size", "embed_avg"]
        for (name, parameter) in zip(names, model.codebook.parameters) {
            try expect(parameter.value, "updated_\(name)")
        }
    }

    @Test func deadCodesStartAnew() throws {
        let model = try load().model
        let vectors = Tensor(RandomSource(seed: 1).stream.normals(60), shape: [10, 6])
        let sizes = model.codebook.parameters[1].value.values
        let dead = sizes.filter { $0 < 1.5 }.count
        try #require(dead > 0 && dead < 12)
        let before = model.codebook.parameters[0].value.values
        #expect(model.codebook.restartDeadCodes(vectors, below: 1.5, RandomSource(seed: 2)) == dead)
        let after = model.codebook.parameters[0].value.values
        for code in 0..<12 {
            let column = (0..<6).map { after[$0 * 12 + code] }
            let isVector = (0..<10).contains { row in
                zip(column, vectors.values[row * 6..<row * 6 + 6]).allSatisfy { abs($0 - $1) < 1e-5 }
            }
            #expect(isVector == (sizes[code] < 1.5))
            if sizes[code] >= 1.5 { #expect(column == (0..<6).map { before[$0 * 12 + code] }) }
        }
        #expect(model.codebook.restartDeadCodes(vectors, below: 1.5, RandomSource(seed: 2)) == 0)
    }

    /// Vectors around twelve points: k-means finds the points.
    @Test func codebookStartsFromClusters() throws {
        let model = try load().model
        let centers = RandomSource(seed: 3)["centers"].stream.normals(72).map { $0 * 20 }
        let noise = RandomSource(seed: 3)["noise"].stream.normals(12 * 40 * 6)
        let values: [Float] = (0..<480 * 6).map { index in
            let (row, column) = (index / 6, index % 6)
            return centers[row % 12 * 6 + column] + noise[index] * 0.1
        }
        let vectors = Tensor(values, shape: [480, 6])
        model.codebook.initialize(from: vectors, RandomSource(seed: 4))
        let codes = model.codebook.nearest(to: vectors).indexValues
        #expect(Set(codes).count >= 9)
        let sizes = model.codebook.parameters[1].value.values
        #expect(sizes.reduce(0, +) >= 480)
    }

    @Test func codebookStateGoesOnExactly() throws {
        let (a, b) = (try load().model, try load().model)
        let result = a.reconstruct(try golden["mel"])
        a.codebook.update(result.vectors, result.codes)
        try b.codebook.restore(a.codebook.state())
        a.codebook.update(result.vectors, result.codes)
        b.codebook.update(result.vectors, result.codes)
        for (x, y) in zip(a.codebook.parameters, b.codebook.parameters) { #expect(haveSameBits(x.value, y.value)) }
        var wrong = StateDictionary(kind: "codebook")
        wrong.append("embed", Tensor.zeros([2, 2]))
        #expect(throws: InputError.self) { try a.codebook.restore(wrong) }
    }

    @Test func anUnquantisedPassHasNoCodes() throws {
        let (model, _) = try load()
        let result = model.reconstruct(try golden["mel"], quantizes: false)
        #expect(
            result.codes.isEmpty && result.commitment == nil && result.mel.shape == [2, 80, 26]
                && result.vectors.shape == [14, 6])
    }
}
