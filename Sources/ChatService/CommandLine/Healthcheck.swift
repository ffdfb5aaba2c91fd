#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// `GET /health` of a server on this machine over one blocking socket, for container health checks.
enum Healthcheck {
    enum Failure: Error, Equatable, CustomStringConvertible {
        case unreachable(String)
        case silent
        case reset
        case unhealthy(String)

        var description: String {
            switch self {
            case .unreachable(let reason): "cannot connect: \(reason)"
            case .silent: "no answer in time"
            case .reset: "the connection was reset"
            case .unhealthy(let line): "the server answered \(line)"
            }
        }
    }

    /// - Parameters:
    ///   - isAliveWhenFull: whether 503 counts as healthy: a server with as many connections as it takes answers it.
    ///   - timeout: the limit for each step, in whole seconds.
    static func run(
        _ address: ServerAddress, isAliveWhenFull: Bool = false, timeout: Duration = .seconds(5)
    ) throws(Failure) {
        let head: [UInt8]
        do throws(Failure) {
            head = try exchange(with: address, timeout: timeout)
        } catch {
            // A TLS listener answers plain text with an alert or a reset, which shows that it is alive. This check does not
            // verify the certificate.
            if address.usesTLS, error == .reset { return }
            throw error
        }
        if address.usesTLS, !head.isEmpty, head.first != UInt8(ascii: "H") { return }
        let line = String(decoding: head.prefix { $0 != 0x0D && $0 != 0x0A }.prefix(100), as: UTF8.self)
        if isAliveWhenFull, line.hasPrefix("HTTP/1.1 503") { return }
        guard line.hasPrefix("HTTP/1.1 200") else { throw .unhealthy(line.isEmpty ? "nothing" : line) }
    }

    private static func exchange(with address: ServerAddress, timeout: Duration) throws(Failure) -> [UInt8] {
        let descriptor = try connected(host: address.host, port: address.port, timeout: timeout)
        defer { close(descriptor) }
        let request = Array(
            "GET /health HTTP/1.1\r\nHost: \(address.authority)\r\nConnection: close\r\n\r\n".utf8)
        guard send(descriptor, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else { throw .silent }
        var answer: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1024)
        while !answer.contains(0x0A), answer.count < 4096 {
            let count = recv(descriptor, &chunk, chunk.count, 0)
            if count < 0, errno == EINTR { continue }
            if count < 0, answer.isEmpty { throw errno == ECONNRESET ? .reset : .silent }
            guard count > 0 else { break }
            answer.append(contentsOf: chunk[..<count])
        }
        return answer
    }

    private static func connected(host: String, port: Int, timeout: Duration) throws(Failure) -> Int32 {
        var hints = addrinfo()
        #if canImport(Glibc)
            hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        #else
            hints.ai_socktype = SOCK_STREAM
        #endif
        hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV
        var found: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, String(port), &hints, &found)
        guard status == 0, let address = found?.pointee else {
            throw .unreachable(String(cString: gai_strerror(status)))
        }
        defer { freeaddrinfo(found) }
        let descriptor = socket(address.ai_family, address.ai_socktype, address.ai_protocol)
        guard descriptor >= 0 else { throw .unreachable(String(cString: strerror(errno))) }
        var limit = timeval()
        limit.tv_sec = Int(timeout.components.seconds)
        let size = socklen_t(MemoryLayout<timeval>.size)
        // Linux applies the send limit to connect(2) as well.
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
        guard connect(descriptor, address.ai_addr, address.ai_addrlen) == 0 else {
            let reason = String(cString: strerror(errno))
            close(descriptor)
            throw .unreachable(reason)
        }
        return descriptor
    }
}
