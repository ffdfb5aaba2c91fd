import ChatDomain
import Foundation
import Synchronization

@testable import PersistenceMongoDB

/// A server that speaks MongoDB's protocol, for the whole test run. The first test that needs it starts it, and it ends with
/// the process.
///
/// `SECANTUSD` names its program. Without one the tests fail.
final class MongoServer: Sendable {
    static let shared = Mutex<Result<MongoServer, TestFailure>?>(nil)

    let port: Int
    private let directory: String
    private let options: String
    private let process: Mutex<Process?>

    static func running() async throws -> MongoServer {
        let server = try shared.withLock { shared -> Result<MongoServer, TestFailure> in
            if let shared { return shared }
            let started = Result { () throws(TestFailure) in try MongoServer() }
            shared = started
            return started
        }.get()
        try await server.answers()
        return server
    }

    /// - Parameter isDurable: whether confirmed writes survive `kill`, as they do with a real server's journal.
    init(isDurable: Bool = false) throws(TestFailure) {
        options = isDurable ? "--sync-on-commit" : ""
        port = Self.freePort()
        directory = FileManager.default.temporaryDirectory.path + "/chat-mongo-\(UUID().uuidString)"
        process = Mutex(nil)
        try start()
    }

    deinit {
        kill()
        try? FileManager.default.removeItem(atPath: directory)
    }

    func uri(_ database: String) -> String { "mongodb://127.0.0.1:\(port)/\(database)" }

    func start() throws(TestFailure) {
        let program = ProcessInfo.processInfo.environment["SECANTUSD"] ?? "secantusd-py"
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        // The shell waits for this process to end, in whatever way, and then kills the server.
        process.arguments = [
            "-c",
            """
            "$0" --host 127.0.0.1 --port "$1" --storage-path "$2" --log-level ERROR $4 & server=$!
            trap 'kill -9 $server; wait $server' TERM
            while kill -0 $server 2>/dev/null && kill -0 "$3" 2>/dev/null; do sleep 0.2; done
            kill -9 $server
            kill -0 "$3" 2>/dev/null || rm -rf "$2"
            """, program, "\(port)", directory, "\(ProcessInfo.processInfo.processIdentifier)",
            options,
        ]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        do { try process.run() } catch { throw TestFailure("cannot start \(program): \(error)") }
        self.process.withLock { $0 = process }
    }

    /// Ends the server as a crash would. Its stored data stays.
    func kill() {
        process.withLock { process in
            process?.terminate()
            process?.waitUntilExit()
            process = nil
        }
    }

    /// Returns when the server answers.
    func answers() async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while true {
            do {
                let store = try await MongoStore.open(uri: uri("probe"), options: .init(), workers: 1)
                return await store.close()
            } catch {
                let isGone = process.withLock { $0?.isRunning != true }
                guard !isGone, ContinuousClock.now < deadline else {
                    throw TestFailure("the MongoDB test server (SECANTUSD) does not answer: \(error)")
                }
            }
        }
    }

    private static func freePort() -> Int {
        #if canImport(Glibc)
            let stream = Int32(SOCK_STREAM.rawValue)
        #else
            let stream = SOCK_STREAM
        #endif
        let descriptor = socket(AF_INET, stream, 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                _ = bind(descriptor, address, size)
                _ = getsockname(descriptor, address, &size)
            }
        }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}

/// A database of its own on the shared server.
struct MongoHome: StoreHome {
    let server: MongoServer
    let database = "t" + UUID().uuidString.filter { $0 != "-" }

    init() async throws { server = try await MongoServer.running() }

    func open(_ options: StoreOptions) async throws -> any DurableStore {
        try await openMongo(options)
    }

    func openMongo(_ options: StoreOptions = StoreOptions()) async throws -> MongoStore {
        try await MongoStore.open(uri: server.uri(database), options: options)
    }

    /// Sends commands as another program would.
    func raw<Value: Sendable>(
        _ body: @escaping @Sendable (MongoConnection) throws(MongoError) -> Value
    ) async throws -> Value {
        let workers = try MongoWorkers(
            pool: MongoPool(uri: server.uri(database), size: 1), count: 1, retryTimeout: .zero)
        defer { workers.close() }
        return try await workers.run(body)
    }

    func remove() async {
        _ = try? await raw { connection throws(MongoError) in try connection.write(["dropDatabase": 1]) }
    }
}
