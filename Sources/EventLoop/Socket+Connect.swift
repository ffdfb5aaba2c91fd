internal import CSockets

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Why a connection could not be made.
public struct ConnectError: Error, Sendable, CustomStringConvertible {
    public let description: String

    init(_ code: Int32) { description = String(cString: strerror(code)) }
    init(description: String) { self.description = description }
}

extension Socket {
    /// The system's description of an error of `IOResult`.
    public static func describe(_ code: Int32) -> String { String(cString: strerror(code)) }

    /// A TCP socket on its way to `address`: watch it for writing, and ask `takeConnectError` once it is.
    ///
    /// - Throws: failures that show at once; most show only later.
    public static func connect(
        to address: IPAddress, port: UInt16, on loop: EventLoop
    ) throws(ConnectError) -> Socket {
        let descriptor = address.withSocketAddress(port: port) { csockets_connect($0, $1) }
        guard descriptor >= 0 else { throw ConnectError(errno) }
        return Socket(descriptor: descriptor, loop: loop)
    }

    /// The error of a connect, to be asked once the socket is writable; nil when it succeeded.
    public func takeConnectError() -> ConnectError? {
        guard !isClosed else { return ConnectError(EBADF) }
        let code = csockets_take_error(descriptor)
        return code == 0 ? nil : ConnectError(code)
    }
}
