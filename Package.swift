// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

let whenServing = TargetDependencyCondition.when(traits: ["Server"])
let hummingbird: [Target.Dependency] = [
    ("Hummingbird", "hummingbird"), ("HummingbirdCore", "hummingbird"), ("NIOCore", "swift-nio"),
    ("Logging", "swift-log"), ("HTTPTypes", "swift-http-types"), ("ServiceLifecycle", "swift-service-lifecycle"),
    ("UnixSignals", "swift-service-lifecycle"),
].map { .product(name: $0.0, package: $0.1, condition: whenServing) }
let server = Target.Dependency.target(name: "TortoiseServer", condition: whenServing)

let package = Package(
    name: "Tortoise",
    products: [
        .library(name: "TortoiseCore", targets: ["TortoiseCore"]),
        .executable(name: "tortoise-infer", targets: ["TortoiseInfer"]),
        .executable(name: "tortoise-train", targets: ["TortoiseTrain"]),
        .executable(name: "tortoise-bench", targets: ["TortoiseBench"]),
        .executable(name: "tortoise-fuzz", targets: ["TortoiseFuzz"]),
    ],
    traits: [
        .default(enabledTraits: ["Server"]),
        .trait(
            name: "Server", description: "The web page and the HTTP API: tortoise-infer serve, tortoise-train --serve."),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        // What Hummingbird stands on, for the names that its interface uses.
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.14.0"),
        .package(url: "https://github.com/apple/swift-http-types.git", from: "1.8.0", traits: []),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.0.0"),
    ],
    targets: [
        // C libraries that Debian ships. `scripts/setup` installs what is missing.
        .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
        .systemLibrary(name: "CSndFile", pkgConfig: "sndfile", providers: [.apt(["libsndfile1-dev"])]),
        .systemLibrary(name: "CHDF5", pkgConfig: "hdf5", providers: [.apt(["libhdf5-dev"])]),
        .systemLibrary(name: "CLZF", pkgConfig: "liblzf", providers: [.apt(["liblzf-dev"])]),

        // Reads HDF5 files that the library may not survive in a child process, which need not.
        .target(name: "CHDF5Reader", dependencies: ["CHDF5", "CLZF"], linkerSettings: [.linkedLibrary("z")]),

        // SIMD kernels: one body, one file per instruction set, chosen when the program starts.
        .target(name: "CKernels"),

        .target(
            name: "TortoiseCore",
            dependencies: [
                "CKernels", "COpenBLAS", "CSndFile", "CHDF5", "CHDF5Reader", "CLZF",
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: strict),
        // What both programs share: error messages and exit codes.
        .target(name: "TortoiseCommandLine", dependencies: ["TortoiseCore", arguments], swiftSettings: strict),
        // The web page and the HTTP API. Without the trait `Server` the target is empty.
        .target(
            name: "TortoiseServer", dependencies: ["TortoiseCore"] + hummingbird,
            resources: [.embedInCode("Page/Resources")], swiftSettings: strict),
        .executableTarget(
            name: "TortoiseInfer", dependencies: ["TortoiseCommandLine", "TortoiseCore", server, arguments],
            swiftSettings: strict),
        .executableTarget(
            name: "TortoiseTrain", dependencies: ["TortoiseCommandLine", "TortoiseCore", server, arguments],
            swiftSettings: strict),
        .executableTarget(
            name: "TortoiseBench", dependencies: ["TortoiseCommandLine", "TortoiseCore", "COpenBLAS", arguments],
            path: "Benchmarks", exclude: ["torch_cases.py"], swiftSettings: strict),

        // What `scripts/fuzz` runs.
        .executableTarget(
            name: "TortoiseFuzz", dependencies: ["TortoiseCommandLine", "TortoiseCore", server, arguments],
            path: "Fuzz", swiftSettings: strict),

        .testTarget(
            name: "TortoiseCoreTests",
            dependencies: ["TortoiseCore", "CKernels"],
            resources: [.copy("Goldens")],
            swiftSettings: strict),
        .testTarget(
            name: "CommandLineTests", dependencies: ["TortoiseCore", "TortoiseInfer", "TortoiseTrain"],
            swiftSettings: strict),
        .testTarget(
            name: "TortoiseServerTests",
            dependencies: [
                "TortoiseCore", "TortoiseServer",
                .product(name: "HummingbirdTesting", package: "hummingbird", condition: whenServing),
            ] + hummingbird,
            swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .c17
)
