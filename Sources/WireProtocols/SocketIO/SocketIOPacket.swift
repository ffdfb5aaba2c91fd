/// Packet types of Socket.IO protocol 5; on the wire each is its ASCII digit.
public enum SocketIOPacketType: UInt8, Sendable, CaseIterable {
    case connect = 0
    case disconnect
    case event
    case ack
    case connectError
    case binaryEvent
    case binaryAck

    /// The digit that begins the packet.
    public var digit: UInt8 { UInt8(ascii: "0") + rawValue }

    public var isBinary: Bool { self == .binaryEvent || self == .binaryAck }
}

/// Why bytes are no Socket.IO packet. The protocol closes the connection they came on.
public enum SocketIOPacketError: Error, Hashable, Sendable {
    case empty
    /// A first byte that stands for no packet type.
    case unknownType(UInt8)
    /// A binary packet without a count of attachments, or with none.
    case invalidAttachmentCount
    case tooManyAttachments
    case namespaceTooLong
    /// An ack without an id, an id where none belongs, or one beyond 2^53 − 1.
    case invalidID
    /// An event or ack without its array, a connect whose payload is no object, a disconnect with a payload.
    case invalidPayload
}

/// The head of a packet, read in place; the payload is left to a JSON parser.
///
/// `<type>[<attachments>-][/<namespace>,][<id>][<payload>]`
public struct SocketIOPacket: Hashable, Sendable {
    /// The largest integer a JavaScript client can count to exactly.
    public static let maximumID: UInt64 = 1 << 53 - 1
    /// Bytes in a namespace's name.
    public static let maximumNamespaceBytes = 128

    public let type: SocketIOPacketType
    /// Where the namespace stands, with its `/`; nil for the main one.
    public let namespace: Range<Int>?
    /// The ack id; present in every ack.
    public let id: UInt64?
    /// How many binary messages follow. 0 unless the type is a binary one.
    public let attachments: Int
    /// Where the JSON payload stands; it begins as its type demands. Empty when there is none.
    public let payload: Range<Int>

    /// - Parameters:
    ///   - range: the content of an Engine.IO text message within `bytes`.
    ///   - maximumAttachments: how many attachments a binary packet may announce.
    public static func decode(
        _ bytes: UnsafeRawBufferPointer, in range: Range<Int>, maximumAttachments: Int
    ) throws(SocketIOPacketError) -> SocketIOPacket {
        var cursor = Cursor(bytes: bytes, range: range)
        guard let first = cursor.next() else { throw .empty }
        guard let type = SocketIOPacketType(rawValue: first &- UInt8(ascii: "0")) else { throw .unknownType(first) }
        let attachments = type.isBinary ? try cursor.attachments(atMost: maximumAttachments) : 0
        let packet = SocketIOPacket(
            type: type, namespace: try cursor.namespace(), id: try cursor.id(), attachments: attachments,
            payload: cursor.position..<cursor.end)
        try packet.checkID()
        try packet.checkPayload(in: bytes)
        return packet
    }

    private func checkID() throws(SocketIOPacketError) {
        let isAllowed =
            switch type {
            case .event, .binaryEvent: true
            case .ack, .binaryAck: id != nil
            case .connect, .disconnect, .connectError: id == nil
            }
        guard isAllowed else { throw .invalidID }
    }

    private func checkPayload(in bytes: UnsafeRawBufferPointer) throws(SocketIOPacketError) {
        let first = payload.first.map { bytes[$0] }
        let isAllowed =
            switch type {
            case .connect: first == nil || first == UInt8(ascii: "{")
            case .disconnect: first == nil
            case .event, .ack, .binaryEvent, .binaryAck: first == UInt8(ascii: "[")
            case .connectError: first == UInt8(ascii: "{") || first == UInt8(ascii: "\"")
            }
        guard isAllowed else { throw .invalidPayload }
    }
}

/// Walks over a packet's head.
private struct Cursor {
    let bytes: UnsafeRawBufferPointer
    var position: Int
    let end: Int

    init(bytes: UnsafeRawBufferPointer, range: Range<Int>) {
        self.bytes = bytes
        position = range.lowerBound
        end = range.upperBound
    }

    var current: UInt8? { position < end ? bytes[position] : nil }

    mutating func next() -> UInt8? {
        guard let byte = current else { return nil }
        position += 1
        return byte
    }

    /// The decimal number here, at most `limit`. Nil when there is no digit, or the number is larger.
    mutating func number(atMost limit: UInt64) -> UInt64? {
        var value: UInt64?
        while let byte = current, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
            let grown = (value ?? 0) * 10 + UInt64(byte - UInt8(ascii: "0"))
            guard grown <= limit else { return nil }
            value = grown
            position += 1
        }
        return value
    }

    mutating func attachments(atMost limit: Int) throws(SocketIOPacketError) -> Int {
        guard let count = number(atMost: SocketIOPacket.maximumID), next() == UInt8(ascii: "-"), count > 0 else {
            throw .invalidAttachmentCount
        }
        guard count <= UInt64(limit) else { throw .tooManyAttachments }
        return Int(count)
    }

    /// The namespace up to its comma, or to the end.
    mutating func namespace() throws(SocketIOPacketError) -> Range<Int>? {
        guard current == UInt8(ascii: "/") else { return nil }
        let start = position
        while let byte = next() {
            if byte == UInt8(ascii: ",") { return start..<position - 1 }
            guard position - start <= SocketIOPacket.maximumNamespaceBytes else { throw .namespaceTooLong }
        }
        return start..<position
    }

    mutating func id() throws(SocketIOPacketError) -> UInt64? {
        guard let byte = current, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
        guard let id = number(atMost: SocketIOPacket.maximumID) else { throw .invalidID }
        return id
    }
}
