internal import CSockets

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Looks up host names without blocking the caller.
public enum NameResolver {
    /// The addresses of `host`, in the order in which the system wants them tried; never an empty list.
    ///
    /// - Parameter completion: called at once for an address, else on a thread of its own.
    public static func resolve(
        _ host: String, completion: @escaping @Sendable (Result<[IPAddress], ConnectError>) -> Void
    ) {
        if let address = IPAddress(host) { return completion(.success([address])) }
        Thread.start(name: "resolver") { completion(lookUp(host)) }
    }

    private static func lookUp(_ host: String) -> Result<[IPAddress], ConnectError> {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_protocol = Int32(IPPROTO_TCP)
        var found: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, nil, &hints, &found)
        guard code == 0, let found else {
            return .failure(ConnectError(description: "cannot resolve \(host): \(String(cString: gai_strerror(code)))"))
        }
        defer { freeaddrinfo(found) }
        let addresses = sequence(first: found, next: \.pointee.ai_next).compactMap { address($0.pointee) }
        guard !addresses.isEmpty else { return .failure(ConnectError(description: "\(host) has no address")) }
        return .success(addresses)
    }

    private static func address(_ info: addrinfo) -> IPAddress? {
        guard let address = info.ai_addr, info.ai_family == AF_INET || info.ai_family == AF_INET6 else { return nil }
        var storage = sockaddr_storage()
        withUnsafeMutableBytes(of: &storage) {
            $0.copyMemory(
                from: UnsafeRawBufferPointer(start: address, count: min(Int(info.ai_addrlen), $0.count)))
        }
        return IPAddress(storage)
    }
}
