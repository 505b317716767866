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
        let seconds = bareProduct(m: n, n: n, k: n)
        return 2 * Double(n * n * n) / seconds
    }

    /// Seconds for a product by OpenBLAS alone, with threads of its own.
    static func bareProduct(m: Int, n: Int, k: Int) -> Double {
        let (a, b) = ([Float](repeating: 0.5, count: m * k), [Float](repeating: 0.25, count: n * k))
        var c = [Float](repeating: 0, count: m * n)
        openblas_set_num_threads(Int32(Execution.threadCount))
        defer { openblas_set_num_threads(1) }
        return Timing.median {
            cblas_sgemm(
                CblasRowMajor, CblasNoTrans, CblasTrans, blasint(m), blasint(n), blasint(k), 1, a, blasint(k), b,
                blasint(k), 0, &c, blasint(n))
        }
    }

    private static func measureBandwidth() -> Double {
        let reading = MemoryReading()
        return reading.bytes / Timing.median(reading.body)
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
