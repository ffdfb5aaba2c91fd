public import EventLoop
public import WireProtocols

/// A complete request with what is known of its sender.
public struct HTTPRequest: Sendable {
    public var head: HTTPRequestHead
    public var body: [UInt8]
    /// The other end of the socket: a proxy's address behind a proxy.
    public var peer: IPAddress
    public var isSecure: Bool
}

/// Takes the requests of one loop's connections.
public protocol EngineHandler: AnyObject {
    /// Answer by `connection.respond` or `connection.upgrade`, now or later in the loop. The connection reads no further
    /// request until then.
    func received(_ request: HTTPRequest, on connection: Connection)
    /// The peer is gone before its request was answered.
    func abandoned(_ connection: Connection)
    /// The body and fields of the answer to a request that could not be understood.
    func response(to refusal: HTTPRefusal) -> HTTPResponse
}

/// Takes the messages of one WebSocket.
public protocol WebSocketHandler: AnyObject {
    /// `text` is valid only during the call. Its UTF-8 is validated unless the handler asked for raw text; `JSONParser.padding`
    /// bytes behind it may be read when `isPadded`.
    func received(text: UnsafeRawBufferPointer, isPadded: Bool, on connection: Connection)
    func received(binary: UnsafeRawBufferPointer, on connection: Connection)
    /// The connection is over; called once, whoever ended it. `code` is what the peer or we gave as reason, if any.
    func closed(_ connection: Connection, code: UInt16?)
}
