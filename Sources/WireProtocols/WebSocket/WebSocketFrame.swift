/// RFC 6455 section 11.8.
public enum WebSocketOpcode: UInt8, Sendable {
    case continuation = 0x0
    case text = 0x1
    case binary = 0x2
    case close = 0x8
    case ping = 0x9
    case pong = 0xA

    var isControl: Bool { rawValue & 0x8 != 0 }
}

/// Which end of the connection this is: a server takes only masked frames, a client only unmasked ones
/// (RFC 6455 section 5.1).
public enum WebSocketRole: Sendable {
    case server
    case client
}

/// Close codes the codec itself gives, and the rule which codes may travel (RFC 6455 section 7.4).
public enum WebSocketCloseCode {
    public static let protocolError: UInt16 = 1002
    public static let invalidPayload: UInt16 = 1007
    public static let tooBig: UInt16 = 1009

    /// 1004, 1005, 1006 and 1015 are reserved, 1016–2999 are for the protocol's future; 3000–4999 are free to use.
    public static func isAllowedOnWire(_ code: UInt16) -> Bool {
        switch code {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }
}

/// The head of a frame (RFC 6455 section 5.2).
struct WebSocketFrameHeader {
    /// Why a frame ends the connection.
    struct Violation: Error {
        var code = WebSocketCloseCode.protocolError
        let reason: String
    }

    static let maximumControlPayload = 125

    let opcode: WebSocketOpcode
    let isFinal: Bool
    let isCompressed: Bool
    /// Bytes of payload announced.
    let payloadLength: Int
    let maskKey: WebSocketMask
    /// Bytes the header itself takes.
    let headerLength: Int

    /// Reads the header at the beginning of `bytes`; nil when it is not there yet as a whole.
    static func parse(
        _ bytes: UnsafeRawBufferPointer, role: WebSocketRole, acceptsCompressed: Bool
    ) throws(Violation) -> WebSocketFrameHeader? {
        guard bytes.count >= 2 else { return nil }
        let (first, second) = (bytes[0], bytes[1])
        guard let opcode = WebSocketOpcode(rawValue: first & 0x0F) else {
            throw Violation(reason: "reserved opcode")
        }
        let isFinal = first & 0x80 != 0
        let isCompressed = first & 0x40 != 0
        let isMasked = second & 0x80 != 0
        let shortLength = Int(second & 0x7F)
        guard first & 0x30 == 0 else { throw Violation(reason: "reserved bit set") }
        guard !isCompressed || (acceptsCompressed && (opcode == .text || opcode == .binary)) else {
            throw Violation(reason: "reserved bit set")
        }
        guard isMasked == (role == .server) else {
            throw Violation(reason: isMasked ? "masked frame from a server" : "unmasked frame from a client")
        }
        if opcode.isControl {
            guard isFinal else { throw Violation(reason: "fragmented control frame") }
            guard shortLength <= maximumControlPayload else { throw Violation(reason: "control frame too long") }
        }
        guard let (payloadLength, lengthEnd) = try length(of: bytes, short: shortLength) else { return nil }
        let headerLength = lengthEnd + (isMasked ? 4 : 0)
        guard bytes.count >= headerLength else { return nil }
        let key = isMasked ? bytes.loadUnaligned(fromByteOffset: lengthEnd, as: UInt32.self) : 0
        return WebSocketFrameHeader(
            opcode: opcode, isFinal: isFinal, isCompressed: isCompressed, payloadLength: payloadLength,
            maskKey: WebSocketMask(key: UInt32(littleEndian: key)), headerLength: headerLength)
    }

    /// The payload's length and where its field ends; nil when the field is not there yet as a whole.
    private static func length(
        of bytes: UnsafeRawBufferPointer, short: Int
    ) throws(Violation) -> (payload: Int, end: Int)? {
        switch short {
        case 126:
            guard bytes.count >= 4 else { return nil }
            let length = UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
            guard length >= 126 else { throw Violation(reason: "length not in its shortest form") }
            return (Int(length), 4)
        case 127:
            guard bytes.count >= 10 else { return nil }
            let length = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt64.self))
            guard length >> 63 == 0 else { throw Violation(reason: "length with its top bit set") }
            guard length > UInt16.max else { throw Violation(reason: "length not in its shortest form") }
            return (Int(length), 10)
        default:
            return (short, 2)
        }
    }
}
