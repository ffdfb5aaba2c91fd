import ChatDomain
import Foundation
import JSON

@testable import ChatCore

/// A client's connection that keeps what it was sent. Its session speaks `FrameEncoding.event`.
final class RecordingChannel: SessionChannel {
    struct Received {
        var name: String
        /// The number of the request that this answers.
        var id: Int64?
        var data: JSONValue
    }

    let origin = ClientOrigin(address: "192.0.2.7", userAgent: "recording")
    private(set) var frames: [(bytes: [UInt8], isDroppable: Bool)] = []
    private(set) var closed: (code: CloseCode, reason: String)?
    private(set) var isRecognized = false
    private(set) var isPaused = false
    /// Bytes the client has not taken, as a test says.
    var queuedBytes = 0
    var untakenBytes: Int { queuedBytes }
    /// Where frames go past the channel, as a test says.
    var frameSink: (any FrameSink)?
    private var drained: [(mark: Int, action: () -> Void)] = []

    func send(_ frames: [UInt8], isDroppable: Bool) { self.frames.append((frames, isDroppable)) }
    func whenDrained(to bytes: Int, _ action: @escaping () -> Void) { drained.append((bytes, action)) }
    func recognize() { isRecognized = true }
    func close(_ code: CloseCode, reason: String) { if closed == nil { closed = (code, reason) } }
    func pause() { isPaused = true }
    func resume() { isPaused = false }

    /// The client takes everything.
    func drain() {
        queuedBytes = 0
        let due = drained
        drained = []
        for each in due { each.action() }
    }

    /// The frames sent, in order.
    var received: [Received] {
        frames.flatMap { Self.payloads($0.bytes) }.compactMap { payload in
            guard let root = try? JSONValue(parsing: payload), let name = root["event"]?.string else { return nil }
            return Received(name: name, id: root["id"]?.integer, data: root["data"] ?? .null)
        }
    }

    var names: [String] { received.map(\.name) }

    func events(_ name: String) -> [JSONValue] { received.filter { $0.name == name }.map(\.data) }

    func forget() { frames = [] }

    /// The payloads of unmasked WebSocket text frames (RFC 6455 §5.2).
    private static func payloads(_ bytes: [UInt8]) -> [[UInt8]] {
        var found: [[UInt8]] = []
        var rest = bytes[...]
        while rest.count >= 2 {
            let short = Int(rest[rest.startIndex + 1])
            let lengthBytes = short == 126 ? 2 : short == 127 ? 8 : 0
            let header = rest.dropFirst(2).prefix(lengthBytes)
            let length = lengthBytes == 0 ? short : header.reduce(0) { $0 << 8 | Int($1) }
            rest = rest.dropFirst(2 + lengthBytes)
            found.append(Array(rest.prefix(length)))
            rest = rest.dropFirst(length)
        }
        return found
    }
}

/// A WebSocket that keeps the frames it is handed.
final class RecordingSink: FrameSink {
    private(set) var frames: [[UInt8]] = []
    private(set) var patientFrames: [[UInt8]] = []
    func send(_ frames: [UInt8], isDroppable: Bool) { self.frames.append(frames) }
    private(set) var patience: Duration?
    func sendPatiently(_ frames: [UInt8], isDroppable: Bool, atMost limit: Duration) {
        patientFrames.append(frames)
        patience = limit
    }
}

extension JSONValue? {
    /// What the objects of a list have under a key.
    func strings(_ key: String) -> [String] { members(key).compactMap(\.string) }
    func integers(_ key: String) -> [Int64] { members(key).compactMap(\.integer) }

    private func members(_ key: String) -> [JSONValue] {
        guard case .array(let items)? = self else { return [] }
        return items.compactMap { $0[key] }
    }
}
