internal import COpenSSL

/// A server's certificate chain and private key, read from files and found to belong together. A value: any thread may use it.
///
/// The credentials also hold the secret that session tickets (RFC 8446 §4.6.1) are encrypted with. All event loops share it, so
/// that a client can resume its session on any of them. Each reading of the files makes a new secret: a client that connects
/// after a reload gets a full handshake with the certificate in force.
public struct TLSCredentials: Sendable {
    /// The largest file that is read, in bytes.
    public static let maximumFileBytes = 1 << 20

    /// A PEM file's name and content.
    struct File: Sendable {
        let path: String
        let bytes: [UInt8]
    }

    /// The server's certificate, then the certificates of the authorities between it and the root.
    let certificateChain: File
    let privateKey: File
    /// A name of 16 bytes, and 32 bytes each for authentication and encryption.
    let ticketKeys: [UInt8]

    /// - Parameters:
    ///   - certificateChainFile: PEM, the server's certificate first.
    ///   - privateKeyFile: PEM, without a password.
    /// - Throws: `TLSError` when a file cannot be read or used, or when the key is not that of the certificate.
    public init(certificateChainFile: String, privateKeyFile: String) throws(TLSError) {
        ERR_clear_error()
        guard let chain = Self.content(of: certificateChainFile) else {
            throw .certificate(file: certificateChainFile, reason: OpenSSLReason.take())
        }
        guard let key = Self.content(of: privateKeyFile) else {
            throw .privateKey(file: privateKeyFile, reason: OpenSSLReason.take())
        }
        certificateChain = File(path: certificateChainFile, bytes: chain)
        privateKey = File(path: privateKeyFile, bytes: key)
        ticketKeys = SecureRandom.bytes(80)
        // Making a context checks everything that a handshake needs.
        _ = try TLSContext(self)
    }

    /// At most `maximumFileBytes` of the file; what is cut off would not fit a handshake.
    private static func content(of path: String) -> [UInt8]? {
        guard let file = BIO_new_file(path, "r") else { return nil }
        defer { BIO_free(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while bytes.count < maximumFileBytes {
            let count = BIO_read(file, &chunk, Int32(chunk.count))
            guard count > 0 else { return count < 0 ? nil : bytes }
            bytes.append(contentsOf: chunk[..<Int(count)])
        }
        return bytes
    }
}
