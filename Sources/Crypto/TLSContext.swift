internal import COpenSSL

/// What all TLS sessions a server accepts on one event loop have in common. Not thread safe: one per loop.
///
/// TLS 1.2 and 1.3, `http/1.1` by ALPN (RFC 7301), tickets but no session cache, no renegotiation.
public final class TLSContext {
    private let certificateChainFile: String
    private let privateKeyFile: String
    private let ticketKeys: TLSTicketKeys
    private var handle: OpaquePointer

    /// - Parameters:
    ///   - certificateChainFile: PEM, the server's certificate first.
    ///   - privateKeyFile: PEM, without a password.
    public init(
        certificateChainFile: String, privateKeyFile: String, ticketKeys: TLSTicketKeys
    ) throws(TLSError) {
        self.certificateChainFile = certificateChainFile
        self.privateKeyFile = privateKeyFile
        self.ticketKeys = ticketKeys
        handle = try Self.load(certificateChainFile, privateKeyFile, ticketKeys)
    }

    deinit { SSL_CTX_free(handle) }

    /// Reads both files again. Sessions that exist keep what they began with; on an error so do new ones.
    public func reload() throws(TLSError) {
        let renewed = try Self.load(certificateChainFile, privateKeyFile, ticketKeys)
        SSL_CTX_free(handle)
        handle = renewed
    }

    /// A session on a connected, non-blocking socket, which stays the caller's to close, after the session is gone.
    public func accept(on socket: Int32) throws(TLSError) -> TLSSession { try TLSSession(of: handle, on: socket) }
}

extension TLSContext {
    private static func load(
        _ certificateChainFile: String, _ privateKeyFile: String, _ ticketKeys: TLSTicketKeys
    ) throws(TLSError) -> OpaquePointer {
        ERR_clear_error()
        guard let context = SSL_CTX_new(TLS_server_method()) else {
            throw .unavailable(reason: OpenSSLReason.take())
        }
        do throws(TLSError) {
            configure(context)
            try share(ticketKeys, with: context)
            try readFiles(certificateChainFile, privateKeyFile, into: context)
        } catch {
            SSL_CTX_free(context)
            throw error
        }
        return context
    }

    private static func configure(_ context: OpaquePointer) {
        TLSSession.configure(context)
        shim_SSL_CTX_disable_session_cache(context)
        SSL_CTX_set_num_tickets(context, 1)
        SSL_CTX_set_alpn_select_cb(
            context,
            { _, chosen, chosenLength, offered, offeredLength, _ in
                // A client that offers only other protocols is refused (RFC 7301 §3.2).
                let offered = UnsafeBufferPointer(start: offered, count: Int(offeredLength))
                guard ApplicationProtocol.isOffered(in: offered) else { return SSL_TLSEXT_ERR_ALERT_FATAL }
                chosen?.pointee = ApplicationProtocol.name.utf8Start
                chosenLength?.pointee = UInt8(ApplicationProtocol.name.utf8CodeUnitCount)
                return SSL_TLSEXT_ERR_OK
            }, nil)
    }

    private static func share(_ keys: TLSTicketKeys, with context: OpaquePointer) throws(TLSError) {
        guard shim_SSL_CTX_ticket_keys_length(context) == keys.bytes.count,
            shim_SSL_CTX_set_ticket_keys(context, keys.bytes, keys.bytes.count) == 1
        else { throw .unavailable(reason: OpenSSLReason.take()) }
    }

    private static func readFiles(
        _ certificateChainFile: String, _ privateKeyFile: String, into context: OpaquePointer
    ) throws(TLSError) {
        // A key with a password is refused, where OpenSSL would ask for it on the terminal.
        SSL_CTX_set_default_passwd_cb(context) { _, _, _, _ in -1 }
        guard SSL_CTX_use_certificate_chain_file(context, certificateChainFile) == 1 else {
            throw .certificate(file: certificateChainFile, reason: OpenSSLReason.take())
        }
        guard SSL_CTX_use_PrivateKey_file(context, privateKeyFile, SSL_FILETYPE_PEM) == 1 else {
            if OpenSSLReason.isKeyMismatch {
                throw .mismatch(certificateFile: certificateChainFile, keyFile: privateKeyFile)
            }
            throw .privateKey(file: privateKeyFile, reason: OpenSSLReason.take())
        }
        guard SSL_CTX_check_private_key(context) == 1 else {
            ERR_clear_error()
            throw .mismatch(certificateFile: certificateChainFile, keyFile: privateKeyFile)
        }
    }
}
