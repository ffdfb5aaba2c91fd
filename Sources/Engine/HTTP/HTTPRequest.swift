public import EventLoop
public import WireProtocols

/// A complete request and its sender.
public struct HTTPRequest: Sendable {
    /// The request line and the fields, checked and bounded by the decoder.
    public var head: HTTPRequestHead
    /// The body without its framing, at most `EngineConfiguration.maximumBodyBytes` bytes; empty where there is none.
    public var body: [UInt8]
    /// The other end of the socket: a proxy's address behind a proxy.
    public var peer: IPAddress
}
