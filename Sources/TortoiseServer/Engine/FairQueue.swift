/// A queue in which clients take turns: one that asks much does not keep the others waiting.
struct FairQueue<Element> {
    /// The most that may wait.
    let capacity: Int
    private(set) var count = 0
    /// In the order of their turns; a lane has something in it.
    private var lanes: [(client: String, items: [Element])] = []

    init(capacity: Int) { self.capacity = capacity }

    /// Adds something to the end of a client's lane.
    ///
    /// - Returns: Whether there was room.
    mutating func append(_ element: Element, client: String) -> Bool {
        guard count < capacity else { return false }
        count += 1
        if let lane = lanes.firstIndex(where: { $0.client == client }) {
            lanes[lane].items.append(element)
        } else {
            lanes.append((client, [element]))
        }
        return true
    }

    /// Takes what is next; the client's next turn comes after all others'.
    mutating func popFirst() -> Element? {
        guard !lanes.isEmpty else { return nil }
        var lane = lanes.removeFirst()
        let element = lane.items.removeFirst()
        if !lane.items.isEmpty { lanes.append(lane) }
        count -= 1
        return element
    }

    /// Takes out what matches.
    mutating func remove(where matches: (Element) -> Bool) -> [Element] {
        var removed: [Element] = []
        for lane in lanes.indices {
            removed += lanes[lane].items.filter(matches)
            lanes[lane].items.removeAll(where: matches)
        }
        lanes.removeAll { $0.items.isEmpty }
        count -= removed.count
        return removed
    }

    /// All, in the order in which they will be taken.
    var inOrder: [Element] {
        var (order, round) = ([Element](), 0)
        while order.count < count {
            for lane in lanes where round < lane.items.count { order.append(lane.items[round]) }
            round += 1
        }
        return order
    }
}
