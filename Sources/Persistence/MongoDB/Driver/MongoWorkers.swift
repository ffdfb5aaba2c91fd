import ChatDomain
import Dispatch
import Workers

/// Threads that make the driver's blocking calls, each with its own connection.
final class MongoWorkers: Sendable {
    typealias Job = @Sendable (MongoConnection) -> Void

    private static let maximumWaiting = 65_536
    private static let retryDelay = Duration.milliseconds(100)

    /// How long commands that had no effect are sent again.
    let retryTimeout: Duration
    private let callTimeout: Duration
    private let queue = WorkQueue<Job>(capacity: maximumWaiting)
    private let outage: Outage
    private let threads: [WorkerThread]

    /// - Parameter callTimeout: how long callers of ports wait for an answer.
    init(
        pool: MongoPool, count: Int, retryTimeout: Duration, callTimeout: Duration = RoomLimits().storeTimeout
    ) throws(StoreError) {
        self.retryTimeout = retryTimeout
        self.callTimeout = callTimeout
        outage = pool.outage
        var threads: [WorkerThread] = []
        for _ in 0..<count {
            guard let connection = pool.connection() else { throw .unavailable(reason: "no memory for a connection") }
            threads.append(
                try WorkerThread.start(name: "mongo", orThrow: StoreError.unavailable) { [queue, outage] in
                    while let job = queue.next() {
                        job(connection)
                        if outage.takeProbe() { Self.postProbe(to: queue) }
                    }
                })
        }
        self.threads = threads
    }

    // MARK: Calls of ports

    /// Runs a job that blocks, and converts its errors to the store's.
    func runOnce<Value: Sendable>(
        _ body: @escaping @Sendable (MongoConnection) throws(MongoError) -> Value
    ) async throws(StoreError) -> Value {
        try await result(of: body).mapError(\.asStoreError).get()
    }

    /// Like `runOnce`, but repeats a job whose command had no effect, until it has taken as long as senders wait.
    ///
    /// During an outage that has lasted longer than that it fails at once.
    func run<Value: Sendable>(
        _ body: @escaping @Sendable (MongoConnection) throws(MongoError) -> Value
    ) async throws(StoreError) -> Value {
        let start = ContinuousClock.now
        while true {
            let result = try await result(of: body)
            let remaining = min(start, outage.start ?? start) + retryTimeout - .now
            guard case .failure(.noEffect) = result, remaining > .zero else {
                return try result.mapError(\.asStoreError).get()
            }
            await waitForPrimary(until: .now + remaining)
        }
    }

    /// Returns when the outage ends, at `deadline` at the latest; without an outage after a moment.
    func waitForPrimary(until deadline: ContinuousClock.Instant) async {
        await withCheckedContinuation { continuation in
            outage.wait(atMost: deadline - .now, delay: Self.retryDelay) { continuation.resume() }
        }
    }

    /// A job that waited longer for a thread than its caller waits for an answer is not done: on a slow server such jobs would
    /// leave no thread to those whose callers still wait.
    private func result<Value: Sendable>(
        of body: @escaping @Sendable (MongoConnection) throws(MongoError) -> Value
    ) async throws(StoreError) -> Result<Value, MongoError> {
        let deadline = ContinuousClock.now + callTimeout
        return try await queue.run(orThrow: .refused) { (connection: MongoConnection) throws(StoreError) in
            Result { () throws(MongoError) in
                guard .now < deadline else { throw .noEffect(reason: "no thread was free in time") }
                return try body(connection)
            }
        }
    }

    // MARK: Jobs

    /// Adds a job to the queue.
    ///
    /// - Returns: false when the queue is full or closed; the job is not run then.
    func post(_ job: @escaping Job) -> Bool { queue.post(job) }

    /// Runs a job after `delay`, or later if the queue is full then. Runs `refused` instead if the store is closed then.
    func post(after delay: Duration, _ job: @escaping Job, refused: @escaping @Sendable () -> Void) {
        Self.post(to: queue, after: delay, job, refused: refused)
    }

    /// Calls `resume` on any thread when the outage ends, and after `limit` at the latest. Without an outage it is called after
    /// `delay`.
    func afterOutage(limit: Duration, delay: Duration, _ resume: @escaping @Sendable () -> Void) {
        outage.wait(atMost: limit, delay: delay, then: resume)
    }

    private static func postProbe(to queue: WorkQueue<Job>) {
        post(to: queue, after: retryDelay) {
            $0.probe()
        } refused: {
        }
    }

    private static func post(
        to queue: WorkQueue<Job>, after delay: Duration, _ job: @escaping Job, refused: @escaping @Sendable () -> Void
    ) {
        DispatchQueue.global().asyncAfter(deadline: .now() + delay / .seconds(1)) {
            if queue.post(job) { return }
            if queue.isClosed { return refused() }
            post(to: queue, after: max(delay, retryDelay), job, refused: refused)
        }
    }

    func close() {
        queue.close()
        outage.close()
    }

    func finished() async {
        for thread in threads { await thread.finished() }
    }
}
