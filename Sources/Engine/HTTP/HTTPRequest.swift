public import EventLoop
public import WireProtocols

/// A complete request and its sender.
public struct HTTPRequest: Sendable {
    public var head: HTTPRequestHead
    public var body: [UInt8]
    /// The other end of the socket: a proxy's address behind a proxy.
    public var peer: IPAddress
    /// Whether it came over TLS.
    public var isSecure: Bool
}
