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

    struct Server: Hashable, Sendable {
        var host = "127.0.0.1"
        var port: UInt16 = 5004
    }

    var transport = Transport.websocket
    /// Where clients connect: the first of every room to one, the second to the next, and so on.
    var servers = [Server()]
    var clients = 100
    var rooms = 10
    /// Messages a second, over all rooms.
    var rate = 100
    var seconds = 10

    static let usage = """
        usage: chat-service bench [--url http://127.0.0.1:5004]... [--transport websocket|socketio|polling] [--clients N]
                                  [--rooms N] [--rate MESSAGES] [--seconds N]

        Connects clients, client i in room i mod ROOMS, sends at the rate given, one sender a room, and checks that every member
        gets every message once and in order. With several --url each room has members on all of them, and deliveries to members on the
        sender's instance (near) and on others (far) are told apart. Prints one line of JSON, and a table to standard error. The server has to believe names
        (trusted mode) and, for more than a trickle, run with RATE_LIMIT_MESSAGES=0 RATE_LIMIT_CONNECTIONS=0.
        """

    init(parsing arguments: [String]) throws(UsageError) {
        var rest = arguments[...]
        var given: [Server] = []
        while let name = rest.popFirst() {
            guard let value = rest.popFirst() else { throw UsageError(description: "\(name) needs a value") }
            switch name {
            case "--url": given.append(try Self.server(value))
            case "--transport": transport = try Self.transport(value)
            case "--clients": clients = try Self.number(value, 1...20_000, for: name)
            case "--rooms": rooms = try Self.number(value, 1...20_000, for: name)
            case "--rate": rate = try Self.number(value, 1...100_000, for: name)
            case "--seconds": seconds = try Self.number(value, 1...3600, for: name)
            default: throw UsageError(description: "bench knows no \(name)")
            }
        }
        if !given.isEmpty { servers = given }
        guard rooms <= clients else { throw UsageError(description: "there cannot be more rooms than clients") }
    }

    /// The server client number `index` connects to. Senders are spread like everybody else.
    func server(of index: Int) -> Int { (index / rooms + index % rooms) % servers.count }

    private static func server(_ text: String) throws(UsageError) -> Server {
        guard let url = ServerURL(text), url.scheme == "http" || url.scheme == "ws" else {
            throw UsageError(description: "--url must be http://ADDRESS:PORT")
        }
        return Server(
            host: url.host == "localhost" ? "127.0.0.1" : url.host, port: UInt16(clamping: url.port ?? 80))
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
