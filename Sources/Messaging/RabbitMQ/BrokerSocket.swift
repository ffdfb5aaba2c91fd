import ChatDomain
import CRabbitMQ

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Opens the TCP or TLS connection that carries AMQP.
enum BrokerSocket {
    /// Files in which systems keep the certificates they trust; the library does not look for them.
    private static let systemAuthorities = [
        "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem",
        "/opt/homebrew/etc/ca-certificates/cert.pem",
    ]

    static func open(_ endpoint: RabbitMQEndpoint, for connection: amqp_connection_state_t) throws(BrokerError) {
        let socket =
            if let tls = endpoint.tls { try secureSocket(tls, for: connection) } else {
                amqp_tcp_socket_new(connection)
            }
        guard let socket else { throw .unreachable(reason: "no memory is left") }
        var limit = timeval(endpoint.timeout)
        let status = amqp_socket_open_noblock(socket, endpoint.host, Int32(endpoint.port), &limit)
        guard status == AMQP_STATUS_OK.rawValue else { throw .opening(status, endpoint) }
    }

    private static func secureSocket(
        _ tls: RabbitMQEndpoint.TLS, for connection: amqp_connection_state_t
    ) throws(BrokerError) -> OpaquePointer? {
        guard let socket = amqp_ssl_socket_new(connection) else { return nil }
        amqp_ssl_socket_set_verify_peer(socket, 1)
        amqp_ssl_socket_set_verify_hostname(socket, 1)
        amqp_ssl_socket_set_ssl_versions(socket, AMQP_TLSv1_2, AMQP_TLSvLATEST)
        guard let authorities = tls.authorityFile ?? systemAuthorities.first(where: { access($0, R_OK) == 0 }) else {
            throw .insecure(reason: "this system has no certificates to trust; name a file of them")
        }
        guard amqp_ssl_socket_set_cacert(socket, authorities) == AMQP_STATUS_OK.rawValue else {
            throw .insecure(reason: "\(authorities) holds no certificates")
        }
        if let (chain, key) = tls.certificate,
            amqp_ssl_socket_set_key(socket, chain, key) != AMQP_STATUS_OK.rawValue
        {
            throw .insecure(reason: "\(chain) and \(key) are no certificate and its key")
        }
        return socket
    }
}

extension BrokerError {
    /// The error for a status of the library during the opening of a connection.
    fileprivate static func opening(_ status: Int32, _ endpoint: RabbitMQEndpoint) -> Self {
        let isSecurity = (AMQP_STATUS_SSL_SET_ENGINE_FAILED.rawValue...AMQP_STATUS_SSL_ERROR.rawValue).contains(status)
        let reason = "\(endpoint): \(String(cString: amqp_error_string2(status)))"
        return isSecurity ? .insecure(reason: reason) : .unreachable(reason: reason)
    }

    /// The error for a status of the library on an open connection.
    static func failed(_ status: Int32) -> Self { .disconnected(reason: String(cString: amqp_error_string2(status))) }
}

extension timeval {
    init(_ span: Duration) {
        let milliseconds = Int(span.wholeMilliseconds)
        self.init(tv_sec: milliseconds / 1000, tv_usec: .init(milliseconds % 1000 * 1000))
    }
}
