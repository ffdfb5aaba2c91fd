public import Crypto

/// The limits and times of one server's connections.
public struct EngineConfiguration: Sendable {
    /// Largest request body, in bytes; more is refused with 413.
    public var maximumBodyBytes = 131_072
    /// Largest WebSocket message, in bytes, assembled and inflated; more closes with 1009.
    public var maximumMessageBytes = 131_072
    /// Queued output past which typing and presence are dropped, in bytes. Below it one chunk of any size is taken: an answer
    /// may be long, and is not slowness.
    public var softOutputLimit = 512 * 1024
    /// Queued output past which a peer that does not read is closed with 4008, in bytes.
    public var hardOutputLimit = 1024 * 1024
    /// What may wait for a client's next polls, in bytes. More than for a WebSocket: no kernel keeps a part of it, and one poll
    /// takes little.
    public var pollingOutputLimit = 4 * 1024 * 1024
    /// What may wait for a peer that has not said who it is, in bytes.
    public var strangerOutputLimit = 16 * 1024
    /// How long a request head (and a TLS handshake) may take, in milliseconds; then 408.
    public var headMilliseconds: Int64 = 10_000
    /// How long a request body may take, in milliseconds; then 408. Also how long a closing connection may go without taking
    /// anything of an answer's rest.
    public var bodyMilliseconds: Int64 = 30_000
    /// How long a kept-alive connection may stay without a request, in milliseconds.
    public var keepAliveMilliseconds: Int64 = 75_000
    /// A WebSocket that has been silent for this long is pinged, in milliseconds.
    public var pingMilliseconds: Int64 = 25_000
    /// A WebSocket that does not answer a ping within this is given up, in milliseconds.
    public var pongMilliseconds: Int64 = 20_000
    /// How long a closing connection may take to say goodbye once everything is written, in milliseconds.
    public var finishMilliseconds: Int64 = 3_000
    /// Whether `permessage-deflate` is accepted from clients that offer it.
    public var allowsDeflate = true
    /// Messages shorter than this are sent uncompressed, in bytes.
    public var deflateThreshold = 256
    /// Messages longer than this are sent uncompressed, in bytes: compressing one would hold up the loop.
    public var deflateCeiling = 64 * 1024
    /// Connections of this process at most, and polling sessions with them; more are turned away with 503.
    public var maximumConnections = Int.max

    /// Where TLS is spoken, with what; nil for plain TCP.
    public var tls: TLSFiles?

    public init() {}

    /// Whether a message of so many bytes is worth compressing, and soon compressed.
    public func compresses(_ bytes: Int) -> Bool { bytes >= deflateThreshold && bytes <= deflateCeiling }
}

/// A server's certificate and key, as PEM files.
public struct TLSFiles: Sendable {
    public var certificateChain: String
    public var privateKey: String
    /// Shared by all loops, so that a client may resume its session on any of them.
    public var ticketKeys = TLSTicketKeys()

    public init(certificateChain: String, privateKey: String) {
        self.certificateChain = certificateChain
        self.privateKey = privateKey
    }
}
