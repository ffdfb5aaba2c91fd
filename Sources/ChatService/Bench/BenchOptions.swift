/// What `bench` does to a running server.
struct BenchOptions: Equatable, Sendable {
    enum Transport: String, CaseIterable, Sendable {
        /// Raw WebSocket.
        case websocket
        /// Socket.IO over WebSocket.
        case socketIO = "socketio"
        /// Socket.IO by long polling.
        case polling
    }

    var transport = Transport.websocket
    var host = "127.0.0.1"
    var port: UInt16 = 5004
    var clients = 100
    var rooms = 10
    /// Messages a second, over all rooms.
    var rate = 100
    var seconds = 10

    static let usage = """
        usage: chat-service bench [--url http://127.0.0.1:5004] [--transport websocket|socketio|polling] [--clients N]
                                  [--rooms N] [--rate MESSAGES] [--seconds N]

        Connects clients, client i in room i mod ROOMS, sends at the rate given, one sender a room, and checks that every member
        gets every message once and in order. Prints one line of JSON, and a table to standard error. The server has to believe names
        (trusted mode) and, for more than a trickle, run with RATE_LIMIT_MESSAGES=0 RATE_LIMIT_CONNECTIONS=0.
        """

    init(parsing arguments: [String]) throws(UsageError) {
        var rest = arguments[...]
        while let name = rest.popFirst() {
            guard let value = rest.popFirst() else { throw UsageError(description: "\(name) needs a value") }
            switch name {
            case "--url": try setURL(value)
            case "--transport": transport = try Self.transport(value)
            case "--clients": clients = try Self.number(value, 1...20_000, for: name)
            case "--rooms": rooms = try Self.number(value, 1...20_000, for: name)
            case "--rate": rate = try Self.number(value, 1...100_000, for: name)
            case "--seconds": seconds = try Self.number(value, 1...3600, for: name)
            default: throw UsageError(description: "bench knows no \(name)")
            }
        }
        guard rooms <= clients else { throw UsageError(description: "there cannot be more rooms than clients") }
    }

    private mutating func setURL(_ text: String) throws(UsageError) {
        guard let url = ServerURL(text), url.scheme == "http" || url.scheme == "ws" else {
            throw UsageError(description: "--url must be http://ADDRESS:PORT")
        }
        host = url.host == "localhost" ? "127.0.0.1" : url.host
        port = UInt16(clamping: url.port ?? 80)
    }

    private static func transport(_ text: String) throws(UsageError) -> Transport {
        guard let transport = Transport(rawValue: text) else {
            let names = Transport.allCases.map(\.rawValue).joined(separator: ", ")
            throw UsageError(description: "--transport must be one of \(names)")
        }
        return transport
    }

    private static func number(_ text: String, _ range: ClosedRange<Int>, for name: String) throws(UsageError) -> Int {
        guard let value = Int(text), range.contains(value) else {
            throw UsageError(description: "\(name) must be \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }
}
