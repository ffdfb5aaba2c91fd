import ChatDomain
import Dispatch
import Workers

/// Threads that make the driver's blocking calls, each with its own connection.
final class MongoWorkers: Sendable {
    typealias Job = @Sendable (MongoConnection) -> Void

    private static let maximumWaiting = 65_536
    private static let retryDelay = Duration.milliseconds(100)

    private let queue = WorkQueue<Job>(capacity: maximumWaiting)
    private let threads: [WorkerThread]

    init(pool: MongoPool, count: Int) throws(StoreError) {
        var threads: [WorkerThread] = []
        for _ in 0..<count {
            guard let connection = pool.connection() else { throw .unavailable(reason: "no memory for a connection") }
            threads.append(
                try WorkerThread.start(name: "mongo", orThrow: StoreError.unavailable) { [queue] in
                    while let job = queue.next() { job(connection) }
                })
        }
        self.threads = threads
    }

    /// Runs a job that blocks, and converts its errors to the store's. For commands that may be sent again.
    func run<Value: Sendable>(
        _ body: @escaping @Sendable (MongoConnection) throws(MongoError) -> Value
    ) async throws(StoreError) -> Value {
        try await queue.run(orThrow: .refused) { (connection: MongoConnection) throws(StoreError) in
            do throws(MongoError) {
                return try body(connection)
            } catch {
                throw error.asStoreError
            }
        }
    }

    /// Adds a job to the queue.
    ///
    /// - Returns: false when the queue is full or closed; the job is not run then.
    func post(_ job: @escaping Job) -> Bool { queue.post(job) }

    /// Runs a job after `delay`, or later if the queue is full then. Runs `refused` instead if the store is closed then.
    func post(after delay: Duration, _ job: @escaping Job, refused: @escaping @Sendable () -> Void) {
        DispatchQueue.global().asyncAfter(deadline: .now() + delay / .seconds(1)) { [self] in
            if queue.post(job) { return }
            if queue.isClosed { return refused() }
            post(after: max(delay, Self.retryDelay), job, refused: refused)
        }
    }

    func close() { queue.close() }

    func finished() async {
        for thread in threads { await thread.finished() }
    }
}
