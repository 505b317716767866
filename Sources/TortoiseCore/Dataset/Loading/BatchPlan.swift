/// Which utterances of an epoch go together, and in which order: a pure function of seed and epoch.
struct BatchPlan: Sendable {
    private let items: [DatasetSelection.Item]
    private let settings: DatasetSettings
    private let batchSize: Int
    private let random: RandomSource

    init(_ items: [DatasetSelection.Item], _ settings: DatasetSettings, batchSize: Int, seed: UInt64) {
        (self.items, self.settings, self.batchSize) = (items, settings, batchSize)
        random = RandomSource(seed: seed)["sampler"]
    }

    /// The batches of an epoch as rows of the dataset; never empty.
    ///
    /// With the order "duration" utterances of like length are batched, with `sample_max_duration_batch` as many as fit that many
    /// seconds once padded; the batches are shuffled when `sample_shuffle` is on. The other orders shuffle, or interleave the
    /// speakers, and batch what follows each other. A last batch that is not full is left out, unless it is the only one.
    func batches(epoch: Int) -> [[Int]] {
        let random = random[epoch]
        let items = settings.sampleType == .speaker ? drawnBySpeaker(random["speakers"]) : items
        switch settings.sampleOrder {
        case .duration:
            let batches = byDuration(items, random)
            return settings.sampleShuffle ? batches.shuffled(by: random["batches"]) : batches
        case .random: return chunked(items.shuffled(by: random["items"]))
        case .interleaved:
            return chunked(settings.sampleShuffle ? items.shuffled(by: random["items"]) : Self.interleaved(items))
        }
    }

    /// As many utterances as there are, every speaker as often as any other: of those who said little the same come again.
    private func drawnBySpeaker(_ random: RandomSource) -> [DatasetSelection.Item] {
        let speakers = Dictionary(grouping: items, by: \.speaker).sorted { $0.key < $1.key }.map {
            $0.value.shuffled(by: random[$0.key])
        }
        return items.indices.map { number in
            let utterances = speakers[number % speakers.count]
            return utterances[number / speakers.count % utterances.count]
        }
    }

    private func chunked(_ items: [DatasetSelection.Item]) -> [[Int]] {
        let full = items.count / batchSize
        guard full > 0 else { return [items.map(\.index)] }
        return (0..<full).map { number in items[number * batchSize..<(number + 1) * batchSize].map(\.index) }
    }

    /// Utterances of about the same length, in an order that differs between epochs within each length.
    private func byDuration(_ items: [DatasetSelection.Item], _ random: RandomSource) -> [[Int]] {
        let shuffled = settings.sampleShuffle ? items.shuffled(by: random["items"]) : items
        let sorted = shuffled.enumerated().sorted { a, b in
            let (x, y) = (Self.bucket(a.element), Self.bucket(b.element))
            return x != y ? x < y : a.offset < b.offset
        }.map(\.element)
        guard settings.sampleMaximumDurationBatch > 0 else { return chunked(sorted) }
        var batches: [[Int]] = []
        var current: [DatasetSelection.Item] = []
        for item in sorted {
            let longest = max(item.duration, current.map(\.duration).max() ?? 0)
            let isFull =
                current.count == batchSize || longest * Double(current.count + 1) > settings.sampleMaximumDurationBatch
            if isFull, !current.isEmpty {
                batches.append(current.map(\.index))
                current = []
            }
            current.append(item)
        }
        if !current.isEmpty { batches.append(current.map(\.index)) }
        return batches
    }

    /// A quarter of a second: padding stays below a tenth from 3 s on.
    private static func bucket(_ item: DatasetSelection.Item) -> Int { Int(item.duration * 4) }

    /// One of each speaker in turn.
    private static func interleaved(_ items: [DatasetSelection.Item]) -> [DatasetSelection.Item] {
        var queues = Dictionary(grouping: items, by: \.speaker).sorted { $0.key < $1.key }.map { ArraySlice($0.value) }
        var result: [DatasetSelection.Item] = []
        while !queues.isEmpty {
            for i in queues.indices { result += [queues[i].popFirst()].compactMap { $0 } }
            queues.removeAll(where: \.isEmpty)
        }
        return result
    }
}

extension Array {
    /// In an order that is a pure function of the source (Fisher and Yates).
    func shuffled(by random: RandomSource) -> [Element] {
        var result = self
        let stream = random.stream
        for i in stride(from: count - 1, to: 0, by: -1) {
            let j = Int((UInt64(stream[i]) * UInt64(i + 1)) >> 32)
            result.swapAt(i, j)
        }
        return result
    }
}
