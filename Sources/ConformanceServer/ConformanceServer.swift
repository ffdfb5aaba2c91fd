import EventLoop

/// A test server on the service's own engine, for published protocol suites:
/// `conformance-server PORT [PING_INTERVAL PING_TIMEOUT CONNECT_TIMEOUT]`, times in milliseconds.
@main
enum ConformanceServer {
    static func main() async throws {
        let arguments = CommandLine.arguments.dropFirst()
        guard let port = arguments.first.flatMap({ UInt16($0) }), let timeouts = Timeouts(arguments.dropFirst()) else {
            print("usage: conformance-server PORT [PING_INTERVAL PING_TIMEOUT CONNECT_TIMEOUT]")
            return
        }
        let loop = EventLoop(name: "conformance")
        loop.start()
        let host = Host(loop: loop, timeouts: timeouts)
        try await host.listen(port: port)
        print("listening on port \(port)")
        while true { try await Task.sleep(for: .seconds(3600)) }
    }
}

/// How long the server waits for clients; by default as long as other servers do.
struct Timeouts: Sendable {
    var pingInterval: Duration = .seconds(25)
    var pingTimeout: Duration = .seconds(20)
    var connectTimeout: Duration = .seconds(45)

    /// - Parameter arguments: none, or all three, in milliseconds.
    init?(_ arguments: some Collection<String>) {
        let times = arguments.compactMap { Int64($0).map(Duration.milliseconds) }
        guard times.count == arguments.count, times.isEmpty || times.count == 3 else { return nil }
        if times.isEmpty { return }
        (pingInterval, pingTimeout, connectTimeout) = (times[0], times[1], times[2])
    }
}
