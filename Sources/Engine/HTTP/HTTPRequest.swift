public import EventLoop
public import WireProtocols

/// A request and its sender: complete, or but for the body where that is streamed.
public struct HTTPRequest: Sendable {
    /// The request line and the fields, checked and bounded by the decoder.
    public var head: HTTPRequestHead
    /// The body without its framing, at most `EngineConfiguration.maximumBodyBytes` bytes; empty where there is none.
    public var body: [UInt8]
    /// Whether the body is to be taken by `Connection.receiveBody`; the handler said so by its rule for this head.
    public var isStreamed: Bool
    /// The other end of the socket: a proxy's address behind a proxy.
    public var peer: IPAddress
}
