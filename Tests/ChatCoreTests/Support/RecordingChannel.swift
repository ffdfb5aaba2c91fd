import ChatDomain
import Foundation
import JSON

@testable import ChatCore

/// A client's connection that keeps what it was sent. Its session speaks `FrameEncoding.event`.
final class RecordingChannel: SessionChannel {
    private(set) var frames: [[UInt8]] = []
    private(set) var closed: (code: CloseCode, reason: String)?
    private(set) var isRecognized = false
    private(set) var isPaused = false
    /// Bytes the client has not taken, as a test says.
    var queuedBytes = 0
    private var drained: [(mark: Int, action: () -> Void)] = []

    var frameSink: (any FrameSink)? { nil }

    func send(_ frames: [UInt8], isDroppable: Bool) { self.frames.append(frames) }
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

    /// What was sent, as events with their data, in order.
    var events: [(name: String, data: JSONValue)] {
        frames.flatMap(Self.payloads).compactMap { payload in
            guard let root = try? JSONValue(parsing: payload), let name = root["event"]?.string else { return nil }
            return (name, root["data"] ?? .null)
        }
    }

    func events(_ name: String) -> [JSONValue] { events.filter { $0.name == name }.map(\.data) }

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
