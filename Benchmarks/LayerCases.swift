import TortoiseCore

/// Kernels between the matrix products: memory-bound, forward and with gradients.
enum LayerCases {
    static var all: [Case] { elementwise + attentionCases + convolutions + [locationVariable, fourier] }

    private static let rows = 4096
    private static let width = 1024
    private static var bytes: Double { Double(rows * width * 4) }

    private static var elementwise: [Case] {
        let (ones, zeros) = (Tensor.ones([width]), Tensor.zeros([width]))
        var cases = layer("softmax", reads: 1) { x in x.softmax() }
        cases += layer("layer_norm", reads: 1) { x in layerNorm(x, weight: ones, bias: zeros) }
        cases += layer("gelu_tanh", reads: 1) { x in x.geluTanh }
        cases += layer("gelu_erf", reads: 1) { x in x.gelu }
        cases += layer("silu", reads: 1) { x in x.silu }
        cases += layer("add", reads: 1) { x in x + x }
        return cases
    }

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

    private static var attentionCases: [Case] {
        attentionCase("diffusion_attention", batch: 2, heads: 16, time: 400, width: 64, bias: true, causal: false)
            + attentionCase(
                "ar_training_attention", batch: 16, heads: 6, time: 256, width: 64, bias: false, causal: true)
            + attentionCase("long_attention", batch: 1, heads: 8, time: 4096, width: 64, bias: false, causal: true)
    }

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

    private static var convolutions: [Case] {
        convolution("diffusion_conv3", batch: 2, from: 1024, to: 1024, taps: 3, dilation: 1, time: 400)
            + convolution("hifigan_resblock", batch: 1, from: 128, to: 128, taps: 7, dilation: 5, time: 6400)
            + convolution("dvae_conv3", batch: 8, from: 256, to: 512, taps: 3, dilation: 1, time: 128)
            + convolution("conv_post", batch: 1, from: 32, to: 1, taps: 7, dilation: 1, time: 51_200)
    }

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

    private static var locationVariable: Case {
        let (from, to, taps, frames, hop) = (32, 64, 3, 100, 256)
        let sizes: [String: Any] = ["from": from, "to": to, "taps": taps, "frames": frames, "hop": hop]
        return Case("univnet_lvc", "lvc", sizes, .arithmetic(2 * Double(from * to * taps * frames * hop))) {
            let (x, bias) = (random(1, from, frames * hop), random(1, to, frames, seed: 3))
            let kernels = random(1, from, to, taps, frames, seed: 2)
            return { _ = locationVariableConvolution(x, kernels: kernels, bias: bias, hop: hop) }
        }
    }

    private static var fourier: Case {
        let (time, size, hop) = (220_500, 1024, 256)
        let bytes = Double(4 * (time + (time / hop + 1) * (size / 2 + 1)))
        return Case("stft_10s", "stft", ["time": time, "size": size, "hop": hop], .memory(bytes)) {
            let x = random(1, time)
            return { _ = stftMagnitude(x, fftSize: size, hop: hop) }
        }
    }
}
