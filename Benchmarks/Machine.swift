import COpenBLAS
import Foundation
import TortoiseCore

/// What this machine can do at best, measured.
struct Machine {
    let processor: String
    let threads: Int
    let instructionSet: String
    /// Floating-point operations per second of a large product by bare OpenBLAS with as many threads.
    let peakArithmetic: Double
    /// Bytes per second when summing memory that no cache holds.
    let readBandwidth: Double

    static func measure() -> Machine {
        let info = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let model = info.split(separator: "\n").first { $0.hasPrefix("model name") }?.split(separator: ":").last
        return Machine(
            processor: model?.trimmingCharacters(in: .whitespaces) ?? "unknown", threads: Execution.threadCount,
            instructionSet: Execution.instructionSet.rawValue, peakArithmetic: measureArithmetic(),
            readBandwidth: measureBandwidth())
    }

    private static func measureArithmetic() -> Double {
        let n = 2048
        return 2 * Double(n * n * n) / Timing.median(BareProduct(m: n, n: n, k: n).body)
    }

    private static func measureBandwidth() -> Double {
        let reading = MemoryReading()
        return reading.bytes / Timing.median(reading.body)
    }
}

/// A product by OpenBLAS alone, with threads of its own.
struct BareProduct {
    let body: () -> Void

    init(m: Int, n: Int, k: Int) {
        let (a, b) = ([Float](repeating: 0.5, count: m * k), [Float](repeating: 0.25, count: n * k))
        var c = [Float](repeating: 0, count: m * n)
        body = {
            openblas_set_num_threads(Int32(Execution.threadCount))
            defer { openblas_set_num_threads(1) }
            cblas_sgemm(
                CblasRowMajor, CblasNoTrans, CblasTrans, blasint(m), blasint(n), blasint(k), 1, a, blasint(k), b,
                blasint(k), 0, &c, blasint(n))
        }
    }
}

/// Reads memory that no cache holds, as quickly as this machine can.
struct MemoryReading {
    let bytes = Double(256 << 20)
    let body: () -> Void

    init() {
        let x = Tensor.ones([1024, (64 << 20) / 1024])
        body = { _ = x.sum(1) }
    }
}

enum Timing {
    /// The median time of a call in seconds, after a warm-up.
    static func median(_ body: () -> Void) -> Double {
        let clock = ContinuousClock()
        body()
        var times = [seconds(clock.measure(body))]
        let wanted = max(5, min(200, Int(0.7 / max(times[0], 1e-7))))
        while times.count < wanted { times.append(seconds(clock.measure(body))) }
        return times.sorted()[times.count / 2]
    }

    /// The median times of two calls in seconds, in turns of a few: threads of the one are at rest before the other begins.
    static func medians(_ first: () -> Void, _ second: () -> Void) -> (Double, Double) {
        var times: ([Double], [Double]) = ([], [])
        for _ in 0..<8 {
            Thread.sleep(forTimeInterval: rest)
            times.0.append(medianOfTurn(first))
            Thread.sleep(forTimeInterval: rest)
            times.1.append(medianOfTurn(second))
        }
        return (times.0.sorted()[times.0.count / 2], times.1.sorted()[times.1.count / 2])
    }

    /// Longer than OpenBLAS's threads wait for more to do.
    private static let rest = 0.15

    private static func medianOfTurn(_ body: () -> Void) -> Double {
        let clock = ContinuousClock()
        body()
        return (0..<9).map { _ in seconds(clock.measure(body)) }.sorted()[4]
    }

    /// The median time of a call in seconds, and what `limit` takes, which is called in turn: memory is shared with other
    /// machines, and its speed changes from one second to the next.
    static func median(_ body: () -> Void, beside limit: () -> Void) -> (seconds: Double, limit: Double) {
        let clock = ContinuousClock()
        body()
        limit()
        let times = (0..<100).map { _ in (seconds(clock.measure(body)), seconds(clock.measure(limit))) }
        let ratios = times.map { $0.1 / $0.0 }.sorted()
        let middle = times.map(\.0).sorted()[times.count / 2]
        return (middle, ratios[times.count / 2] * middle)
    }

    private static func seconds(_ duration: Duration) -> Double {
        Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
    }
}

/// The most memory that this process had since the last reset, in bytes.
enum PeakMemory {
    static func reset() { try? "5".write(toFile: "/proc/self/clear_refs", atomically: false, encoding: .utf8) }

    static var value: Double {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") } ?? ""
        return Double(line.split(separator: " ").dropFirst().compactMap { Int($0) }.first ?? 0) * 1024
    }
}
