public import EventLoop

/// A server that a bench connects to, without TLS.
public struct BenchServer: Equatable, Sendable {
    /// The value of the `Host` header.
    public var host: String
    public var address: IPAddress
    public var port: UInt16

    public init(host: String, address: IPAddress, port: UInt16) {
        self.host = host
        self.address = address
        self.port = port
    }

    /// The service's default port on 127.0.0.1.
    public static let local = BenchServer(
        host: "127.0.0.1", address: IPAddress(high: 0, low: 0xFFFF_7F00_0001), port: 5004)
}
