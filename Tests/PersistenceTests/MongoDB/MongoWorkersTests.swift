import ChatDomain
import Dispatch
import Synchronization
import TestSupport
import Testing

@testable import PersistenceMongoDB

@Suite struct MongoWorkersTests {
    @Test func aJobThatNoCallerWaitsForIsNotDone() async throws {
        // No connection is made before the first command.
        let pool = try MongoPool(uri: "mongodb://127.0.0.1:1/chat", size: 1)
        let workers = try MongoWorkers(pool: pool, count: 1, retryTimeout: .milliseconds(50))
        let release = DispatchSemaphore(value: 0)
        #expect(workers.post { _ in release.wait() })
        let isDone = Atomic(false)
        let result = Task { try await workers.runOnce { _ in isDone.store(true, ordering: .releasing) } }
        DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(200)) { release.signal() }
        await #expect(throws: StoreError.self) { try await result.value }
        let wasDone = isDone.load(ordering: .acquiring)
        #expect(!wasDone)
        #expect(try await workers.runOnce { _ in 1 } == 1)
        workers.close()
        await workers.finished()
    }
}
