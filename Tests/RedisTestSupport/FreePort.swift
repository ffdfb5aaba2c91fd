#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Ports of the loopback interface.
public enum FreePort {
    /// A port without a listener, below those that the system gives to connections, where one may be taken at any moment.
    public static func take() throws -> UInt16 {
        for _ in 0..<1000 {
            guard let (descriptor, port) = try? hold(UInt16.random(in: 13_000..<29_900)) else { continue }
            close(descriptor)
            return port
        }
        throw RedisServer.Trouble(description: "no free port")
    }

    /// A listening socket on a port of the system's choice.
    public static func listen() throws -> (descriptor: Int32, port: UInt16) {
        let (descriptor, port) = try hold()
        #if canImport(Glibc)
            let result = Glibc.listen(descriptor, 16)
        #else
            let result = Darwin.listen(descriptor, 16)
        #endif
        guard result == 0 else {
            close(descriptor)
            throw RedisServer.Trouble(description: "no free port")
        }
        return (descriptor, port)
    }

    /// A socket bound to this port; for 0 to one of the system's choice.
    fileprivate static func hold(_ port: UInt16 = 0) throws -> (descriptor: Int32, port: UInt16) {
        let descriptor = makeSocket()
        var address = loopback(port: port)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer -> Int32 in
                guard bind(descriptor, pointer, length) == 0 else { return -1 }
                return getsockname(descriptor, pointer, &length)
            }
        }
        guard result == 0 else {
            close(descriptor)
            throw RedisServer.Trouble(description: "no free port")
        }
        return (descriptor, UInt16(bigEndian: address.sin_port))
    }

    public static func isListening(_ port: UInt16) -> Bool {
        let descriptor = makeSocket()
        defer { close(descriptor) }
        var address = loopback(port: port)
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    private static func makeSocket() -> Int32 {
        #if canImport(Glibc)
            socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #else
            socket(AF_INET, SOCK_STREAM, 0)
        #endif
    }

    private static func loopback(port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }
}

/// A port that refuses connections, and that no other socket can take while this lives.
public final class RefusingPort {
    public let number: UInt16
    private let descriptor: Int32

    public init() throws { (descriptor, number) = try FreePort.hold() }
    deinit { close(descriptor) }
}
