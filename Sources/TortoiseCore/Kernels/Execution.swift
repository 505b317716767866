import CKernels
import Foundation

/// An instruction set that kernels were written for.
public enum InstructionSet: String, Sendable, CaseIterable {
    case scalar, avx2, avx512
    /// AVX-512, with products of bfloat16 factors on the tile registers of Intel's AMX.
    case amx

    /// Whether this processor runs it.
    public var isAvailable: Bool { tk_table_for(code) != nil }

    /// The widest one that this processor runs.
    public static var best: InstructionSet { allCases.last(where: \.isAvailable) ?? .scalar }

    var code: tk_isa {
        switch self {
        case .scalar: TK_SCALAR
        case .avx2: TK_AVX2
        case .avx512: TK_AVX512
        case .amx: TK_AMX
        }
    }
}

/// How precisely large matrix products are made; sums and everything else are float32 either way.
public enum ProductPrecision: String, Sendable, CaseIterable {
    case float32
    /// Factors are rounded to bfloat16: mixed precision. Faster where the processor is AMD's and has AVX-512 BF16, or
    /// Intel's and has AMX; with Intel's AVX-512 BF16 alone it is slower.
    case bfloat16

    /// Whether this processor has instructions for it.
    public var isAvailable: Bool { self == .float32 || tk_has_bf16_products() != 0 }

    /// bfloat16 where that is wanted and makes this processor faster than float32 does.
    public static func mixed(_ isWanted: Bool) -> ProductPrecision {
        let pays = tk_bf16_products_pay() != 0 || Execution.instructionSet == .amx
        return isWanted && pays ? .bfloat16 : .float32
    }

    /// What is to be said where mixed precision is wanted and `mixed` does without.
    public static var whyNotMixed: String {
        bfloat16.isAvailable
            ? "bfloat16 products are slower than float32 on this processor without AMX"
            : "this processor has no bfloat16 products"
    }
}

/// Where operations run: a table of kernels and a pool of threads.
///
/// There is one for the whole process, set by `TORTOISE_ISA` and `TORTOISE_THREADS`; `with(…)` replaces it for the
/// duration of a call, which is how tests and benchmarks compare instruction sets and thread counts side by side.
///
/// `@unchecked Sendable`: the table is immutable C data, the pool synchronises itself.
public struct Execution: @unchecked Sendable {
    /// The instruction set in use.
    public let instructionSet: InstructionSet
    let table: tk_table
    let pool: ThreadPool
    /// How large matrix products are made.
    let products: ProductPrecision

    @TaskLocal static var current = Execution.processDefault

    /// The number of threads that operations share.
    public static var threadCount: Int { current.pool.threadCount }
    /// The instruction set that operations use.
    public static var instructionSet: InstructionSet { current.instructionSet }

    /// Gives memory that is kept for the next operations back to the system.
    public static func releaseReserve() { BufferPool.shared.trim() }

    init(instructionSet: InstructionSet, pool: ThreadPool, products: ProductPrecision = .float32) {
        guard let table = tk_table_for(instructionSet.code) else {
            preconditionFailure("this processor has no \(instructionSet.rawValue) instructions")
        }
        self.instructionSet = instructionSet
        self.table = table.pointee
        self.pool = pool
        self.products = products
    }

    /// Runs `body` with another instruction set, thread count or precision of products; `nil` keeps the current one.
    ///
    /// - Precondition: the processor has the instruction set and the products (`isAvailable`).
    public static func with<Result>(
        instructionSet: InstructionSet? = nil, threads: Int? = nil, products: ProductPrecision? = nil,
        _ body: () throws -> Result
    ) rethrows -> Result {
        precondition(products?.isAvailable ?? true, "this processor has no bfloat16 products")
        let outer = current
        let pool = threads.map { ThreadPool.shared(threads: $0) } ?? outer.pool
        let inner = Execution(
            instructionSet: instructionSet ?? outer.instructionSet, pool: pool, products: products ?? outer.products)
        return try $current.withValue(inner, operation: body)
    }

    /// What the environment asks for, checked; programs call this first and print the error.
    ///
    /// - Throws: `InputError.usage` when `TORTOISE_ISA` or `TORTOISE_THREADS` makes no sense here.
    public static func checkEnvironment() throws {
        _ = try requestedInstructionSet()
        _ = try requestedThreads()
    }

    private static let processDefault: Execution = {
        let set = (try? requestedInstructionSet()) ?? .best
        let threads = (try? requestedThreads()) ?? Processor.physicalCores
        return Execution(instructionSet: set, pool: ThreadPool.shared(threads: threads))
    }()

    private static func requestedInstructionSet() throws -> InstructionSet {
        guard let name = ProcessInfo.processInfo.environment["TORTOISE_ISA"], !name.isEmpty else { return .best }
        let names = InstructionSet.allCases.map(\.rawValue).joined(separator: ", ")
        guard let set = InstructionSet(rawValue: name.lowercased()) else {
            throw InputError.usage("expected one of \(names), found \"\(name)\"", at: "TORTOISE_ISA")
        }
        guard set.isAvailable else {
            throw InputError.usage(
                "this processor has no \(name) instructions", at: "TORTOISE_ISA",
                try: "unset it to use \(InstructionSet.best)")
        }
        return set
    }

    private static func requestedThreads() throws -> Int {
        guard let text = ProcessInfo.processInfo.environment["TORTOISE_THREADS"], !text.isEmpty else {
            return Processor.physicalCores
        }
        guard let count = Int(text), (1...ThreadPool.maximumThreads).contains(count) else {
            throw InputError.usage(
                "expected a number of threads from 1 to \(ThreadPool.maximumThreads), found \"\(text)\"",
                at: "TORTOISE_THREADS")
        }
        return count
    }
}

/// Facts about the processor.
public enum Processor {
    /// Physical cores that this process may run on; hyper-threads of one core count once.
    public static let physicalCores: Int = {
        let cores = Set(
            allowedProcessors.map { number -> String in
                let path = "/sys/devices/system/cpu/cpu\(number)/topology/thread_siblings_list"
                return (try? String(contentsOfFile: path, encoding: .utf8)) ?? "cpu \(number)"
            })
        return min(max(1, cores.count), ThreadPool.maximumThreads)
    }()

    /// The numbers of the logical processors that the system lets this process use.
    private static var allowedProcessors: [Int] {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let list = status.split(separator: "\n").first { $0.hasPrefix("Cpus_allowed_list:") }
        guard let numbers = list?.split(separator: "\t").last else { return [0] }
        return numbers.split(separator: ",").flatMap { part -> [Int] in
            let ends = part.split(separator: "-").compactMap { Int($0) }
            guard let first = ends.first, let last = ends.last, first <= last else { return [] }
            return Array(first...last)
        }
    }
}
