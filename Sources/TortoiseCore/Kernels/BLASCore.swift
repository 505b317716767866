import CKernels
import COpenBLAS
import Foundation

/// The processor that OpenBLAS believes to run on.
///
/// A release of OpenBLAS knows the processors of its time. On a newer one it may fall back to kernels of 2004, a fifth as
/// fast, although the processor has the instructions of those that it knows. It reads the variable `OPENBLAS_CORETYPE` only
/// while it is loaded, so a program that finds it mistaken has to start again with the variable set.
public enum BLASCore {
    private static let wide = ["skylakex", "cooperlake", "sapphirerapids", "zen4"]
    private static let middle = ["haswell", "zen", "excavator", "broadwell"]

    /// The name of the kernels in use, such as "Haswell".
    public static var name: String { String(cString: openblas_get_corename()) }

    /// The kernels that would run faster than those in use; nil when OpenBLAS has chosen well or was told what to use.
    public static var better: String? {
        #if arch(x86_64)
            guard ProcessInfo.processInfo.environment["OPENBLAS_CORETYPE"] == nil else { return nil }
            let used = name.lowercased()
            if InstructionSet.avx512.isAvailable { return wide.contains(used) ? nil : "SKYLAKEX" }
            if InstructionSet.avx2.isAvailable { return (wide + middle).contains(used) ? nil : "HASWELL" }
        #endif
        return nil
    }

    /// Starts the program again with better kernels where there are some; returns where there are none.
    ///
    /// Called before anything else, for nothing of this process is kept.
    public static func restartWithBetter() {
        guard let better else { return }
        setenv("OPENBLAS_CORETYPE", better, 1)
        var arguments: [UnsafeMutablePointer<CChar>?] = CommandLine.arguments.map { strdup($0) }
        arguments.append(nil)
        execv("/proc/self/exe", &arguments)
        // Where that is not allowed, slow is better than not at all.
    }
}
