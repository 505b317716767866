/// Moves along the last axis, for padding and resampling: memory-bound loops over rows that the pool shares.
extension Kernel {
    /// y[r, i] = x[r, index[i]], or 0 where the index is negative.
    static func gatherColumns(
        _ y: Floats, _ x: UnsafePointer<Float>, rows: Int, from source: Int, index: [Int32]
    ) {
        index.withUnsafeBufferPointer { index in
            guard let columns = index.baseAddress else { return }
            let count = index.count
            Execution.current.pool.forEachChunk(rows, grain: rowGrain(count, elements: memoryGrain)) { range in
                for row in range {
                    let (output, input) = (y + row * count, x + row * source)
                    for i in 0..<count {
                        let column = Int(columns[i])
                        output[i] = column < 0 ? 0 : input[column]
                    }
                }
            }
        }
    }

    /// x[r, index[i]] += scale[i] y[r, i] in order of i, skipping negative indices; no scale counts as 1.
    static func scatterAddColumns(
        _ x: Floats, _ y: UnsafePointer<Float>, rows: Int, to target: Int, index: [Int32], scale: [Float]? = nil
    ) {
        let factors = scale ?? [Float](repeating: 1, count: index.count)
        index.withUnsafeBufferPointer { index in
            factors.withUnsafeBufferPointer { factors in
                guard let columns = index.baseAddress, let factor = factors.baseAddress else { return }
                let count = index.count
                Execution.current.pool.forEachChunk(rows, grain: rowGrain(count, elements: memoryGrain)) { range in
                    for row in range {
                        let (output, input) = (x + row * target, y + row * count)
                        for i in 0..<count where columns[i] >= 0 { output[Int(columns[i])] += factor[i] * input[i] }
                    }
                }
            }
        }
    }

    /// y[r, i] = (1 − fraction[i]) x[r, lower[i]] + fraction[i] x[r, upper[i]].
    static func interpolateColumns(
        _ y: Floats, _ x: UnsafePointer<Float>, rows: Int, from source: Int, lower: [Int32], upper: [Int32],
        fraction: [Float]
    ) {
        lower.withUnsafeBufferPointer { lower in
            upper.withUnsafeBufferPointer { upper in
                fraction.withUnsafeBufferPointer { fraction in
                    guard let low = lower.baseAddress, let high = upper.baseAddress, let part = fraction.baseAddress
                    else { return }
                    let count = lower.count
                    Execution.current.pool.forEachChunk(rows, grain: rowGrain(count, elements: memoryGrain)) { range in
                        for row in range {
                            let (output, input) = (y + row * count, x + row * source)
                            for i in 0..<count {
                                let (a, b) = (input[Int(low[i])], input[Int(high[i])])
                                output[i] = (1 - part[i]) * a + part[i] * b
                            }
                        }
                    }
                }
            }
        }
    }
}
