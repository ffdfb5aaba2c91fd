internal import COpenSSL

/// The result of one step of a TLS session.
public enum TLSResult: Equatable, Sendable {
    /// The number of plain-text bytes that were read or written; 0 for a handshake that is complete.
    case bytes(Int)
    /// Try again when the socket is readable. A write may have to wait for that too.
    case wantRead
    /// Try again, with the same bytes, when the socket is writable. A read may have to wait for that too.
    case wantWrite
    /// The peer closed its end, with or without a closing alert.
    case closed
    /// The session is broken for this reason; the caller must close the socket.
    case failed(String)
}

/// One TLS connection on a non-blocking socket that the caller owns. Not thread safe.
///
/// Handshakes continue inside `read` and `write` too. The process must ignore SIGPIPE. Idle sessions keep no buffers.
public final class TLSSession {
    private let handle: OpaquePointer
    private var isBroken = false

    /// A session in the server's role. `becomeClient` changes the role.
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

    /// Sends the closing alert (RFC 8446 §6.1), if the socket accepts it at once.
    public func shutdown() {
        guard !isBroken, isHandshakeComplete else { return }
        ERR_clear_error()
        if SSL_shutdown(handle) < 0 { ERR_clear_error() }
        isBroken = true
    }

    private func step(_ operation: (UnsafeMutablePointer<Int>) -> Int32) -> TLSResult {
        guard !isBroken else { return .failed("the session has ended") }
        // OpenSSL judges an outcome by the thread's error queue, which may hold errors of other sessions.
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
    /// Sets the options that sessions of both roles need.
    static func configure(_ context: OpaquePointer) {
        shim_SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION)
        // For TLS 1.2 only suites with forward secrecy and authenticated encryption (RFC 9325 §4.2). TLS 1.3 has no others.
        SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20")
        // An end without a closing alert is no error, as the protocols inside TLS mark their own ends.
        SSL_CTX_set_options(context, shim_SSL_OP_NO_RENEGOTIATION | shim_SSL_OP_IGNORE_UNEXPECTED_EOF)
        shim_SSL_CTX_set_mode(
            context,
            Int(SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS))
        // No read-ahead: it would hold received records where the loop, which polls the socket, does not see them.
    }
}
