import Synchronization

/// A frame as a client reads it.
public struct ReceivedFrame: Sendable, Equatable {
    public var opcode: UInt8
    public var isCompressed: Bool
    public var payload: [UInt8]

    public var text: String { String(decoding: payload, as: UTF8.self) }

    /// The code of a close frame.
    public var closeCode: Int? {
        opcode == 8 && payload.count >= 2 ? Int(payload[0]) << 8 | Int(payload[1]) : nil
    }
}

extension LoopbackClient {
    public static func upgradeRequest(_ path: String, fields: [String] = []) -> String {
        request(
            "GET", path,
            fields: [
                "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            ] + fields)
    }

    /// A masked frame, as clients send them.
    public static func frame(_ payload: [UInt8], opcode: UInt8 = 1, isFinal: Bool = true) -> [UInt8] {
        let mask: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]
        var frame = [(isFinal ? 0x80 : 0) | opcode]
        switch payload.count {
        case ..<126: frame.append(0x80 | UInt8(payload.count))
        case ..<65_536: frame += [0x80 | 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
        default: frame += [0x80 | 127] + (0..<8).map { UInt8(truncatingIfNeeded: payload.count >> (56 - 8 * $0)) }
        }
        return frame + mask + payload.enumerated().map { $1 ^ mask[$0 & 3] }
    }

    public static func frame(_ text: String) -> [UInt8] { frame(Array(text.utf8)) }

    /// Makes the handshake; the response says whether it was taken.
    @discardableResult
    public func upgrade(_ path: String, fields: [String] = []) async throws -> ReceivedResponse {
        try await send(Self.upgradeRequest(path, fields: fields))
        return try await receiveResponse()
    }

    /// Answers pings as they come, in time however busy the machine is, until there were `count` of them.
    public func answerPings(_ count: Int) async throws {
        let answered = Mutex(0)
        _ = try await receive { [self] bytes in
            while let frame = Self.takeFrame(&bytes) {
                guard frame.opcode == 9 else { continue }
                try? sendNow(Self.frame(frame.payload, opcode: 10))
                answered.withLock { $0 += 1 }
            }
            return answered.withLock { $0 } >= count ? true : nil
        }
    }

    public func sendFrame(_ text: String) async throws { try await send(Self.frame(text)) }

    /// Waits for one whole, unmasked frame.
    public func receiveFrame(within timeout: Duration = LoopbackClient.receiveTimeout) async throws -> ReceivedFrame {
        try await receive(within: timeout) { Self.takeFrame(&$0) }
    }

    private static func takeFrame(_ bytes: inout [UInt8]) -> ReceivedFrame? {
        guard bytes.count >= 2 else { return nil }
        let lengthBytes = [126: 2, 127: 8][Int(bytes[1] & 0x7F)] ?? 0
        guard bytes.count >= 2 + lengthBytes else { return nil }
        let length =
            lengthBytes == 0 ? Int(bytes[1] & 0x7F) : bytes[2..<(2 + lengthBytes)].reduce(0) { $0 << 8 | Int($1) }
        guard bytes.count >= 2 + lengthBytes + length else { return nil }
        let frame = ReceivedFrame(
            opcode: bytes[0] & 0x0F, isCompressed: bytes[0] & 0x40 != 0,
            payload: Array(bytes[(2 + lengthBytes)..<(2 + lengthBytes + length)]))
        bytes.removeFirst(2 + lengthBytes + length)
        return frame
    }
}
