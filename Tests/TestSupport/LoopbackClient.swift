import Dispatch
import Foundation
import Synchronization

/// A client of a server on 127.0.0.1 that sends exactly the bytes a test gives it. Its blocking calls run on a queue of its
/// own, so that a waiting test takes no thread from the code under test.
public final class LoopbackClient: Sendable {
    public enum Failure: Error, Equatable {
        case system(String, Int32)
        /// The expected bytes did not come; these had.
        case timedOut(String)
        /// The server ended its side before the expected bytes came.
        case ended(String)
    }

    /// The time after which a wait fails the test. It is long, because it only matters when something is wrong.
    public static let receiveTimeout: Duration = .seconds(30)

    private struct Received {
        var bytes: [UInt8] = []
        var hasEnded = false
    }

    private let descriptor: Int32
    private let queue = DispatchQueue(label: "loopback-client")
    private let received = Mutex(Received())

    /// - Parameters:
    ///   - receiveBuffer: bytes the system may hold for this client; small, to make a slow reader.
    ///   - saying: a few first words, sent at once: a busy machine may let a test wait long between two calls.
    public init(port: UInt16, receiveBuffer: Int32? = nil, saying: [UInt8] = []) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw Failure.system("socket", errno) }
        if var size = receiveBuffer {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw Failure.system("connect", errno) }
        try sendNow(saying)
    }

    deinit { close(descriptor) }

    private func onQueue<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try body() }) }
        }
    }

    /// Lets a test use the socket its own way, without blocking in system calls, on the client's thread.
    public func withDescriptor<Value: Sendable>(
        _ body: @escaping @Sendable (Int32) throws -> Value
    ) async throws -> Value {
        try await onQueue { [descriptor] in
            _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
            return try body(descriptor)
        }
    }

    // MARK: Saying

    public func send(_ text: String) async throws { try await send(Array(text.utf8)) }

    public func send(_ bytes: [UInt8]) async throws { try await onQueue { [self] in try sendNow(bytes) } }

    /// Sends on the calling thread, which may have to wait: for use where this client's own thread runs.
    func sendNow(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw Failure.system("send", errno) }
            sent += count
        }
    }

    /// Ends this side of the stream; the other may continue.
    public func endWriting() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Ends both sides at once.
    public func hangUp() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    // MARK: Hearing

    /// Waits until `take` finds a whole value at the front of the received bytes, and takes that away.
    public func receive<Value: Sendable>(
        within timeout: Duration = LoopbackClient.receiveTimeout, _ take: @escaping @Sendable (inout [UInt8]) -> Value?
    ) async throws -> Value {
        try await onQueue { [self] in
            let deadline = ContinuousClock.now + timeout
            while true {
                if let value = received.withLock({ take(&$0.bytes) }) { return value }
                let (text, hasEnded) = received.withLock {
                    (String(decoding: $0.bytes.prefix(2000), as: UTF8.self), $0.hasEnded)
                }
                guard !hasEnded else { throw Failure.ended(text) }
                guard .now < deadline else { throw Failure.timedOut(text) }
                readSome(within: 50)
            }
        }
    }

    /// Waits for the server to end its side; everything that had come and was not taken yet.
    public func receiveToEnd(within timeout: Duration = LoopbackClient.receiveTimeout) async throws -> [UInt8] {
        do { return try await receive(within: timeout) { _ in nil as [UInt8]? } } catch Failure.ended {
            return received.withLock { $0.bytes }
        }
    }

    private func readSome(within milliseconds: Int32) {
        var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&waiting, 1, milliseconds) > 0 else { return }
        var space = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &space, space.count, 0)
        received.withLock { received in
            if count > 0 { received.bytes += space.prefix(count) } else { received.hasEnded = true }
        }
    }
}
