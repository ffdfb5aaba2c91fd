import ChatDomain
import Foundation
import RedisTestSupport
import Synchronization
import TestSupport

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
    private let process: Mutex<ChildProcess?>

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
        do { port = Int(try FreePort.take()) } catch { throw TestFailure("\(error)") }
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
        // The shell waits for this process to end, in whatever way, and then kills the server.
        let script = """
            "$0" --host 127.0.0.1 --port "$1" --storage-path "$2" --log-level ERROR $4 & server=$!
            trap 'kill -9 $server; wait $server' TERM
            while kill -0 $server 2>/dev/null && kill -0 "$3" 2>/dev/null; do sleep 0.2; done
            kill -9 $server
            kill -0 "$3" 2>/dev/null || rm -rf "$2"
            """
        let arguments = ["-c", script, program, "\(port)", directory, "\(getpid())", options]
        do {
            let started = try ChildProcess("/bin/sh", arguments)
            process.withLock { $0 = started }
        } catch {
            throw TestFailure("\(error)")
        }
    }

    /// Ends the server as a crash would. Its stored data stays.
    func kill() {
        process.withLock { process in
            process?.send(SIGTERM)
            process?.waitForEnd()
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
        // On a busy machine the server takes longer for an answer than the store's own limit.
        try await MongoStore.open(uri: server.uri(database) + "?socketTimeoutMS=60000", options: options)
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

    /// Stores a message or a change as another instance would.
    func insert(_ document: BSONDocument) async throws {
        let obstacles = try await raw { connection throws(MongoError) in
            try connection.insert([document], isOrdered: true)
        }
        guard obstacles.isEmpty else { throw TestFailure("\(obstacles)") }
    }

    /// All that the database holds of rooms and messages, as text.
    func dump() async throws -> String {
        try await raw { connection throws(MongoError) in
            let found = try connection.find(MongoSchema.messages, [:]) + connection.find(MongoSchema.rooms, [:])
            return found.map(\.json).joined(separator: "\n")
        }
    }
}
