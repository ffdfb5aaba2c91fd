internal import COpenSSL

/// The state that all TLS sessions which a server accepts on one event loop share. Not thread safe: one per loop.
///
/// TLS 1.2 and 1.3, `http/1.1` by ALPN (RFC 7301), tickets but no session cache, no renegotiation.
public final class TLSContext {
    private var handle: OpaquePointer

    public init(_ credentials: TLSCredentials) throws(TLSError) { handle = try Self.makeHandle(credentials) }

    deinit { SSL_CTX_free(handle) }

    /// Uses other credentials for new sessions. Existing sessions keep those they began with.
    ///
    /// - Throws: when OpenSSL refuses the credentials; new sessions then use the previous ones.
    public func replaceCredentials(_ credentials: TLSCredentials) throws(TLSError) {
        let renewed = try Self.makeHandle(credentials)
        SSL_CTX_free(handle)
        handle = renewed
    }

    /// A session on a connected, non-blocking socket. The caller closes the socket after the session is gone.
    public func accept(on socket: Int32) throws(TLSError) -> TLSSession { try TLSSession(of: handle, on: socket) }

    private static func makeHandle(_ credentials: TLSCredentials) throws(TLSError) -> OpaquePointer {
        ERR_clear_error()
        guard let context = SSL_CTX_new(TLS_server_method()) else {
            throw .unavailable(reason: OpenSSLReason.take())
        }
        do throws(TLSError) {
            configure(context)
            try setTicketKeys(credentials.ticketKeys, of: context)
            try setCertificateChain(credentials.certificateChain, of: context)
            try setPrivateKey(credentials, of: context)
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

    private static func setTicketKeys(_ keys: [UInt8], of context: OpaquePointer) throws(TLSError) {
        guard shim_SSL_CTX_ticket_keys_length(context) == keys.count,
            shim_SSL_CTX_set_ticket_keys(context, keys, keys.count) == 1
        else { throw .unavailable(reason: OpenSSLReason.take()) }
    }

    private static func setCertificateChain(
        _ file: TLSCredentials.File, of context: OpaquePointer
    ) throws(TLSError) {
        let isUsed: Bool? = PEM.withStream(over: file.bytes) { stream in
            guard let certificate = PEM_read_bio_X509_AUX(stream, nil, refusePassword, nil) else { return nil }
            defer { X509_free(certificate) }
            guard SSL_CTX_use_certificate(context, certificate) == 1 else { return nil }
            while let authority = PEM_read_bio_X509(stream, nil, refusePassword, nil) {
                defer { X509_free(authority) }
                guard shim_SSL_CTX_add1_chain_cert(context, authority) == 1 else { return nil }
            }
            guard PEM.isAtEnd else { return nil }
            ERR_clear_error()
            return true
        }
        guard isUsed == true else { throw .certificate(file: file.path, reason: OpenSSLReason.take()) }
    }

    private static func setPrivateKey(_ credentials: TLSCredentials, of context: OpaquePointer) throws(TLSError) {
        let file = credentials.privateKey
        let mismatch = TLSError.mismatch(
            certificateFile: credentials.certificateChain.path, keyFile: file.path)
        let key = PEM.withStream(over: file.bytes) { PEM_read_bio_PrivateKey($0, nil, refusePassword, nil) }
        guard let key else { throw .privateKey(file: file.path, reason: OpenSSLReason.take()) }
        defer { EVP_PKEY_free(key) }
        guard SSL_CTX_use_PrivateKey(context, key) == 1 else {
            if OpenSSLReason.isKeyMismatch { throw mismatch }
            throw .privateKey(file: file.path, reason: OpenSSLReason.take())
        }
        guard SSL_CTX_check_private_key(context) == 1 else {
            ERR_clear_error()
            throw mismatch
        }
    }
}
