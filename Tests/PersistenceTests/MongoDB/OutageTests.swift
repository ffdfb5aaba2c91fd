import ChatDomain
import Dispatch
import Synchronization
import TestSupport
import Testing

@testable import PersistenceMongoDB

@Suite struct OutageTests {
    @Test func commandsFailAtOnceUntilAPrimaryAnswers() throws {
        let outage = Outage()
        try outage.check()
        outage.begin()
        #expect(throws: MongoError.self) { try outage.check() }
        outage.end()
        try outage.check()
    }

    @Test func oneProbeAtATimeLooksForThePrimary() {
        let outage = Outage()
        #expect(!outage.takeProbe(), "there is no outage")
        outage.begin()
        #expect(outage.takeProbe())
        #expect(!outage.takeProbe(), "one is under way")
        outage.didProbeInVain()
        #expect(outage.takeProbe())
        outage.end()
        #expect(!outage.takeProbe())
    }

    @Test func callersWaitUntilTheOutageEnds() {
        let outage = Outage()
        let resumed = Mutex(0)
        outage.begin()
        outage.wait(atMost: .seconds(600), delay: .zero) { resumed.withLock { $0 += 1 } }
        outage.wait(atMost: .seconds(600), delay: .zero) { resumed.withLock { $0 += 1 } }
        #expect(resumed.withLock { $0 } == 0)
        outage.end()
        #expect(resumed.withLock { $0 } == 2)
    }

    @Test(arguments: [true, false]) func callersWaitNoLongerThanTheirTime(isOutage: Bool) async {
        let outage = Outage()
        if isOutage { outage.begin() }
        // Without an outage the delay counts, else the limit. The other one is too long for a test.
        await withCheckedContinuation { continuation in
            outage.wait(
                atMost: isOutage ? .milliseconds(1) : .seconds(600), delay: isOutage ? .seconds(600) : .milliseconds(1)
            ) { continuation.resume() }
        }
    }

    @Test func noCallerWaitsForAClosedStore() {
        let outage = Outage()
        let resumed = Mutex(0)
        outage.begin()
        outage.wait(atMost: .seconds(600), delay: .seconds(600)) { resumed.withLock { $0 += 1 } }
        outage.close()
        #expect(resumed.withLock { $0 } == 1)
        #expect(!outage.takeProbe())
    }

    @Test func aProbeDoesNotWaitForTheThreadsOfABusyStore() async throws {
        let server = try MongoServer()
        try await server.answers()
        let store = try await MongoStore.open(uri: server.uri("busy"), options: StoreOptions(), workers: 1)
        let (isBusy, isOver) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let call = Task {
            try await store.run { _ in
                isBusy.signal()
                isOver.wait()
            }
        }
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                isBusy.wait()
                continuation.resume()
            }
        }
        try await store.probe()
        isOver.signal()
        try await call.value
        await store.close()
    }

    @Test func whatFollowsFromMessagesIsWrittenBeforeAStoreClosesInAnOutage() async throws {
        let server = try MongoServer(isDurable: true)
        try await server.answers()
        let uri = server.uri("closing") + "?serverSelectionTimeoutMS=300"
        let store = try await MongoStore.open(uri: uri, options: StoreOptions(retryTimeout: .seconds(60)))
        let drafts = Drafts()
        let author = drafts.next("one").body.author
        _ = try await store.create(.group("a", owner: author), participants: [author])
        // The first message's are written at once, and those of the next after a while.
        for number in SequenceNumber(1)...3 {
            #expect(await store.append(drafts.many(1), to: "a") == [.stored(number)])
        }
        server.kill()
        async let closing: Void = store.close()
        try server.start()
        try await server.answers()
        await closing
        let again = try await MongoStore.open(uri: uri, options: StoreOptions())
        #expect(try await again.readMark(of: author, in: "a") == 3)
        await again.close()
    }

    @Test func writesRefusedWithoutAServerAreNotStored() async throws {
        let server = try MongoServer(isDurable: true)
        try await server.answers()
        let store = try await MongoStore.open(
            uri: server.uri("outage") + "?serverSelectionTimeoutMS=300",
            options: StoreOptions(retryTimeout: .milliseconds(50)))
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

    @Test func aShortOutageCostsNoCallARefusal() async throws {
        let server = try MongoServer(isDurable: true)
        try await server.answers()
        // The calls may take as long as a loaded machine needs to start the server.
        let store = try await MongoStore.open(
            uri: server.uri("outage") + "?serverSelectionTimeoutMS=300",
            options: StoreOptions(retryTimeout: .seconds(60)))
        let drafts = Drafts()
        _ = try await store.create(.group("a"), participants: [])
        #expect(await store.append([drafts.next("before")], to: "a") == [.stored(1)])
        server.kill()
        _ = await eventually {
            (try? await store.probe()) == nil
        } holds: {
            $0
        }
        // One draft shares an insert, two have one of their own, and a participant and a mark come before their draft.
        async let one = store.append([drafts.next("one")], to: "b")
        async let two = store.append(drafts.many(2), to: "c")
        let joining = RoomWrite(
            roomID: "a", lastKnown: 1, newParticipants: ["bob"], readMarks: [ReadMark(userID: "bob", sequence: 1)],
            messages: [drafts.next("joined")])
        async let joined = store.commit([joining])
        async let page = store.history(of: "a", HistoryQuery(.after(0), limit: 10))
        // The probe after these calls fails at once, so they have met the outage too.
        for _ in 0..<20 { #expect((try? await store.probe()) == nil) }
        try server.start()
        #expect(await one == [.stored(1)])
        #expect(await two == [.stored(1), .stored(2)])
        let outcome = await joined[0]
        #expect(outcome.drafts == [.stored(2)])
        #expect(outcome.readMarks == [.success(true)])
        #expect(outcome.participantsFailure == nil)
        #expect(try await page.messages.first?.sequence == 1)
        #expect(try await store.room("a")?.participants == ["bob"])
        await store.close()
        server.kill()
    }
}
