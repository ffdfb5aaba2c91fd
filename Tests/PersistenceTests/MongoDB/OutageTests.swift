import ChatDomain
import TestSupport
import Testing

@testable import PersistenceMongoDB

@Suite struct OutageTests {
    private let start = ContinuousClock.now

    @Test func commandsFailAtOnceForASecondAfterAFailure() throws {
        let outage = Outage()
        try outage.check(at: start)
        outage.recordFailure(at: start)
        #expect(throws: MongoError.self) { try outage.check(at: start) }
        #expect(throws: MongoError.self) { try outage.check(at: start + .milliseconds(999)) }
        try outage.check(at: start + .seconds(1))
    }

    @Test func writesRefusedWithoutAServerAreNotStored() async throws {
        let server = try MongoServer(isDurable: true)
        try await server.answers()
        let store = try await MongoStore.open(
            uri: server.uri("outage") + "?serverSelectionTimeoutMS=300", options: StoreOptions())
        let drafts = Drafts()
        #expect(await store.append([drafts.next("before")], to: "a") == [.stored(1)])
        server.kill()
        // The first command may be sent on a connection that is already dead. Its outcome is known once the server is back.
        let first = Task { await store.append([drafts.next("unknown")], to: "b") }
        _ = await eventually {
            (try? await store.probe()) == nil
        } holds: {
            $0
        }
        for _ in 0..<20 {
            let outcomes = await store.append([drafts.next("refused")], to: "c")
            #expect(outcomes.map(\.isUnavailable) == [true])
        }
        try server.start()
        try await server.answers()
        let stored = await eventually {
            await store.append([drafts.next("after")], to: "a", lastKnown: 1)
        } holds: {
            $0 == [.stored(2)]
        }
        #expect(stored == [.stored(2)])
        let outcome = await first.value
        let last = try await store.lastSequences(of: ["a", "b", "c"])
        #expect(last == (outcome == [.stored(1)] ? ["a": 2, "b": 1] : ["a": 2]))
        await store.close()
        server.kill()
    }
}
