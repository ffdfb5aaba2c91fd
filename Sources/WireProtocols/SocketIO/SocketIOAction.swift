/// The application's step for one Engine.IO message.
public enum SocketIOAction: Hashable, Sendable {
    case nothing
    /// The client asks for a namespace; `auth` is the range of its JSON object, if it sent one. To be answered by
    /// `accept` or `refuse`, and the encoder's `connect` or `connectError`.
    case connect(namespace: String, auth: Range<Int>?)
    /// The payload is a JSON array that has not been parsed: the event's name, then its arguments.
    case event(SocketIOMessage)
    /// The client left the namespace.
    case disconnect(namespace: String)
    /// Send this packet.
    case reply([UInt8])
    /// Close the Engine.IO session.
    case close(SocketIOCloseReason)
}

/// An event with the binary messages that belong to it.
public struct SocketIOMessage: Hashable, Sendable {
    public enum Payload: Hashable, Sendable {
        /// A range of the bytes that were given.
        case inPlace(Range<Int>)
        /// Kept while the attachments came.
        case kept([UInt8])
    }

    public let namespace: String
    /// The id of the ack that the event asks for; nil when it asks for none.
    public let id: UInt64?
    public let payload: Payload
    /// In the order of their placeholders' `num`.
    public let attachments: [[UInt8]]
    /// Whether binary messages belong to it, also where they are not kept.
    public let hasBinary: Bool

    /// The payload's bytes.
    /// - Parameter bytes: the bytes given to `receiveText`; not looked at when the payload was kept.
    public func withPayload<Result, Failure: Error>(
        in bytes: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        switch payload {
        case .inPlace(let range): return try body(UnsafeRawBufferPointer(rebasing: bytes[range]))
        case .kept(let kept):
            return try kept.withUnsafeBufferPointer { (kept) throws(Failure) -> Result in
                try body(UnsafeRawBufferPointer(kept))
            }
        }
    }
}

/// Why a Socket.IO connection is closed by the server.
public enum SocketIOCloseReason: Error, Hashable, Sendable {
    case malformed(SocketIOPacketError)
    /// In no namespace for too long.
    case connectTimeout
    /// A packet for a namespace the client is not in.
    case notConnected
    /// A second CONNECT to the same namespace.
    case alreadyConnected
    /// A CONNECT_ERROR, which only servers send.
    case unexpectedPacket(SocketIOPacketType)
    /// A text packet while attachments of another were due.
    case missingAttachment
    /// A binary message that belongs to no packet.
    case unexpectedAttachment
    /// A packet and its attachments have more bytes than allowed.
    case tooBig
    /// The payload is no JSON, a placeholder has no attachment, or an attachment no placeholder.
    case invalidPlaceholders
}
