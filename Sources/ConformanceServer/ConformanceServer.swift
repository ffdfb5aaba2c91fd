import EventLoop

/// A test server on the service's own engine, for published protocol suites:
/// `conformance-server PORT [PING_INTERVAL PING_TIMEOUT CONNECT_TIMEOUT]`, times in milliseconds.
@main
enum ConformanceServer {
    static func main() async throws {
        let arguments = CommandLine.arguments.dropFirst()
        guard let port = arguments.first.flatMap({ UInt16($0) }), let patience = Patience(arguments.dropFirst()) else {
            print("usage: conformance-server PORT [PING_INTERVAL PING_TIMEOUT CONNECT_TIMEOUT]")
            return
        }
        let loop = EventLoop(name: "conformance")
        loop.start()
        let host = Host(loop: loop, patience: patience)
        try await host.listen(port: port)
        print("listening on port \(port)")
        while true { try await Task.sleep(for: .seconds(3600)) }
    }
}

/// How long clients are waited for, in milliseconds; by itself as long as servers do.
struct Patience: Sendable {
    var pingInterval: Int64 = 25_000
    var pingTimeout: Int64 = 20_000
    var connectTimeout: Int64 = 45_000

    /// - Parameter arguments: none, or all three.
    init?(_ arguments: some Collection<String>) {
        let times = arguments.compactMap { Int64($0) }
        guard times.count == arguments.count, times.isEmpty || times.count == 3 else { return nil }
        if times.isEmpty { return }
        (pingInterval, pingTimeout, connectTimeout) = (times[0], times[1], times[2])
    }
}
