import TortoiseCore

/// Products of matrices: large ones as training and diffusion have them, and those of decoding, a few rows at a time.
enum MatrixCases {
    static var all: [Case] { products + decoding }

    private static var products: [Case] {
        [
            product("gemm_square", 1024, 1024, 1024), product("ar_prefill_qkv", 200, 3072, 1024),
            product("ar_prefill_mlp", 200, 4096, 1024), product("diffusion_projection", 800, 3072, 1024),
            product("mini_mlp", 4096, 1536, 384),
        ]
    }

    private static func product(_ name: String, _ m: Int, _ n: Int, _ k: Int) -> Case {
        let sizes: [String: Any] = ["m": m, "n": n, "k": k, "dtype": "float32"]
        return Case(name, "linear", sizes, .product(m: m, n: n, k: k)) {
            let (x, w) = (random(m, k), random(n, k, seed: 2))
            return { _ = linear(x, weight: w) }
        }
    }

    /// All the matrices of a layer stack, so that the weights are larger than any cache: what one token costs.
    private static var decoding: [Case] {
        WeightPrecision.allCases.flatMap { precision in [1, 4, 16].map { rows in decode(rows: rows, precision) } }
    }

    private static func decode(rows: Int, _ precision: WeightPrecision) -> Case {
        // About 200 MB in every precision: several times what caches hold.
        let layers =
            switch precision {
            case .float32: 4
            case .bfloat16: 8
            case .int8: 14
            case .int4: 27
            }
        let width = 1024
        let weights = Double(layers * 12 * width * width)
        let bytes = weights * bytesPerWeight(precision)
        let sizes: [String: Any] = ["layers": layers, "width": width, "m": rows, "dtype": precision.rawValue]
        let limit = rows == 1 ? Limit.memory(bytes) : .arithmetic(2 * weights * Double(rows))
        return Case("ar_decode_\(precision.rawValue)_\(rows)", "decode", sizes, limit) {
            guard let stack = try? DecodingStack(layers: layers, width: width, precision) else { return {} }
            let x = random(rows, width)
            return { stack.run(x) }
        }
    }

    private static func bytesPerWeight(_ precision: WeightPrecision) -> Double {
        switch precision {
        case .float32: 4
        case .bfloat16: 2
        case .int8: 1 + 4.0 / 32
        case .int4: 0.5 + 4.0 / 32
        }
    }
}

/// The weight matrices of a few GPT-2 blocks without anything between them.
private struct DecodingStack {
    private let matrices: [(qkv: Parameter, projection: Parameter, up: Parameter, down: Parameter)]

    init(layers: Int, width: Int, _ precision: WeightPrecision) throws {
        let noise = random(4 * width, width)
        let source = RepeatedWeights(noise, width: width)
        matrices = try ParameterStore.load(from: source, precision: precision) { scope in
            (0..<layers).map { layer in
                let block = scope[layer]
                return (
                    block.matrix("qkv", 3 * width, width, .zeros), block.matrix("projection", width, width, .zeros),
                    block.matrix("up", 4 * width, width, .zeros), block.matrix("down", width, 4 * width, .zeros)
                )
            }
        }.model
    }

    func run(_ x: Tensor) {
        for block in matrices {
            _ = block.qkv.multiply(x)
            let y = block.projection.multiply(x)
            _ = block.down.multiply(block.up.multiply(y))
        }
    }
}

/// A source that has every matrix the stack asks for, in memory of its own.
private struct RepeatedWeights: ParameterSource {
    let label = "benchmark"
    let names: [String] = []
    private let noise: Tensor
    private let width: Int

    init(_ noise: Tensor, width: Int) { (self.noise, self.width) = (noise, width) }

    func tensor(_ name: String) throws -> Tensor? {
        switch name.split(separator: ".").last {
        case "qkv": noise.sliced(0, 0..<3 * width) * 1
        case "projection": noise.sliced(0, 0..<width) * 1
        case "up": noise * 1
        default: noise.reshaped(width, 4 * width) * 1
        }
    }
}
