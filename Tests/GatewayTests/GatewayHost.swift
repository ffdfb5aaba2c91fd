import ChatCore
import ChatTestSupport
import ChatDomain
import EventLoop
import Identity
import JSON
import PersistenceInProcess
import Telemetry
import TestSupport
import WireProtocols
import Testing

@testable import Gateway

/// A gateway over a store that does as a test says, and clients that talk to it in event frames.
struct GatewayHost {
    let gateway: Gateway
    let store: FaultyStore
    let port: UInt16

    /// Runs `body` against a gateway, and ends it.
    static func serve(
        loops: Int = 1, _ body: (GatewayHost) async throws -> Void
    ) async throws {
        var configuration = GatewayConfiguration(instance: InstanceID("test"))
        configuration.serviceKey = ServiceKey("service")
        // Longer than a busy machine may keep a test waiting.
        configuration.chat.roomLimits.storeTimeout = .seconds(60)
        let store = try FaultyStore()
        let loops = (0..<loops).map { EventLoop(name: "loop-\($0)") }
        for loop in loops { loop.start() }
        let gateway = try await Gateway(
            configuration: configuration, loops: loops,
            ports: ChatPorts(
                store: store,
                directory: InProcessDirectory(instance: configuration.chat.instance, maximumSessions: 0)),
            authentication: AuthenticationPolicy(mode: .trusted, authorities: []), logger: .disabled,
            registry: MetricsRegistry())
        let port = try await gateway.listen(address: IPAddress(high: 0, low: 0xFFFF_7F00_0001), port: 0)
        let host = GatewayHost(gateway: gateway, store: store, port: port)
        do { try await body(host) } catch {
            await host.end()
            throw error
        }
        await host.end()
    }

    private func end() async {
        store.release()
        await gateway.drain(over: .zero)
        await gateway.leave()
        gateway.stop()
        await store.close()
    }

    /// A connected and authenticated client.
    func client(_ user: String) async throws -> ChatClient {
        let client = try ChatClient(port: port)
        try await client.socket.upgrade("/?userId=\(user)")
        _ = try await client.receive("welcome")
        return client
    }

    /// A client in a room, with the room's greeting read.
    func client(_ user: String, in room: String) async throws -> ChatClient {
        let client = try await client(user)
        try await client.send("join_room", #"{"roomId":"\#(room)"}"#, id: -1)
        #expect(try await client.receiveAnswer(-1).success)
        return client
    }
}

/// An event that a server sent.
struct ReceivedEvent {
    let name: String
    /// The number of the request that it answers.
    let id: Int64?
    let data: JSONValue

    var success: Bool { data["success"]?.bool == true }
    var code: String? { (data["error"] ?? data)["code"]?.string }
}

/// A client of the chat in event frames.
struct ChatClient: Sendable {
    let socket: LoopbackClient

    init(port: UInt16) throws { socket = try LoopbackClient(port: port) }

    /// Sends one event.
    ///
    /// - Parameters:
    ///   - json: its data.
    ///   - id: the number of a request that wants an answer.
    func send(_ event: String, _ json: String = "{}", id: Int64? = nil) async throws {
        let number = id.map { #","id":\#($0)"# } ?? ""
        try await socket.sendFrame(#"{"event":"\#(event)","data":\#(json)\#(number)}"#)
    }

    /// The next event, whatever it is; a close frame is an event without data.
    func receive() async throws -> ReceivedEvent {
        let frame = try await socket.receiveFrame()
        guard frame.opcode == 1 else {
            return ReceivedEvent(name: "close \(frame.closeCode ?? 0)", id: nil, data: .null)
        }
        let root = try JSONValue(parsing: frame.payload)
        return ReceivedEvent(
            name: root["event"]?.string ?? "", id: root["id"]?.integer, data: root["data"] ?? .null)
    }

    /// The next event of this name; others before it are passed over.
    func receive(_ name: String) async throws -> ReceivedEvent {
        while true {
            let event = try await receive()
            if event.name == name { return event }
        }
    }

    /// The answer to the request of this number; events before it are passed over.
    func receiveAnswer(_ id: Int64) async throws -> ReceivedEvent {
        while true {
            let event = try await receive("ack")
            if event.id == id { return event }
        }
    }
}

extension RESTAnswer {
    /// The answer where nothing is streamed.
    var whole: HTTPResponse? { if case .whole(let response) = self { response } else { nil } }
}
