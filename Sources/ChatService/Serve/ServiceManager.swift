import Telemetry

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The service manager that started this process, which is told its state by the protocol of sd_notify(3).
///
/// Each message is one datagram to the socket that `NOTIFY_SOCKET` names. Without that variable no message is sent.
struct ServiceManager: Sendable {
    /// A state as sd_notify(3) writes it.
    enum State: Equatable, Sendable {
        /// The process serves, after its start or after a reload.
        case ready
        /// The process reads its configuration again since `microseconds` of the monotonic clock.
        case reloading(microseconds: Int64)
        /// The process drains and ends.
        case stopping
        /// The process still works. A manager with a watchdog expects this in every period of it.
        case alive

        var text: String {
            switch self {
            case .ready: "READY=1"
            case .reloading(let microseconds): "RELOADING=1\nMONOTONIC_USEC=\(microseconds)"
            case .stopping: "STOPPING=1"
            case .alive: "WATCHDOG=1"
            }
        }
    }

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// The path of a socket, or the name of an abstract one behind `@`; nil without a service manager.
    let address: String?
    /// Half of the manager's watchdog period; nil when it expects no `WATCHDOG=1` of this process.
    let aliveInterval: Duration?
    private let logger: Logger

    /// How long a datagram may wait until the manager takes it.
    private static let sendLimitSeconds = 1

    init(environment: [String: String], processID: Int32, logger: Logger) {
        address = environment["NOTIFY_SOCKET"].flatMap { $0.isEmpty ? nil : $0 }
        self.logger = logger
        guard address != nil, let microseconds = environment["WATCHDOG_USEC"].flatMap(Int64.init), microseconds > 0,
            environment["WATCHDOG_PID"].map({ $0 == "\(processID)" }) ?? true
        else {
            aliveInterval = nil
            return
        }
        aliveInterval = .microseconds(max(1, microseconds / 2))
    }

    /// Sends a state. A failure is logged and changes nothing else.
    func notify(_ state: State) {
        guard let address else { return }
        do throws(Failure) { try Self.send(state.text, to: address) } catch {
            logger.warning("the service manager was not notified", ["reason": error.description])
        }
    }

    /// Reports to a manager with a watchdog that the process works, until the task is cancelled.
    ///
    /// - Parameter respond: returns when every part has done some work. While a part is stuck, nothing is reported, and the
    ///   manager restarts the process.
    func reportAlive(afterEach respond: @Sendable () async -> Void) async {
        guard let aliveInterval else { return }
        while !Task.isCancelled {
            await respond()
            notify(.alive)
            try? await Task.sleep(for: aliveInterval)
        }
    }

    private static func send(_ text: String, to address: String) throws(Failure) {
        guard let descriptor = UnixSocket.make(.datagram) else { throw failure("socket") }
        defer { close(descriptor) }
        var limit = timeval(tv_sec: sendLimitSeconds, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        let (target, length) = try socketAddress(address)
        let sent = withUnsafePointer(to: target) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                sendto(descriptor, text, text.utf8.count, Int32(MSG_NOSIGNAL), pointer, length)
            }
        }
        guard sent == text.utf8.count else { throw failure("sendto \(address)") }
    }

    /// The name of an abstract socket begins with a zero byte and has no end but the length.
    private static func socketAddress(_ text: String) throws(Failure) -> (sockaddr_un, socklen_t) {
        guard text.hasPrefix("/") || text.hasPrefix("@") else {
            throw Failure(description: "NOTIFY_SOCKET is neither a path nor an abstract socket: \(text)")
        }
        var bytes = Array(text.utf8)
        if bytes[0] == UInt8(ascii: "@") { bytes[0] = 0 }
        guard let address = UnixSocket.address(bytes) else {
            throw Failure(description: "NOTIFY_SOCKET is too long for a socket: \(text)")
        }
        let start = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? MemoryLayout<sa_family_t>.size
        return (address, socklen_t(start + bytes.count))
    }

    private static func failure(_ call: String) -> Failure {
        Failure(description: "\(call): \(String(cString: strerror(errno)))")
    }
}
