import JSON

/// Packet types of Engine.IO protocol 4; on the wire each is its ASCII digit.
public enum EngineIOPacketType: UInt8, Sendable, CaseIterable {
    case open = 0
    case close
    case ping
    case pong
    case message
    case upgrade
    case noop

    /// The digit that begins the packet.
    public var digit: UInt8 { UInt8(ascii: "0") + rawValue }
}

/// Why bytes are no Engine.IO packet or payload. The session they were sent to is closed.
public enum EngineIOPacketError: Error, Hashable, Sendable {
    /// A packet without a type, also an empty payload.
    case empty
    /// A first byte that stands for no packet type.
    case unknownType(UInt8)
    case invalidBase64
    case invalidUTF8
    /// More bytes than the `maxPayload` the handshake announced.
    case tooBig
}

/// One packet, read in place: it names a range of the bytes it was read from and copies nothing.
public struct EngineIOPacket: Hashable, Sendable {
    public enum Encoding: Sendable {
        case text
        /// A binary message as it is, as WebSocket carries it.
        case binary
        /// A binary message behind a `b`, as polling and clients without binary frames carry it.
        case base64
    }

    public let type: EngineIOPacketType
    public let encoding: Encoding
    /// Where the content stands, behind the type.
    public let content: Range<Int>

    static let separator: UInt8 = 0x1E
    static let base64Mark = UInt8(ascii: "b")

    init(type: EngineIOPacketType, encoding: Encoding = .text, content: Range<Int>) {
        self.type = type
        self.encoding = encoding
        self.content = content
    }

    /// The packet that `range` of `bytes` holds as text: a whole WebSocket text message, or one part of a payload.
    public static func decode(
        text bytes: UnsafeRawBufferPointer, in range: Range<Int>
    ) throws(EngineIOPacketError) -> EngineIOPacket {
        guard let first = range.first else { throw .empty }
        let content = bytes.index(after: first)..<range.upperBound
        if bytes[first] == base64Mark {
            return EngineIOPacket(type: .message, encoding: .base64, content: content)
        }
        guard let type = EngineIOPacketType(rawValue: bytes[first] &- UInt8(ascii: "0")) else {
            throw .unknownType(bytes[first])
        }
        return EngineIOPacket(type: type, content: content)
    }

    /// A copy of a binary message's bytes.
    /// - Throws: `invalidBase64`.
    public func binaryContent(in bytes: UnsafeRawBufferPointer) throws(EngineIOPacketError) -> [UInt8] {
        guard encoding == .base64 else { return Array(bytes[content]) }
        guard let decoded = Base64.decode(bytes[content]) else { throw .invalidBase64 }
        return decoded
    }
}
