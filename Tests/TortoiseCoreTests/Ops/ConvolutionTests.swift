import Testing

@testable import TortoiseCore

/// Convolutions over time against PyTorch, central differences, and themselves on other threads.
@Suite struct ConvolutionTests {
    private let file: GoldenFile

    init() throws { file = try GoldenFile("Ops/convolution.safetensors") }

    @Test func convolutionMatchesPyTorch() throws {
        for golden in try file.cases("conv1d/") {
            let (stride, dilation) = (try golden.int("stride"), try golden.int("dilation"))
            let (padding, groups) = (try golden.int("padding"), try golden.int("groups"))
            checkOp(golden) {
                conv1d(
                    $0[0], weight: $0[1], bias: $0.count > 2 ? $0[2] : nil, stride: stride, dilation: dilation,
                    padding: padding, groups: groups)
            }
        }
    }

    @Test func transposedConvolutionMatchesPyTorch() throws {
        for golden in try file.cases("convTranspose1d/") {
            let (stride, dilation) = (try golden.int("stride"), try golden.int("dilation"))
            let (padding, groups) = (try golden.int("padding"), try golden.int("groups"))
            let outputPadding = try golden.int("outputPadding")
            checkOp(golden) {
                convTranspose1d(
                    $0[0], weight: $0[1], bias: $0.count > 2 ? $0[2] : nil, stride: stride, dilation: dilation,
                    padding: padding, outputPadding: outputPadding, groups: groups)
            }
        }
    }

    @Test func locationVariableConvolutionMatchesItsDefinition() throws {
        for golden in try file.cases("locationVariableConvolution/") {
            let (hop, dilation) = (try golden.int("hop"), try golden.int("dilation"))
            checkOp(golden) {
                locationVariableConvolution($0[0], kernels: $0[1], bias: $0[2], hop: hop, dilation: dilation)
            }
        }
    }

    /// Several tiles, blocks of channels and segments of the weight's gradient, cut at odd places.
    @Test func resultsDoNotDependOnHowWorkIsSplit() {
        func draw(_ shape: Int..., name: String) -> Tensor { randomTensor(shape, name) }
        checkSplitting(
            "wide", [draw(2, 130, 300, name: "x"), draw(70, 130, 11, name: "w"), draw(70, name: "b")]
        ) { conv1d($0[0], weight: $0[1], bias: $0[2], padding: 5) }
        checkSplitting("long", [draw(1, 3, 9_001, name: "x"), draw(5, 3, 7, name: "w")]) {
            conv1d($0[0], weight: $0[1], stride: 3, dilation: 2)
        }
        checkSplitting("depthwise", [draw(1, 24, 4_500, name: "x"), draw(24, 1, 12, name: "w")]) {
            conv1d($0[0], weight: $0[1], stride: 2, padding: 5, groups: 24)
        }
        checkSplitting(
            "upsampling", [draw(1, 90, 700, name: "x"), draw(90, 50, 16, name: "w"), draw(50, name: "b")]
        ) { convTranspose1d($0[0], weight: $0[1], bias: $0[2], stride: 8, padding: 4) }
        checkSplitting("pointwise", [draw(3, 64, 500, name: "x"), draw(96, 64, 1, name: "w"), draw(96, name: "b")]) {
            conv1d($0[0], weight: $0[1], bias: $0[2])
        }
        checkSplitting(
            "frames", [draw(2, 8, 37 * 64, name: "x"), draw(2, 8, 12, 3, 37, name: "k"), draw(2, 12, 37, name: "b")]
        ) { locationVariableConvolution($0[0], kernels: $0[1], bias: $0[2], hop: 64) }
    }

    @Test func emptyBatchesPassThrough() {
        let x = Tensor.zeros([0, 3, 8]).tracked()
        let weight = Tensor.ones([2, 3, 3]).tracked()
        let y = conv1d(x, weight: weight, padding: 1)
        #expect(y.shape == [0, 2, 8])
        let gradients = y.gradients(seed: Tensor.zeros(y.shape))
        #expect(gradients[x]?.shape == [0, 3, 8])
        #expect(gradients[weight]?.values == [Float](repeating: 0, count: 18))
    }

    @Test func wrongShapesStopWithBothShapes() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = conv1d(Tensor.zeros([1, 4, 9]), weight: Tensor.zeros([8, 3, 5]))
        }
        #if DEBUG  // Optimised code stops without the words.
            let message = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
            #expect(message.contains("conv1d: input [1, 4, 9], weight [8, 3, 5]"))
        #else
            #expect(result != nil)
        #endif
    }

    @Test func aTransposedConvolutionThatLeavesNothingStops() async {
        await #expect(processExitsWith: .failure) {
            _ = convTranspose1d(Tensor.zeros([1, 1, 1]), weight: Tensor.zeros([1, 1, 3]), padding: 2)
        }
    }
}
