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
        let count = 64 << 20
        let x = Tensor.ones([1024, count / 1024])
        return Double(count * 4) / Timing.median { _ = x.sum(1) }
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
