import ChatCore
import ChatTestSupport
import ChatDomain
import EventLoop
import Foundation
import Identity
import PersistenceInProcess
import Telemetry
import TestSupport
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
        let gateway = try await Gateway(
            configuration: configuration, loops: loops,
            ports: ChatPorts(
                store: store,
                directory: InProcessDirectory(instance: configuration.chat.instance, maximumSessions: 0)),
            authentication: AuthenticationPolicy(mode: .trusted, verifier: nil), logger: .disabled,
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
        _ = try await client.await("welcome")
        return client
    }

    /// A client in a room, with the room's greeting read.
    func client(_ user: String, in room: String) async throws -> ChatClient {
        let client = try await client(user)
        try await client.say("join_room", ["roomId": room], id: -1)
        #expect(try await client.answer(-1).success)
        return client
    }
}

/// What a server said: an event's name and its data.
struct Heard: @unchecked Sendable {
    let event: String
    let id: Int?
    let fields: [String: Any]

    var success: Bool { fields["success"] as? Bool == true }
    var code: String? { (fields["error"] as? [String: Any] ?? fields)["code"] as? String }
}

/// A client of the chat in event frames.
struct ChatClient: Sendable {
    let socket: LoopbackClient

    init(port: UInt16) throws { socket = try LoopbackClient(port: port) }

    func say(_ event: String, _ data: [String: Any] = [:], id: Int? = nil) async throws {
        var frame: [String: Any] = ["event": event, "data": data]
        frame["id"] = id
        try await socket.sendFrame(String(decoding: JSONSerialization.data(withJSONObject: frame), as: UTF8.self))
    }

    /// The next event, whatever it is.
    func hear(within timeout: Duration = LoopbackClient.receiveTimeout) async throws -> Heard {
        let frame = try await socket.receiveFrame(within: timeout)
        guard frame.opcode == 1 else {
            return Heard(event: "close \(frame.closeCode ?? 0)", id: nil, fields: [:])
        }
        let root = try JSONSerialization.jsonObject(with: Data(frame.payload)) as? [String: Any] ?? [:]
        return Heard(
            event: root["event"] as? String ?? "", id: root["id"] as? Int,
            fields: root["data"] as? [String: Any] ?? [:])
    }

    /// The next event of this name; others before it are passed over.
    func await(_ event: String) async throws -> Heard {
        while true {
            let heard = try await hear()
            if heard.event == event { return heard }
        }
    }

    /// The answer to the request of this number; what comes before it is passed over.
    func answer(_ id: Int) async throws -> Heard {
        while true {
            let heard = try await hear()
            if heard.event == "ack", heard.id == id { return heard }
        }
    }
}
