/// The protocol by which the clients of a bench connect.
public enum BenchTransport: String, CaseIterable, Sendable {
    /// Raw WebSocket.
    case webSocket = "websocket"
    /// Socket.IO over WebSocket.
    case socketIO = "socketio"
    /// Socket.IO by long polling.
    case polling
}

/// The load that a message bench puts on its servers.
public struct MessageBenchOptions: Equatable, Sendable {
    /// When clients send.
    public enum Pace: Equatable, Sendable {
        /// So many messages a second over all rooms, from the first client of each room.
        case rate(Int)
        /// Each client sends its next message when its last one has come back to it.
        case closedLoop
    }

    public var transport = BenchTransport.webSocket
    /// Where clients connect. The first client of each room connects to one server, the second to the next, and so on. Never empty.
    public var servers = [BenchServer.local]
    /// At least `rooms`.
    public var clients = 100
    /// Client i is a member of room i mod `rooms`.
    public var rooms = 10
    public var pace = Pace.rate(100)
    /// How long messages are sent.
    public var length: Duration = .seconds(10)
    /// The pause between the last join and the first message.
    public var pauseBeforeSending: Duration = .zero

    public init() {}

    /// The index of the server that client number `index` connects to. Senders are spread like other clients.
    func server(of index: Int) -> Int { (index / rooms + index % rooms) % servers.count }

    /// How many clients are members of room number `room`.
    func members(of room: Int) -> Int { clients / rooms + (room < clients % rooms ? 1 : 0) }
}
