import TortoiseCore

/// Kernels between the matrix products: memory-bound, forward and with gradients.
enum LayerCases {
    static let all = elementwise + attentionCases + convolutions + fourier

    private static let rows = 4096
    private static let width = 1024
    private static var bytes: Double { Double(rows * width * 4) }

    private static let elementwise =
        [
            layer("softmax", reads: 1) { x in x.softmax() },
            layer("layer_norm", reads: 1) { x in layerNorm(x, weight: ones, bias: zeros) },
            layer("gelu_tanh", reads: 1) { x in x.geluTanh },
            layer("gelu_erf", reads: 1) { x in x.gelu },
            layer("silu", reads: 1) { x in x.silu },
            layer("add", reads: 2) { x in x + x },
        ].flatMap { $0 }

    nonisolated(unsafe) private static let ones = Tensor.ones([width])
    nonisolated(unsafe) private static let zeros = Tensor.zeros([width])

    /// A function of [rows, width], forward alone and with its gradient.
    private static func layer(_ name: String, reads: Double, _ function: @escaping (Tensor) -> Tensor) -> [Case] {
        let sizes: [String: Any] = ["rows": rows, "width": width, "function": name]
        let forward = Case(name, "layer", sizes, .memory((reads + 1) * bytes)) {
            let x = random(rows, width)
            return { _ = function(x) }
        }
        let both = Case(
            "\(name)_gradient", "layer_gradient", sizes, .memory((reads + 1 + 3) * bytes)
        ) {
            let (x, seed) = (random(rows, width).tracked(), random(rows, width, seed: 2))
            return { _ = function(x).gradients(seed: seed) }
        }
        return [forward, both]
    }

    private static let attentionCases = [
        attentionCase("diffusion_attention", batch: 2, heads: 16, time: 400, width: 64, bias: true, causal: false),
        attentionCase("ar_training_attention", batch: 16, heads: 6, time: 256, width: 64, bias: false, causal: true),
        attentionCase("long_attention", batch: 1, heads: 8, time: 4096, width: 64, bias: false, causal: true),
    ].flatMap { $0 }

    private static func attentionCase(
        _ name: String, batch: Int, heads: Int, time: Int, width: Int, bias hasBias: Bool, causal: Bool
    ) -> [Case] {
        let sizes: [String: Any] = [
            "batch": batch, "heads": heads, "time": time, "width": width, "bias": hasBias, "causal": causal,
        ]
        let flops = 4 * Double(batch * heads * time * time * width) * (causal ? 0.5 : 1)
        func make() -> (Tensor, AttentionMask) {
            let bias = hasBias ? random(1, heads, time, time) : nil
            return (random(batch, time, 3 * heads * width), AttentionMask(causal: causal, bias: bias))
        }
        return [
            Case(name, "attention", sizes, .arithmetic(flops)) {
                let (qkv, mask) = make()
                return { _ = packedAttention(qkv, heads: heads, layout: .timeMajor, mask) }
            },
            Case("\(name)_gradient", "attention_gradient", sizes, .arithmetic(3.5 * flops)) {
                let (qkv, mask) = make()
                let (leaf, seed) = (qkv.tracked(), random(batch, time, heads * width, seed: 2))
                return { _ = packedAttention(leaf, heads: heads, layout: .timeMajor, mask).gradients(seed: seed) }
            },
        ]
    }

    private static let convolutions = [
        convolution("diffusion_conv3", batch: 2, from: 1024, to: 1024, taps: 3, dilation: 1, time: 400),
        convolution("hifigan_resblock", batch: 1, from: 128, to: 128, taps: 7, dilation: 5, time: 6400),
        convolution("dvae_conv3", batch: 8, from: 256, to: 512, taps: 3, dilation: 1, time: 128),
        convolution("conv_post", batch: 1, from: 32, to: 1, taps: 7, dilation: 1, time: 51200),
    ].flatMap { $0 } + [locationVariable]

    private static func convolution(
        _ name: String, batch: Int, from: Int, to: Int, taps: Int, dilation: Int, time: Int
    ) -> [Case] {
        let sizes: [String: Any] = [
            "batch": batch, "from": from, "to": to, "taps": taps, "dilation": dilation, "time": time,
        ]
        let flops = 2 * Double(batch * from * to * taps * time)
        let padding = dilation * (taps - 1) / 2
        return [
            Case(name, "conv1d", sizes, .arithmetic(flops)) {
                let (x, w) = (random(batch, from, time), random(to, from, taps, seed: 2))
                return { _ = conv1d(x, weight: w, dilation: dilation, padding: padding) }
            },
            Case("\(name)_gradient", "conv1d_gradient", sizes, .arithmetic(3 * flops)) {
                let (x, w) = (random(batch, from, time).tracked(), random(to, from, taps, seed: 2).tracked())
                let seed = random(batch, to, time, seed: 3)
                return { _ = conv1d(x, weight: w, dilation: dilation, padding: padding).gradients(seed: seed) }
            },
        ]
    }

    private static let locationVariable = Case(
        "univnet_lvc", "lvc", ["from": 32, "to": 64, "taps": 3, "frames": 100, "hop": 256],
        .arithmetic(2 * Double(32 * 64 * 3 * 100 * 256))
    ) {
        let (x, kernels, bias) = (random(1, 32, 25_600), random(1, 32, 64, 3, 100, seed: 2), random(1, 64, 100, seed: 3))
        return { _ = locationVariableConvolution(x, kernels: kernels, bias: bias, hop: 256) }
    }

    private static let fourier = [
        Case("stft_10s", "stft", ["time": 220_500, "size": 1024, "hop": 256], .memory(Double(220_500 * 4 + 862 * 513 * 4))) {
            let x = random(1, 220_500)
            return { _ = stftMagnitude(x, fftSize: 1024, hop: 256) }
        }
    ]
}
