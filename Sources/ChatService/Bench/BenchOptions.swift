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
    /// Where clients connect: the first of every room to one, the second to the next, and so on.
    var servers = [BenchServer()]
    var clients = 100
    var rooms = 10
    /// Messages a second, over all rooms.
    var rate = 100
    var seconds = 10
    /// How long to wait between the last join and the first message.
    var settleSeconds = 0

    static let usage = """
        usage: chat-service bench [--url http://127.0.0.1:5004]... [--transport websocket|socketio|polling] [--clients N]
                                  [--rooms N] [--rate MESSAGES] [--seconds N] [--settle SECONDS]

        Connects clients, client i in room i mod ROOMS, sends at the rate given, one sender a room, and checks that every member
        gets every message once and in order. With several --url each room has members on all of them, and deliveries to members on the
        sender's instance (near) and on others (far) are told apart. Prints one line of JSON, and a table to standard error. The server has to believe names
        (trusted mode) and, for more than a trickle, run with RATE_LIMIT_MESSAGES=0 RATE_LIMIT_CONNECTIONS=0.
        """

    init(parsing arguments: [String]) throws(UsageError) {
        var rest = arguments[...]
        var given: [BenchServer] = []
        while let name = rest.popFirst() {
            guard let value = rest.popFirst() else { throw UsageError(description: "\(name) needs a value") }
            switch name {
            case "--url": given.append(try BenchServer(url: value))
            case "--transport": transport = try Self.transport(value)
            case "--clients": clients = try BenchServer.number(value, 1...20_000, for: name)
            case "--rooms": rooms = try BenchServer.number(value, 1...20_000, for: name)
            case "--rate": rate = try BenchServer.number(value, 1...100_000, for: name)
            case "--seconds": seconds = try BenchServer.number(value, 1...3600, for: name)
            case "--settle": settleSeconds = try BenchServer.number(value, 0...600, for: name)
            default: throw UsageError(description: "bench knows no \(name)")
            }
        }
        if !given.isEmpty { servers = given }
        guard rooms <= clients else { throw UsageError(description: "there cannot be more rooms than clients") }
    }

    /// The server client number `index` connects to. Senders are spread like everybody else.
    func server(of index: Int) -> Int { (index / rooms + index % rooms) % servers.count }

    private static func transport(_ text: String) throws(UsageError) -> Transport {
        guard let transport = Transport(rawValue: text) else {
            let names = Transport.allCases.map(\.rawValue).joined(separator: ", ")
            throw UsageError(description: "--transport must be one of \(names)")
        }
        return transport
    }
}
