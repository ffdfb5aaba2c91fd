import ChatDomain
import Testing

@testable import PersistenceMongoDB

@Suite struct MongoWorkersTests {
    @Test(arguments: [(Duration.zero, false), (.seconds(60), true)])
    func aCallThatNoCallerWaitsForIsNotMade(_ timeout: Duration, _ isMade: Bool) async throws {
        // No connection is made before the first command.
        let pool = try MongoPool(uri: "mongodb://127.0.0.1:1/chat", size: 1)
        let workers = try MongoWorkers(pool: pool, count: 1, retryTimeout: .zero, callTimeout: timeout)
        #expect((try? await workers.runOnce { _ in 1 }) == (isMade ? 1 : nil))
        workers.close()
        await workers.finished()
    }
}
