#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The socket in the data directory by which commands reach the process that has the store open.
///
/// Only the owner of the directory may connect: the socket's mode says so before it listens.
enum ControlSocket {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private static let name = "chat.sock"
    private static let backlog: Int32 = 4

    /// A listening socket, non-blocking. A socket that an earlier process left is removed, so the directory must be locked.
    static func listen(in directory: String) throws(Failure) -> Int32 {
        let descriptor = try makeSocket()
        do throws(Failure) {
            try withAddress(in: directory) { path, address, length throws(Failure) in
                unlink(path)
                guard bind(descriptor, address, length) == 0, chmod(path, 0o600) == 0 else { throw failure("bind") }
            }
            guard Self.listenOn(descriptor) == 0, fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0 else {
                throw failure("listen")
            }
        } catch {
            close(descriptor)
            throw error
        }
        return descriptor
    }

    /// A connection to the process that listens in `directory`; nil when there is none.
    static func connect(in directory: String) throws(Failure) -> LineStream? {
        guard access(directory, F_OK) == 0 else { return nil }
        let descriptor = try makeSocket()
        var result: Int32 = -1
        do throws(Failure) {
            try withAddress(in: directory) { _, address, length throws(Failure) in
                result = connectTo(descriptor, address, length)
            }
        } catch {
            close(descriptor)
            throw error
        }
        if result == 0 { return LineStream(descriptor) }
        let reason = errno
        close(descriptor)
        if reason == ENOENT || reason == ECONNREFUSED { return nil }
        throw Failure(description: "cannot connect to \(directory)/\(name): \(String(cString: strerror(reason)))")
    }

    static func remove(from directory: String) { unlink("\(directory)/\(name)") }

    private static func makeSocket() throws(Failure) -> Int32 {
        guard let descriptor = UnixSocket.make(.stream) else { throw failure("socket") }
        return descriptor
    }

    /// A socket's address holds about a hundred bytes. On Linux the path is that of an open descriptor, so that a directory may
    /// have a longer name.
    private static func withAddress(
        in directory: String,
        _ body: (_ path: String, UnsafePointer<sockaddr>, socklen_t) throws(Failure) -> Void
    ) throws(Failure) {
        #if canImport(Glibc)
            let opened = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            guard opened >= 0 else { throw failure("open \(directory)") }
            defer { close(opened) }
            let path = "/proc/self/fd/\(opened)/\(name)"
        #else
            let path = "\(directory)/\(name)"
        #endif
        guard let address = UnixSocket.address(Array(path.utf8)) else {
            throw Failure(description: "\(path) is too long for a socket")
        }
        let failure: Failure? = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                do throws(Failure) {
                    try body(path, pointer, socklen_t(MemoryLayout<sockaddr_un>.size))
                    return nil
                } catch {
                    return error
                }
            }
        }
        if let failure { throw failure }
    }

    private static func failure(_ call: String) -> Failure {
        Failure(description: "\(call): \(String(cString: strerror(errno)))")
    }

    // Inside this type the plain names of these calls are its own methods.
    #if canImport(Glibc)
        private static func listenOn(_ descriptor: Int32) -> Int32 { Glibc.listen(descriptor, backlog) }
        private static func connectTo(
            _ descriptor: Int32, _ address: UnsafePointer<sockaddr>, _ length: socklen_t
        ) -> Int32 { Glibc.connect(descriptor, address, length) }
    #else
        private static func listenOn(_ descriptor: Int32) -> Int32 { Darwin.listen(descriptor, backlog) }
        private static func connectTo(
            _ descriptor: Int32, _ address: UnsafePointer<sockaddr>, _ length: socklen_t
        ) -> Int32 { Darwin.connect(descriptor, address, length) }
    #endif
}
