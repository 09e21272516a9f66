// swift-tools-version: 6.2
import PackageDescription

/// House rules the compiler can hold: warnings are errors, every unsafe use is spelled out, and a
/// file sees only what it imports itself.
let house: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .strictMemorySafety(),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// The hot path is spread over a few modules for legibility. Without this flag `package` functions
/// are called across modules instead of inlined (seen in the disassembly), even trivial accessors.
/// The driver's default flag for the cautious form would win, so that is switched off first.
let hot: [SwiftSetting] =
    house + [
        .unsafeFlags(
            [
                "-disable-cmo", "-no-emit-module-separately-wmo",
                "-Xfrontend", "-enable-cmo-everything",
            ], .when(configuration: .release))
    ]

/// Inlining across modules emits some private symbols in several of them; all are the same.
let linked: [LinkerSetting] = [
    .unsafeFlags(["-Xlinker", "-z", "-Xlinker", "muldefs"], .when(configuration: .release))
]

let package = Package(
    name: "penstock",
    platforms: [.macOS(.v26)],
    products: [
        .executable(name: "penstock", targets: ["penstock"]),
        .executable(name: "penstock-model", targets: ["penstock-model"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(
            url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(
            url: "https://github.com/swift-server/async-http-client", from: "1.37.0", traits: []),
    ],
    targets: [
        // The gate: values that both planes speak.
        .target(name: "Traffic", swiftSettings: hot),

        // Data plane.
        .target(name: "CLinux", path: "Sources/System/CLinux"),
        .target(name: "CShim", path: "Sources/System/CShim"),
        .target(
            name: "Reactor", dependencies: ["CLinux", "TLS"], path: "Sources/DataPlane/Reactor",
            // `Bytes.span` has to say how long it lives.
            swiftSettings: hot + [.enableExperimentalFeature("Lifetimes")]),
        .systemLibrary(
            name: "COpenSSL", path: "Sources/System/COpenSSL", pkgConfig: "openssl",
            providers: [.apt(["libssl-dev"])]),
        .target(
            name: "TLS", dependencies: ["COpenSSL"], path: "Sources/DataPlane/TLS",
            swiftSettings: hot),
        .systemLibrary(
            name: "CNGHTTP2", path: "Sources/System/CNGHTTP2", pkgConfig: "libnghttp2",
            providers: [.apt(["libnghttp2-dev"])]),
        .target(
            name: "HTTPWire", dependencies: ["CNGHTTP2"], path: "Sources/DataPlane/HTTPWire",
            swiftSettings: hot),
        .target(
            name: "Balancing", dependencies: ["Traffic"], path: "Sources/DataPlane/Balancing",
            swiftSettings: hot),
        .target(
            name: "Proxying",
            dependencies: ["Traffic", "Reactor", "TLS", "HTTPWire", "Balancing"],
            path: "Sources/DataPlane/Proxying", swiftSettings: hot),

        // Control plane.
        .target(
            name: "CProvider", dependencies: ["COpenSSL"], path: "Sources/System/CProvider"),
        .target(
            name: "Handshakes",
            dependencies: ["CProvider", .product(name: "Crypto", package: "swift-crypto")],
            path: "Sources/System/Handshakes", swiftSettings: house),
        .target(name: "Guarding", path: "Sources/System/Guarding", swiftSettings: house),
        .target(name: "Notation", path: "Sources/ControlPlane/Notation", swiftSettings: house),
        .target(
            name: "State",
            dependencies: [
                "Guarding",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            path: "Sources/ControlPlane/State", swiftSettings: house),
        .target(
            name: "Replicas",
            dependencies: [
                "CLinux", "Guarding", "Notation",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Sources/ControlPlane/Replicas", swiftSettings: house),
        .target(
            name: "Settings",
            dependencies: [
                "Traffic", "Notation", "Deployments", .product(name: "Yams", package: "Yams"),
            ],
            path: "Sources/ControlPlane/Settings", swiftSettings: house),
        .target(
            name: "Deployments",
            dependencies: [
                "Traffic", "Notation", "State", "Replicas",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Sources/ControlPlane/Deployments", swiftSettings: house),
        .target(
            name: "Admin",
            dependencies: [
                "Traffic", "Notation", "Guarding", "State", "Replicas", "Deployments",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdTLS", package: "hummingbird"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Sources/ControlPlane/Admin", swiftSettings: house),

        .target(
            name: "Console", dependencies: ["Notation", "Deployments"],
            path: "Sources/ControlPlane/Console", swiftSettings: house),

        // Programs.
        .executableTarget(
            name: "penstock",
            dependencies: [
                "Traffic", "Reactor", "TLS", "Proxying", "Notation", "Guarding", "State",
                "Replicas",
                "Settings", "Deployments", "Admin", "Console", "CLinux", "CShim", "Handshakes",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: house, linkerSettings: linked),
        .executableTarget(
            name: "penstock-model",
            dependencies: [
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Sources/ReferenceModel", swiftSettings: house),

        // Tests. End-to-end stories are pytest in Tests/EndToEnd.
        .target(name: "Fixtures", path: "Tests/Fixtures", swiftSettings: house),
        .testTarget(
            name: "TrafficTests", dependencies: ["Traffic", "Fixtures"], swiftSettings: house),
        .testTarget(
            name: "ReactorTests", dependencies: ["Reactor", "Fixtures"], swiftSettings: house),
        .testTarget(
            name: "TLSTests", dependencies: ["TLS", "COpenSSL", "Handshakes", "Fixtures"],
            swiftSettings: house),
        .testTarget(
            name: "HTTPWireTests", dependencies: ["HTTPWire", "Guarding", "Fixtures"],
            swiftSettings: house),
        .testTarget(
            name: "BalancingTests", dependencies: ["Balancing", "Traffic", "Fixtures"],
            swiftSettings: house),
        .testTarget(
            name: "ProxyingTests",
            dependencies: [
                "Proxying", "Traffic", "HTTPWire", "Reactor", "Balancing", "TLS", "Fixtures",
            ],
            swiftSettings: house),
        .testTarget(name: "NotationTests", dependencies: ["Notation"], swiftSettings: house),
        .testTarget(
            name: "StateTests", dependencies: ["State", "Fixtures"], swiftSettings: house),
        .testTarget(
            name: "ReplicasTests", dependencies: ["Replicas", "penstock", "Fixtures"],
            swiftSettings: house),
        .testTarget(
            name: "SettingsTests", dependencies: ["Settings", "Deployments", "Traffic"],
            swiftSettings: house),
        .testTarget(
            name: "DeploymentsTests",
            dependencies: [
                "Deployments", "Guarding", "Notation", "Replicas", "State", "Traffic", "Fixtures",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: house),
        .testTarget(
            name: "AdminTests",
            dependencies: [
                "Admin", "Deployments", "Guarding", "Notation", "Replicas", "State", "Traffic",
                "Fixtures",
            ],
            swiftSettings: house),
        .testTarget(
            name: "ConsoleTests", dependencies: ["Console", "Deployments", "Notation"],
            swiftSettings: house),
        .testTarget(
            name: "ReferenceModelTests", dependencies: ["penstock-model"], swiftSettings: house),
        .testTarget(name: "TidyTests", swiftSettings: house),
    ],
    swiftLanguageModes: [.v6]
)

// Measures what several modules do together, so it needs the package's own build; for
// Benchmarks/Control/run alone.
if Context.environment["PENSTOCK_BENCHMARKS"] != nil {
    package.targets.append(
        .executableTarget(
            name: "control-benchmark",
            dependencies: [
                "Traffic", "Reactor", "Proxying", "Notation", "State", "Replicas", "Deployments",
                "Admin", .product(name: "Logging", package: "swift-log"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
            ],
            path: "Benchmarks/Control", exclude: ["run"], swiftSettings: house,
            linkerSettings: linked))
}
