import Foundation

/// Computes values for a list of inputs in order, some ahead, on a thread of its own.
///
/// `@unchecked Sendable`: everything mutable is guarded by the condition.
final class ReadAhead<Input: Sendable, Output: Sendable>: @unchecked Sendable {
    private let condition = NSCondition()
    private let inputs: [Input]
    private let depth: Int
    private let compute: @Sendable (Input) -> Output
    private var ready: [Output] = []
    private var isCancelled = false
    private var hasStarted = false
    /// Seconds that `next` waited.
    private(set) var secondsWaiting = 0.0

    init(_ inputs: [Input], depth: Int = 8, _ compute: @escaping @Sendable (Input) -> Output) {
        (self.inputs, self.depth, self.compute) = (inputs, depth, compute)
    }

    /// Stops reading; what the thread is computing is dropped.
    func cancel() {
        condition.withLock {
            isCancelled = true
            condition.broadcast()
        }
    }

    /// The value of the next input.
    ///
    /// - Precondition: it is called once per input.
    func next() -> Output {
        let start = ContinuousClock.now
        return condition.withLock {
            if !hasStarted {
                hasStarted = true
                startReading()
            }
            while ready.isEmpty { condition.wait() }
            let output = ready.removeFirst()
            condition.broadcast()
            secondsWaiting += start.duration(to: .now).seconds
            return output
        }
    }

    private func startReading() {
        let thread = Thread {
            for input in self.inputs {
                let output = self.compute(input)
                let goesOn = self.condition.withLock {
                    self.ready.append(output)
                    self.condition.broadcast()
                    while self.ready.count >= self.depth, !self.isCancelled { self.condition.wait() }
                    return !self.isCancelled
                }
                guard goesOn else { return }
            }
        }
        thread.name = "reader"
        thread.stackSize = 1 << 21
        thread.start()
    }
}
