// swift-tools-version: 6.2
import PackageDescription

/// Every target is built in Swift 6 mode with warnings as errors; a module used but not imported is one of them.
let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("ExistentialAny"),
]

/// A C library of the system, found by pkg-config; exactly one target imports each.
func cLibrary(_ name: String, pkgConfig: String, apt: String, brew: String) -> Target {
    .systemLibrary(
        name: name, path: "Sources/CLibraries/\(name)", pkgConfig: pkgConfig,
        providers: [.apt([apt]), .brew([brew])])
}

/// - Parameters:
///   - folder: where it lies in `Sources`; nil for a folder of its own name.
///   - files: a folder of files that are compiled into the code, as byte arrays.
func library(
    _ name: String, in folder: String? = nil, uses: [Target.Dependency] = [], embedding files: String? = nil
) -> Target {
    .target(
        name: name, dependencies: uses, path: folder.map { "Sources/\($0)" },
        resources: files.map { [.embedInCode($0)] } ?? [], swiftSettings: strict)
}

/// - Parameter targets: what is tested; nil for the target of that name.
func tests(_ name: String, of targets: [Target.Dependency]? = nil, uses: [Target.Dependency] = []) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: (targets ?? [.init(stringLiteral: name)]) + uses, swiftSettings: strict)
}

