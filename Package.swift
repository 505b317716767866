// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
    name: "Tortoise",
    products: [
        .library(name: "TortoiseCore", targets: ["TortoiseCore"]),
    ],
    dependencies: [
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
        .testTarget(
            name: "TortoiseCoreTests",
            dependencies: ["TortoiseCore", "CKernels"],
            resources: [.copy("Goldens")],
            swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .c17
)
