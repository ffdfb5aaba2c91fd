public import WireProtocols

/// Takes the requests of one loop's connections.
public protocol EngineHandler: AnyObject {
    /// How the body of a request is taken. Asked once, as soon as its head is read; the default is to collect it.
    func bodyRule(for head: HTTPRequestHead) -> HTTPBodyRule
    /// Answer by `connection.respond` or `connection.upgrade`, now or later in the loop. The connection reads no further
    /// request until then.
    func received(_ request: HTTPRequest, on connection: Connection)
    /// The peer is gone before its request was answered.
    func abandoned(_ connection: Connection)
    /// The body and fields of the answer to a request that could not be understood.
    func response(to refusal: HTTPRefusal) -> HTTPResponse
}

extension EngineHandler {
    public func bodyRule(for head: HTTPRequestHead) -> HTTPBodyRule { .collected }
}

/// Takes the messages of one WebSocket.
public protocol WebSocketHandler: AnyObject {
    /// A text message, checked to be UTF-8. `text` is valid only during the call; `JSONParser.padding` bytes behind it may be
    /// read when `isPadded`.
    func received(text: UnsafeRawBufferPointer, isPadded: Bool, on connection: Connection)
    /// A binary message, valid only during the call.
    func received(binary: UnsafeRawBufferPointer, on connection: Connection)
    /// The connection is over; called once, whichever side ended it. `code` is the code of the close frame sent, if one was.
    func closed(_ connection: Connection, code: UInt16?)
}