let package = Package(
    name: "chat-service",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "chat-service", targets: ["ChatService"]),
        .executable(name: "conformance-server", targets: ["ConformanceServer"]),
    ],
    targets: [
        cLibrary("COpenSSL", pkgConfig: "openssl", apt: "libssl-dev", brew: "openssl@3"),
        cLibrary("CSQLite", pkgConfig: "sqlite3", apt: "libsqlite3-dev", brew: "sqlite"),
        cLibrary("CZlib", pkgConfig: "zlib", apt: "zlib1g-dev", brew: "zlib"),
        cLibrary("CHiredis", pkgConfig: "hiredis", apt: "libhiredis-dev", brew: "hiredis"),
        cLibrary("CMongoc", pkgConfig: "libmongoc-1.0", apt: "libmongoc-dev", brew: "mongo-c-driver"),
        cLibrary("CRabbitMQ", pkgConfig: "librabbitmq", apt: "librabbitmq-dev", brew: "rabbitmq-c"),
        cLibrary("CSimdJSONLibrary", pkgConfig: "simdjson", apt: "libsimdjson-dev", brew: "simdjson"),
        cLibrary("CCurl", pkgConfig: "libcurl", apt: "libcurl4-openssl-dev", brew: "curl"),
        .systemLibrary(name: "CSockets", path: "Sources/CLibraries/CSockets"),
        .systemLibrary(name: "CAllocator", path: "Sources/CLibraries/CAllocator"),
        .target(name: "CSimdJSON", dependencies: ["CSimdJSONLibrary"]),

        // Values and rules: no I/O, no clock.
        library("ChatDomain"),
        library("JSON", uses: ["CSimdJSON"]),
        library("WireProtocols", uses: ["JSON"]),
        library("ChatProtocol", uses: ["ChatDomain", "JSON", "WireProtocols"]),
        library("Telemetry"),
        tests("Telemetry", uses: ["TestSupport"]),

        // The edge: sockets, threads, C libraries.
        library("Workers"),
        library("EventLoop", uses: ["CSockets"]),
        library("Crypto", uses: ["COpenSSL"]),
        library("Compression", uses: ["CZlib"]),
        library("RedisLink", uses: ["Crypto", "EventLoop", "Workers", "CHiredis"]),
        library("HTTPClient", uses: ["CCurl", "Workers"]),
        library("Tracing", uses: ["ChatDomain", "HTTPClient", "JSON", "Telemetry", "Workers"]),
        library("Identity", uses: ["ChatDomain", "Crypto", "JSON"]),
        library(
            "IdentityProviders",
            uses: ["ChatDomain", "Crypto", "HTTPClient", "Identity", "JSON", "Telemetry", "Workers"]),
        // What one server keeps: a target each, which alone imports that server's library.
        library("PersistenceSQLite", in: "Persistence/SQLite", uses: ["ChatDomain", "Workers", "CSQLite"]),
        library("PersistenceMongoDB", in: "Persistence/MongoDB", uses: ["ChatDomain", "JSON", "Workers", "CMongoc"]),
        library(
            "PersistenceRedis", in: "Persistence/Redis",
            uses: ["ChatDomain", "JSON", "ChatProtocol", "RedisLink", "Telemetry"], embedding: "Scripts"),
        library("PersistenceDisk", in: "Persistence/Disk", uses: ["ChatDomain", "ChatProtocol", "JSON", "Workers"]),
        library("PersistenceInProcess", in: "Persistence/InProcess", uses: ["ChatDomain"]),
        library("MessagingOutbox", in: "Messaging/Outbox", uses: ["ChatDomain", "JSON", "Telemetry", "Workers"]),
        library("MessagingRabbitMQ", in: "Messaging/RabbitMQ", uses: ["ChatDomain", "Workers", "CRabbitMQ"]),
        library(
            "MessagingWebhooks", in: "Messaging/Webhooks",
            uses: ["ChatDomain", "ChatProtocol", "Crypto", "HTTPClient", "JSON", "Telemetry", "Workers"]),
        library("MessagingRedis", in: "Messaging/Redis", uses: ["ChatDomain", "RedisLink", "Telemetry"]),
        library("MessagingInProcess", in: "Messaging/InProcess", uses: ["ChatDomain"]),
        library("Engine", uses: ["Compression", "Crypto", "EventLoop", "Telemetry", "WireProtocols"]),
        library(
            "ChatCore",
            uses: ["ChatDomain", "ChatProtocol", "Crypto", "Identity", "JSON", "Telemetry"]),
        library(
            "Gateway",
            uses: [
                "ChatCore", "ChatDomain", "Compression", "Crypto", "Engine", "EventLoop", "Identity", "JSON",
                "ChatProtocol",
                "Telemetry",
                "WireProtocols",
            ]),

        library("ChatBench", uses: ["ChatDomain", "EventLoop", "JSON", "RedisLink", "Telemetry", "WireProtocols"]),
        tests("ChatBench", uses: ["ChatDomain"]),

        // Configuration and command line.
        tests(
            "ChatService",
            uses: [
                "ChatBench", "ChatCore", "ChatDomain", "Crypto", "Gateway", "IdentityProviders", "JSON",
                "MessagingOutbox", "MessagingWebhooks", "PersistenceSQLite", "RedisLink",
                "Telemetry", "TestSupport",
            ]),
        .executableTarget(
            name: "ChatService",
            dependencies: [
                "CAllocator", "ChatBench", "ChatCore", "ChatDomain", "Crypto", "Engine", "EventLoop", "Gateway",
                "HTTPClient",
                "Identity",
                "IdentityProviders", "JSON",
                "MessagingOutbox", "MessagingRabbitMQ", "MessagingRedis", "MessagingWebhooks",
                "PersistenceDisk", "PersistenceInProcess", "PersistenceMongoDB", "PersistenceRedis",
                "PersistenceSQLite",
                "RedisLink", "Telemetry", "Tracing", "WireProtocols", "Workers",
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "ConformanceServer",
            dependencies: ["Engine", "EventLoop", "JSON", "Telemetry", "WireProtocols"],
            swiftSettings: strict),

        tests("JSON"),
        tests("Workers"),
        // Persistence
        tests(
            "Persistence",
            of: [
                "PersistenceDisk", "PersistenceInProcess", "PersistenceMongoDB", "PersistenceRedis",
                "PersistenceSQLite",
            ],
            uses: [
                "ChatDomain", "JSON", "ChatProtocol", "RedisLink", "RedisTestSupport", "Telemetry", "TestSupport",
                "Workers",
            ]),
        // Cryptography, compression and who a caller is.
        tests("Crypto", uses: ["TestSupport"]),
        tests("Compression"),
        tests("Identity", uses: ["ChatDomain", "Crypto", "JSON", "TestSupport"]),
        tests("HTTPClient"),
        tests("Tracing", uses: ["ChatDomain", "JSON"]),
        tests(
            "IdentityProviders",
            uses: ["ChatDomain", "Crypto", "HTTPClient", "Identity", "JSON", "Telemetry", "TestSupport"]),
        // Wire protocols
        tests("WireProtocols", uses: ["JSON", "TestSupport"]),
        tests(
            "ChatProtocol",
            uses: ["ChatDomain", "ChatTestSupport", "Compression", "JSON", "TestSupport", "WireProtocols"]),
        // Rules of rooms, loops, connections and sessions.
        .target(
            name: "TestSupport", dependencies: ["Telemetry"], path: "Tests/TestSupport", swiftSettings: strict),
        .target(
            name: "ChatTestSupport", dependencies: ["ChatDomain", "JSON", "PersistenceSQLite", "WireProtocols"],
            path: "Tests/ChatTestSupport", swiftSettings: strict),
        tests("ChatDomain", uses: ["TestSupport"]),
        tests("EventLoop", uses: ["TestSupport"]),
        tests("Engine", uses: ["Compression", "Crypto", "EventLoop", "Telemetry", "TestSupport", "WireProtocols"]),
        tests(
            "ChatCore",
            uses: [
                "ChatDomain", "ChatProtocol", "ChatTestSupport", "Identity", "JSON", "PersistenceInProcess",
                "Telemetry",
                "TestSupport",
            ]),
        tests(
            "Gateway",
            uses: [
                "ChatCore", "ChatDomain", "ChatTestSupport", "Compression", "Engine", "EventLoop", "Identity", "JSON",
                "ChatProtocol",
                "MessagingInProcess", "PersistenceDisk", "PersistenceInProcess", "PersistenceSQLite", "Telemetry",
                "TestSupport", "WireProtocols",
            ]),
        // Redis and what travels through it
        .target(
            name: "RedisTestSupport", dependencies: ["TestSupport"], path: "Tests/RedisTestSupport",
            swiftSettings: strict),
        tests("RedisLink", uses: ["Crypto", "EventLoop", "RedisTestSupport", "TestSupport", "Workers"]),
        tests(
            "Messaging",
            of: [
                "MessagingInProcess", "MessagingOutbox", "MessagingRabbitMQ", "MessagingRedis", "MessagingWebhooks",
            ],
            uses: [
                "ChatDomain", "ChatTestSupport", "Crypto", "HTTPClient", "JSON", "PersistenceSQLite", "RedisLink",
                "RedisTestSupport", "Telemetry", "TestSupport",
            ]),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17
)
