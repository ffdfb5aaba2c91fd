internal import COpenSSL

/// The state that TLS sessions towards other servers share. Not thread safe.
public final class TLSClientContext {
    /// The certificates that a server may present.
    public enum Trust: Hashable, Sendable {
        /// Those of the system's authorities.
        case system
        /// Those of the authorities in this PEM file.
        case authorities(file: String)
        /// Any certificate, under any name: for tests and for checks over the loopback interface.
        case anyone
    }

    private let handle: OpaquePointer
    private let verifies: Bool

    public init(trusting trust: Trust) throws(TLSError) {
        ERR_clear_error()
        guard let context = SSL_CTX_new(TLS_client_method()) else {
            throw .unavailable(reason: OpenSSLReason.take())
        }
        handle = context
        TLSSession.configure(context)
        switch trust {
        case .anyone: verifies = false
        case .system:
            verifies = true
            SSL_CTX_set_default_verify_paths(context)
        case .authorities(let file):
            verifies = true
            guard SSL_CTX_load_verify_file(context, file) == 1 else {
                throw .certificate(file: file, reason: OpenSSLReason.take())
            }
        }
        SSL_CTX_set_verify(context, verifies ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nil)
    }

    deinit { SSL_CTX_free(handle) }

    /// A session on a connected, non-blocking socket, which stays the caller's to close, after the session is gone.
    ///
    /// - Parameter host: the name or IP address the server's certificate must be made out to.
    public func connect(on socket: Int32, host: String) throws(TLSError) -> TLSSession {
        let session = try TLSSession(of: handle, on: socket)
        session.becomeClient(of: host, verifying: verifies)
        return session
    }
}
