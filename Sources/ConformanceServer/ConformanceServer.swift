import EventLoop

/// A test server on the service's own engine, for published protocol suites: `conformance-server PORT`.
@main
enum ConformanceServer {
    static func main() async throws {
        guard CommandLine.arguments.count == 2, let port = UInt16(CommandLine.arguments[1]) else {
            print("usage: conformance-server PORT")
            return
        }
        let loop = EventLoop(name: "conformance")
        loop.start()
        let host = Host(loop: loop)
        try await host.listen(port: port)
        print("listening on port \(port)")
        while true { try await Task.sleep(for: .seconds(3600)) }
    }
}
