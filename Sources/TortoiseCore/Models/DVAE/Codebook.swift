/// The vectors that codes stand for, learnt as running averages of what is assigned to them.
///
/// Port of the exponential moving average quantiser of van den Oord et al. ("Neural discrete representation learning", 2017).
/// Keys: `embed` [width, codes], `cluster_size` [codes], `embed_avg` [width, codes].
public final class Codebook {
    public let count, width: Int
    private let decay: Float
    private let embed, clusterSize, average: Parameter

    /// Laplace smoothing of the cluster sizes.
    private static let epsilon: Float = 1e-5
    /// Vectors compared with the codebook at once, to bound the table of distances.
    private static let rowsAtOnce = 1_024

    init(_ config: DVAEConfig, at scope: ParameterScope) {
        (count, width, decay) = (config.codes, config.codeWidth, Float(config.decay))
        embed = scope.parameter("embed", [width, count], .normal(standardDeviation: 1))
        clusterSize = scope.parameter("cluster_size", [count], .zeros)
        // The average starts as the vectors themselves.
        average = scope.parameter("embed_avg", [width, count], .values(embed.value.values))
    }

    /// The parameters that are averages and get no gradients.
    public var parameters: [Parameter] { [embed, clusterSize, average] }

    /// The nearest code of each vector, by Euclidean distance. Shape: [rows, width] → int32 [rows]
    public func nearest(to vectors: Tensor) -> Tensor {
        let table = embed.value.detached
        let squares = table.squared.sum(0)
        var codes: [Int32] = []
        codes.reserveCapacity(vectors.size(0))
        for start in stride(from: 0, to: vectors.size(0), by: Self.rowsAtOnce) {
            let rows = vectors.detached.sliced(0, start..<min(start + Self.rowsAtOnce, vectors.size(0)))
            codes += (rows.matmul(table) * 2 - squares).argmax.indexValues
        }
        return Tensor(indices: codes, shape: [codes.count])
    }

    /// Shape: int32 [...] → [..., width]
    func vectors(of codes: Tensor) -> Tensor { embedding(embed.value.detached.transposed().contiguous, codes) }

    // MARK: - Learning

    /// Moves the averages towards the vectors that were assigned to each code.
    ///
    /// - Parameters:
    ///   - vectors: [rows, width]
    ///   - codes: One per row.
    public func update(_ vectors: Tensor, _ codes: [Int32]) {
        let (sums, counts) = assigned(vectors, codes)
        let share = 1 - decay
        let sizes = zip(clusterSize.value.values, counts).map { $0 * decay + $1 * share }
        let averages = zip(average.value.values, sums).map { $0 * decay + $1 * share }
        set(sizes: sizes, averages: averages)
    }

    /// Gives codes that are hardly used a vector of the batch to start anew from.
    ///
    /// - Parameters:
    ///   - threshold: Of the running average of assignments per update.
    ///   - random: Chooses the vectors.
    /// - Returns: How many codes were restarted.
    @discardableResult
    public func restartDeadCodes(_ vectors: Tensor, below threshold: Float, _ random: RandomSource) -> Int {
        var sizes = clusterSize.value.values
        let dead = sizes.indices.filter { sizes[$0] < threshold }
        guard !dead.isEmpty, vectors.size(0) > 0 else { return 0 }
        var averages = average.value.values
        let rows = vectors.values
        let choice = random.stream
        for (position, code) in dead.enumerated() {
            let row = Int((UInt64(choice[position]) * UInt64(vectors.size(0))) >> 32)
            // As if it were used as often as the threshold asks, so that it is not restarted again at once.
            sizes[code] = threshold
            for i in 0..<width { averages[i * count + code] = rows[row * width + i] * threshold }
        }
        set(sizes: sizes, averages: averages, onlyCodes: dead)
        return dead.count
    }

