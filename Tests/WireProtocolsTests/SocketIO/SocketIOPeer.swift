import JSON
import Testing
import WireProtocols

/// Drives a session with whole packets, and shows the application's events.
struct SocketIOPeer {
    var session: SocketIOSession
    var now: Int64 = 1000
    let json = JSONParser()
    /// The bytes the last action's ranges mean.
    private var lastBytes: [UInt8] = []

    init(settings: SocketIOSettings = .init(namespaces: ["/", "/custom"])) {
        session = SocketIOSession(settings: Shared(settings), now: now)
    }

    /// One that is in `namespaces` already.
    static func connected(
        to namespaces: [String] = ["/"], settings: SocketIOSettings = .init(namespaces: ["/", "/custom"])
    ) -> SocketIOPeer {
        var peer = SocketIOPeer(settings: settings)
        for namespace in namespaces {
            _ = peer.sends(namespace == "/" ? "0" : "0\(namespace),")
            peer.session.accept(namespace)
        }
        return peer
    }

    /// The content of an Engine.IO message, behind its type.
    mutating func sends(_ packet: String) -> SocketIOAction { sends(Array(packet.utf8)) }

    mutating func sends(_ packet: [UInt8]) -> SocketIOAction {
        lastBytes = [UInt8(ascii: "4")] + packet
        let (json, now) = (json, now)
        return lastBytes.withUnsafeBytes { session.receiveText($0, in: 1..<$0.count, json: json, now: now) }
    }

    mutating func sends(binary: [UInt8]) -> SocketIOAction { session.receiveBinary(binary) }

    func text(_ range: Range<Int>?) -> String? {
        range.map { String(decoding: lastBytes[$0], as: UTF8.self) }
    }

    private func payload(of message: SocketIOMessage) -> String {
        lastBytes.withUnsafeBytes { message.withPayload(in: $0) { String(decoding: $0, as: UTF8.self) } }
    }

    /// The event that comes of a packet, in one line, attachments behind it; nil when none does.
    mutating func message(_ packet: String) -> String? {
        let action = sends(packet)
        return summary(action)
    }

    mutating func message(binary: [UInt8]) -> String? {
        let action = sends(binary: binary)
        return summary(action)
    }

    private func summary(_ action: SocketIOAction) -> String? {
        switch action {
        case .event(let message): summary("event", message)
        default: nil
        }
    }

    private func summary(_ kind: String, _ message: SocketIOMessage) -> String {
        let id = message.id.map { " \($0)" } ?? ""
        let attachments = message.attachments.map { " \($0)" }.joined()
        return "\(kind) \(message.namespace)\(id) \(payload(of: message))\(attachments)"
    }
}
