public import Crypto

/// The limits and times of one server's connections.
public struct EngineConfiguration: Sendable {
    /// Largest request body, in bytes; more is refused with 413.
    public var maximumBodyBytes = 131_072
    /// Largest WebSocket message, in bytes, assembled and inflated; more closes with 1009.
    public var maximumMessageBytes = 131_072
    /// Queued output past which droppable frames are left out, in bytes. Below it one chunk of any size is taken: an answer
    /// may be long, and a long answer does not make the peer slow.
    public var softOutputLimit = 512 * 1024
    /// Queued output past which a peer that does not read is closed with `slowReaderCloseCode`, in bytes.
    public var hardOutputLimit = 1024 * 1024
    /// The close code for a WebSocket whose peer does not read (RFC 6455 §7.4); 1008 is a violated policy.
    public var slowReaderCloseCode: UInt16 = 1008
    /// Output that may wait for a client's next polls, in bytes. It is larger than a WebSocket's limit: the kernel buffers no
    /// part of it, and one poll takes little.
    public var pollingOutputLimit = 4 * 1024 * 1024
    /// Output that may wait for a peer that has not identified itself, in bytes.
    public var strangerOutputLimit = 16 * 1024
    /// How long a request head (and a TLS handshake) may take; then 408.
    public var headTimeout: Duration = .seconds(10)
    /// How long a request body may take; then 408. Also how long a closing connection may go without taking anything of an
    /// answer's rest.
    public var bodyTimeout: Duration = .seconds(30)
    /// How long a client of a streamed request has to send `minimumBodyProgress` of the body, again and again; then 408.
    public var progressInterval: Duration = .seconds(10)
    /// Bytes of a streamed body that have to come in each `progressInterval`.
    public var minimumBodyProgress = 10 * 1024
    /// Bytes of a streamed answer that may wait for the peer when its next part is asked for.
    public var streamedOutputWindow = 64 * 1024
    /// How long the peer may go without taking anything of a streamed answer. The system takes bytes from a slow reader in
    /// large bites, so that this is long.
    public var streamStallTimeout: Duration = .seconds(120)
    /// How long a kept-alive connection may stay without a request.
    public var keepAliveTimeout: Duration = .seconds(75)
    /// A WebSocket that has been silent for this long is pinged.
    public var pingInterval: Duration = .seconds(25)
    /// A WebSocket that has sent nothing for this long after a ping is closed.
    public var pongTimeout: Duration = .seconds(20)
    /// How long the peer of a closing connection may take to close its side once everything is written.
    public var closeTimeout: Duration = .seconds(3)
    /// Whether `permessage-deflate` is accepted from clients that offer it.
    public var allowsDeflate = true
    /// Messages shorter than this are sent uncompressed, in bytes.
    public var deflateThreshold = 256
    /// Messages longer than this are sent uncompressed, in bytes: compressing one would hold up the loop.
    public var deflateCeiling = 64 * 1024
    /// The most connections of this process, polling sessions included; more are refused with 503.
    public var maximumConnections = Int.max

    /// The server's certificate and key; nil for plain TCP.
    public var tls: TLSCredentials?

    /// The defaults, for plain TCP.
    public init() {}

    /// Whether a message of so many bytes is long enough to be worth compressing and short enough to be compressed quickly.
    public func compresses(_ bytes: Int) -> Bool { bytes >= deflateThreshold && bytes <= deflateCeiling }
}
