// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "Tortoise",
    products: [
        .library(name: "TortoiseCore", targets: ["TortoiseCore"]),
        .executable(name: "tortoise-infer", targets: ["TortoiseInfer"]),
        .executable(name: "tortoise-train", targets: ["TortoiseTrain"]),
        .executable(name: "tortoise-bench", targets: ["TortoiseBench"]),
        .executable(name: "tortoise-fuzz", targets: ["TortoiseFuzz"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // C libraries that Debian ships. `scripts/setup` installs what is missing.
        .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
        .systemLibrary(name: "CSndFile", pkgConfig: "sndfile", providers: [.apt(["libsndfile1-dev"])]),
        .systemLibrary(name: "CHDF5", pkgConfig: "hdf5", providers: [.apt(["libhdf5-dev"])]),
        .systemLibrary(name: "CLZF", pkgConfig: "liblzf", providers: [.apt(["liblzf-dev"])]),

        // SIMD kernels: one body, one file per instruction set, chosen when the program starts.
        .target(name: "CKernels"),

        .target(
            name: "TortoiseCore",
            dependencies: [
                "CKernels", "COpenBLAS", "CSndFile", "CHDF5", "CLZF",
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: strict),
        // What both programs share: error messages and exit codes.
        .target(name: "TortoiseCommandLine", dependencies: ["TortoiseCore", arguments], swiftSettings: strict),
        .executableTarget(
            name: "TortoiseInfer", dependencies: ["TortoiseCommandLine", "TortoiseCore", arguments],
            swiftSettings: strict),
        .executableTarget(
            name: "TortoiseTrain", dependencies: ["TortoiseCommandLine", "TortoiseCore", arguments],
            swiftSettings: strict),
        .executableTarget(
            name: "TortoiseBench", dependencies: ["TortoiseCommandLine", "TortoiseCore", "COpenBLAS", arguments],
            path: "Benchmarks", exclude: ["torch_cases.py"], swiftSettings: strict),

        // What `scripts/fuzz` runs.
        .executableTarget(
            name: "TortoiseFuzz", dependencies: ["TortoiseCommandLine", "TortoiseCore", arguments], path: "Fuzz",
            swiftSettings: strict),

        .testTarget(
            name: "TortoiseCoreTests",
            dependencies: ["TortoiseCore", "CKernels"],
            resources: [.copy("Goldens")],
            swiftSettings: strict),
        .testTarget(
            name: "CommandLineTests", dependencies: ["TortoiseCore", "TortoiseInfer", "TortoiseTrain"],
            swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .c17
)