    /// Makes the codebook from an encoder's vectors: random ones, then Lloyd's iterations (k-means).
    ///
    /// - Parameter vectors: [rows, width]; at least one. With fewer rows than codes some codes begin alike.
    public func initialize(from vectors: Tensor, iterations: Int = 10, _ random: RandomSource) {
        let rows = vectors.size(0)
        precondition(rows > 0, "codebook: no vectors to start from")
        let order = Array(0..<rows).shuffled(by: random["start"])
        let chosen = Tensor(indices: (0..<count).map { Int32(order[$0 % rows]) })
        embed.substitute(embedding(vectors, chosen).transposed().contiguous)
        for iteration in 0..<iterations {
            let codes = nearest(to: vectors).indexValues
            var (sums, counts) = assigned(vectors, codes)
            let values = vectors.values
            let choice = random[iteration].stream
            for code in 0..<count where counts[code] == 0 {
                let row = Int((UInt64(choice[code]) * UInt64(rows)) >> 32)
                counts[code] = 1
                for i in 0..<width { sums[i * count + code] = values[row * width + i] }
            }
            embed.substitute(Tensor((0..<width * count).map { sums[$0] / counts[$0 % count] }, shape: [width, count]))
        }
        let (_, counts) = assigned(vectors, nearest(to: vectors).indexValues)
        let sizes = counts.map { max($0, 1) }
        clusterSize.substitute(Tensor(sizes))
        let table = embed.value.values
        average.substitute(Tensor((0..<width * count).map { table[$0] * sizes[$0 % count] }, shape: [width, count]))
    }

    /// Sums [width, codes] and counts [codes] of the vectors assigned to each code.
    private func assigned(_ vectors: Tensor, _ codes: [Int32]) -> (sums: [Float], counts: [Float]) {
        precondition(
            vectors.shape == [codes.count, width], "codebook: \(codes.count) codes of vectors \(vectors.shape)")
        var sums = [Float](repeating: 0, count: width * count)
        var counts = [Float](repeating: 0, count: count)
        let values = vectors.values
        sums.withUnsafeMutableBufferPointer { sums in
            values.withUnsafeBufferPointer { values in
                for (row, code) in codes.enumerated() {
                    counts[Int(code)] += 1
                    for i in 0..<width { sums[i * count + Int(code)] += values[row * width + i] }
                }
            }
        }
        return (sums, counts)
    }

    /// Stores the averages and the vectors that follow from them.
    private func set(sizes: [Float], averages: [Float], onlyCodes: [Int]? = nil) {
        clusterSize.substitute(Tensor(sizes))
        average.substitute(Tensor(averages, shape: [width, count]))
        if let onlyCodes {
            var table = embed.value.values
            for code in onlyCodes {
                for i in 0..<width { table[i * count + code] = averages[i * count + code] / sizes[code] }
            }
            embed.substitute(Tensor(table, shape: [width, count]))
            return
        }
        let total = sizes.reduce(0, +)
        let scale = total / (total + Float(count) * Self.epsilon)
        let smoothed = sizes.map { ($0 + Self.epsilon) * scale }
        embed.substitute(
            Tensor((0..<width * count).map { averages[$0] / smoothed[$0 % count] }, shape: [width, count]))
    }

    /// What a checkpoint needs to go on from.
    func state() -> StateDictionary {
        var state = StateDictionary(kind: "codebook")
        for (name, parameter) in zip(["embed", "cluster_size", "embed_avg"], parameters) {
            state.append(name, parameter.value.detached)
        }
        return state
    }

    /// - Throws: `InputError.model` when the sizes are others.
    func restore(_ state: StateDictionary) throws {
        var reader = try StateReader(state, kind: "codebook")
        let values = zip(["embed", "cluster_size", "embed_avg"], parameters).map { reader.tensor($0, $1.shape) }
        try reader.finish()
        for (parameter, value) in zip(parameters, values) { parameter.substitute(value) }
    }
}
