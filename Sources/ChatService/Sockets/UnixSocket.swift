#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Sockets between programs of one machine.
enum UnixSocket {
    enum Kind {
        case stream, datagram

        fileprivate var number: Int32 {
            #if canImport(Glibc)
                Int32((self == .stream ? SOCK_STREAM : SOCK_DGRAM).rawValue)
            #else
                self == .stream ? SOCK_STREAM : SOCK_DGRAM
            #endif
        }
    }

    /// A new socket, which programs that this one starts do not inherit; nil, with the reason in `errno`, where none can be made.
    static func make(_ kind: Kind) -> Int32? {
        let descriptor = socket(AF_UNIX, kind.number, 0)
        guard descriptor >= 0 else { return nil }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        return descriptor
    }

    /// The address with this path or name; nil for one that is too long.
    static func address(_ name: [UInt8]) -> sockaddr_un? {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        guard name.count < MemoryLayout.size(ofValue: address.sun_path) else { return nil }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        return address
    }
}
