import JSON

/// Reads the packets of a polling request's body one after the other; 0x1E stands between them.
///
/// It keeps only its position, so the body must be the same, and complete, in every call.
public struct EngineIOPayloadReader: Sendable {
    private let maximumBytes: Int
    private var position = 0
    private var isFinished = false

    /// - Parameter maximumBytes: the `maxPayload` the handshake announced.
    public init(maximumBytes: Int) { self.maximumBytes = maximumBytes }

    /// The next packet; nil behind the last one. After an error there is none.
    public mutating func next(in body: UnsafeRawBufferPointer) throws(EngineIOPacketError) -> EngineIOPacket? {
        guard !isFinished else { return nil }
        isFinished = true
        if position == 0 {
            guard body.count <= maximumBytes else { throw .tooBig }
            guard UTF8Validator.isValid(body) else { throw .invalidUTF8 }
        }
        let start = position
        let end = body[start...].firstIndex(of: EngineIOPacket.separator) ?? body.endIndex
        let packet = try EngineIOPacket.decode(text: body, in: start..<end)
        position = end + 1
        isFinished = end == body.endIndex
        return packet
    }
}

/// A packet on its way to the client. Its bytes are shared by all its receivers.
public struct EngineIOOutgoing: Hashable, Sendable {
    /// A text packet with its type digit, or a binary message as it is.
    public let bytes: ArraySlice<UInt8>
    /// Whether WebSocket carries it in a binary frame, and polling in base64.
    public let isBinary: Bool

    /// - Parameter text: the packet with its type digit, as in a WebSocket text message.
    public init(text: ArraySlice<UInt8>) {
        bytes = text
        isBinary = false
    }

    /// - Parameter text: the packet with its type digit, as in a WebSocket text message.
    public init(text: [UInt8]) { self.init(text: text[...]) }

    public init(binary: [UInt8]) {
        bytes = binary[...]
        isBinary = true
    }

    init(_ type: EngineIOPacketType) { self.init(text: [type.digit]) }

    static let ping = EngineIOOutgoing(.ping)

    /// Bytes it takes in a polling payload.
    var payloadBytes: Int { isBinary ? 1 + (bytes.count + 2) / 3 * 4 : bytes.count }

    func append(toPayload body: inout [UInt8]) {
        if isBinary {
            body.append(EngineIOPacket.base64Mark)
            body.append(contentsOf: Base64.encode(bytes))
        } else {
            body.append(contentsOf: bytes)
        }
    }
}
