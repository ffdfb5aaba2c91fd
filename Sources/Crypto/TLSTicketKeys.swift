internal import COpenSSL

/// The secret that session tickets (RFC 8446 §4.6.1) are sealed with, made anew by each process.
///
/// Shared by the contexts of all event loops, a client resumes its session on whichever loop it lands.
public struct TLSTicketKeys: Sendable {
    /// A name of 16 bytes, and 32 each for authentication and encryption.
    let bytes: [UInt8]

    public init() { bytes = SecureRandom.bytes(80) }
}
