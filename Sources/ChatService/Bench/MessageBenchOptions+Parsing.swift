import ChatBench

extension MessageBenchOptions {
    static let usage = """
        usage: chat-service bench [--url http://127.0.0.1:5004]... [--transport websocket|socketio|polling] [--clients N]
                                  [--rooms N] [--rate MESSAGES|closed] [--seconds N] [--settle SECONDS]

        Connects clients and sends messages, --rate a second over all rooms. Client i is a member of room i mod ROOMS, and one member
        of each room sends. With --rate closed all members send, each when its last message has come back to it. Checks that each member receives each message once and in order. With several --url each room has members
        on all of these servers, and the report also has the latencies of members on the sender's instance (near) and on others (far).
        --settle is the pause between the last join and the first message. Prints one line of JSON, and a table to standard error.
        The servers must run in trusted mode, and with RATE_LIMIT_MESSAGES=0 RATE_LIMIT_CONNECTIONS=0 for more than the default rates.
        """

    init(parsing arguments: [String]) throws(UsageError) {
        self.init()
        var servers: [BenchServer] = []
        for option in try BenchArguments(arguments).options {
            switch option.name {
            case "--url": servers.append(try option.server())
            case "--transport": transport = try Self.transport(option.value)
            case "--clients": clients = try option.number(in: 1...20_000)
            case "--rooms": rooms = try option.number(in: 1...20_000)
            case "--rate": pace = option.value == "closed" ? .closedLoop : .rate(try option.number(in: 1...100_000))
            case "--seconds": length = .seconds(try option.number(in: 1...3600))
            case "--settle": pauseBeforeSending = .seconds(try option.number(in: 0...600))
            default: throw UsageError(description: "bench has no option \(option.name)")
            }
        }
        if !servers.isEmpty { self.servers = servers }
        guard rooms <= clients else { throw UsageError(description: "--rooms must not be greater than --clients") }
    }

    private static func transport(_ text: String) throws(UsageError) -> BenchTransport {
        guard let transport = BenchTransport(rawValue: text) else {
            let names = BenchTransport.allCases.map(\.rawValue).joined(separator: ", ")
            throw UsageError(description: "--transport must be one of \(names)")
        }
        return transport
    }
}
