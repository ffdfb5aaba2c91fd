internal import COpenSSL

/// What one step of a TLS session came to.
public enum TLSResult: Equatable, Sendable {
    /// That many bytes of plain text were read or written. A handshake that is complete counts 0.
    case bytes(Int)
    /// Try again when the socket is readable; also a write may have to wait for that.
    case wantRead
    /// Try again, with the same bytes, when the socket is writable; also a read may have to wait for that.
    case wantWrite
    /// The peer said or shut its end; nothing more will come.
    case closed
    /// The session is broken, for this reason; all that is left is to close the socket.
    case failed(String)
}

/// One TLS connection on a non-blocking socket of the caller's. Not thread safe.
///
/// Handshakes go on inside `read` and `write` as well. The process must ignore SIGPIPE. Idle sessions keep no buffers.
public final class TLSSession {
    private let handle: OpaquePointer
    private var isBroken = false

    /// A session that waits for a client to begin, until `becomeClient` says otherwise.
    init(of context: OpaquePointer, on socket: Int32) throws(TLSError) {
        guard let handle = SSL_new(context) else { throw .unavailable(reason: OpenSSLReason.take()) }
        self.handle = handle
        guard SSL_set_fd(handle, socket) == 1 else { throw .unavailable(reason: OpenSSLReason.take()) }
        SSL_set_accept_state(handle)
    }

    /// - Parameter host: the name or IP address the server's certificate is made out to.
    func becomeClient(of host: String, verifying: Bool) {
        SSL_set_connect_state(handle)
        let isAddress = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(handle), host) == 1
        guard !isAddress else { return }
        _ = shim_SSL_set_host_name(handle, host)
        if verifying { SSL_set1_host(handle, host) }
    }

    deinit { SSL_free(handle) }

    public var isHandshakeComplete: Bool { SSL_is_init_finished(handle) == 1 }

    /// - Returns: `.bytes(0)` when the handshake is complete.
    public func handshake() -> TLSResult {
        step {
            $0.pointee = 0
            return SSL_do_handshake(handle)
        }
    }

    /// Reads what fits into `buffer`, which must not be empty.
    ///
    /// A buffer of 16 KiB takes any record whole; with less, read until `.wantRead`, as the rest is held here.
    public func read(into buffer: UnsafeMutableRawBufferPointer) -> TLSResult {
        step { SSL_read_ex(handle, buffer.baseAddress, buffer.count, $0) }
    }

    /// Writes as much of `bytes`, which must not be empty, as the socket takes.
    ///
    /// After `.wantRead` or `.wantWrite` the next write must begin with the same bytes; they may have moved in memory.
    public func write(_ bytes: UnsafeRawBufferPointer) -> TLSResult {
        step { SSL_write_ex(handle, bytes.baseAddress, bytes.count, $0) }
    }

    /// Tells the peer that nothing more will come (RFC 8446 §6.1), as far as the socket takes it at once.
    public func shutdown() {
        guard !isBroken, isHandshakeComplete else { return }
        ERR_clear_error()
        if SSL_shutdown(handle) < 0 { ERR_clear_error() }
        isBroken = true
    }

    private func step(_ operation: (UnsafeMutablePointer<Int>) -> Int32) -> TLSResult {
        guard !isBroken else { return .failed("the session has ended") }
        // OpenSSL judges an outcome by the thread's queue of errors, whoever left one there.
        ERR_clear_error()
        var count = 0
        let outcome = operation(&count)
        if outcome == 1 { return .bytes(count) }
        switch SSL_get_error(handle, outcome) {
        case SSL_ERROR_WANT_READ: return .wantRead
        case SSL_ERROR_WANT_WRITE: return .wantWrite
        case SSL_ERROR_ZERO_RETURN: return .closed
        case SSL_ERROR_SYSCALL:
            isBroken = true
            return ERR_peek_error() == 0 ? .closed : .failed(OpenSSLReason.take())
        default:
            isBroken = true
            return .failed(OpenSSLReason.take())
        }
    }
}

extension TLSSession {
    /// What sessions of either role ask of their context.
    static func configure(_ context: OpaquePointer) {
        shim_SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION)
        // Of TLS 1.2 only what keeps secrets forward and is authenticated encryption (RFC 9325 §4.2); 1.3 has nothing else.
        SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20")
        // A peer that leaves without a word is as gone as one that takes leave; the protocols inside know their own ends.
        SSL_CTX_set_options(context, shim_SSL_OP_NO_RENEGOTIATION | shim_SSL_OP_IGNORE_UNEXPECTED_EOF)
        shim_SSL_CTX_set_mode(
            context,
            Int(SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS))
        // No read-ahead: it would keep records that have come where the loop, which watches the socket, does not see them.
    }
}
