import Foundation
import Synchronization
import TestSupport

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A real redis-server on a port and in a directory of its own. It keeps no data over a restart.
public final class RedisServer: Sendable {
    public struct Trouble: Error, CustomStringConvertible {
        public let description: String
    }

    public let port: UInt16
    /// The port that speaks TLS; nil without certificates.
    public let tlsPort: UInt16?
    private let directory: String
    private let arguments: [String]
    private let process = Mutex<ChildProcess?>(nil)

    /// Starts the server and waits until it serves. Fails, rather than skips, where there is none.
    public init(password: String? = nil, certificates: Certificates? = nil, _ more: [String] = []) async throws {
        // A write to a peer that was killed must fail, and not end the process.
        signal(SIGPIPE, SIG_IGN)
        port = try FreePort.take()
        tlsPort = try certificates.map { _ in try FreePort.take() }
        directory = FileManager.default.temporaryDirectory.path + "/redis-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        var arguments = [
            "--port", "\(port)", "--bind", "127.0.0.1", "--dir", directory, "--save", "", "--appendonly", "no",
            "--logfile", "server.log",
        ]
        if let password { arguments += ["--requirepass", password] }
        if let certificates, let tlsPort {
            arguments += [
                "--tls-port", "\(tlsPort)", "--tls-cert-file", certificates.certificate, "--tls-key-file",
                certificates.key, "--tls-ca-cert-file", certificates.authority, "--tls-auth-clients", "no",
            ]
        }
        self.arguments = arguments + more
        try await start()
    }

    deinit {
        kill()
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// Starts it again, on the same ports.
    public func start() async throws {
        let process = try ChildProcess("redis-server", arguments)
        self.process.withLock { $0 = process }
        _ = await eventually { FreePort.isListening(port) || !process.isRunning }
        guard FreePort.isListening(port) else {
            let log = try? String(contentsOfFile: directory + "/server.log", encoding: .utf8)
            throw Trouble(description: "redis-server does not come up: \(log ?? "it wrote no log")")
        }
    }

    /// `kill -9`; returns once the process is gone.
    public func kill() {
        process.withLock { process in
            process?.send(SIGKILL)
            process?.waitForEnd()
            process = nil
        }
    }

    /// Suspends the process: sockets stay open without an answer.
    public func pause() { process.withLock { $0?.send(SIGSTOP) } }
    public func resume() { process.withLock { $0?.send(SIGCONT) } }
}
