import ChatDomain
import ChatTestSupport
import TestSupport
import Testing

@testable import ChatCore

/// Telling all instances of a change, and waiting until it holds everywhere.
@Suite struct ChangeNoticesTests {
    private let clock = ManualClock()
    private let exchange = DirectoryExchange()
    private let store: FaultyStore
    private let notices: ChangeNotices
    private let one = InstanceID("one")
    private let done = CallbackLog<Bool>()

    init() throws {
        store = try FaultyStore()
        notices = ChangeNotices(
            instance: one, directory: DirectoryDouble(one, on: exchange), store: store, clock: clock)
    }

    /// Has an instance be there; it acknowledges nothing by itself.
    private func join(_ name: String) -> DirectoryDouble {
        let directory = DirectoryDouble(InstanceID(name), on: exchange)
        directory.start { _ in }
        return directory
    }

    /// Begins an announcement, and returns once it waits for answers or for the directory.
    private func announce() async {
        Task { [notices, done] in
            await notices.announce(.room(room("lobby"), .deleted))
            done.add(true)
        }
        #expect(await eventually { clock.pendingTimers == 1 })
    }

    /// Lets time pass until the announcement waits again.
    private func advanceToNextWait(by span: Duration) async {
        clock.advance(by: span)
        #expect(await eventually { clock.pendingTimers == 1 && done.entries.isEmpty })
    }

    /// The ticket of the last notice that was sent.
    private var ticket: UInt64? {
        for sent in exchange.sent.reversed() {
            if case .roomChanged(_, _, let notice) = sent.message { return notice.ticket }
        }
        return nil
    }

    @Test func aSingleInstanceDoesNotWait() async {
        await notices.announce(.room(room("lobby"), .deleted))
        #expect(exchange.sent.isEmpty)
    }

    @Test func itReturnsOnceAllHaveAnswered() async throws {
        _ = (join("two"), join("three"))
        await announce()
        let ticket = try #require(self.ticket)
        notices.applied(ticket, by: InstanceID("two"))
        notices.applied(ticket, by: InstanceID("two"))
        notices.applied(ticket + 1, by: InstanceID("three"))
        #expect(done.entries.isEmpty)
        notices.applied(ticket, by: InstanceID("three"))
        #expect(await eventually { done.entries == [true] })
    }

    @Test func aLostNoticeIsRepeatedToThoseThatHaveNotAnswered() async throws {
        _ = (join("two"), join("three"))
        exchange.lose(true)
        await announce()
        let ticket = try #require(self.ticket)
        notices.applied(ticket, by: InstanceID("three"))
        await advanceToNextWait(by: .milliseconds(500))
        // The repeat has the instance look in the store, because later changes may have overtaken it.
        let repeats = exchange.sent.filter { $0.to != nil }
        #expect(repeats.map(\.to) == [InstanceID("two")])
        guard case .roomChanged(room("lobby"), .unspecified, let notice)? = repeats.first?.message else {
            Issue.record("not a change of the room")
            return
        }
        #expect(notice.ticket == ticket)
        notices.applied(ticket, by: InstanceID("two"))
        #expect(await eventually { done.entries == [true] })
    }

    @Test func aDeadInstanceIsNotWaitedFor() async {
        let two = join("two")
        await announce()
        await two.close()
        notices.lost(InstanceID("two"))
        // It is noticed at the next check.
        clock.advance(by: .milliseconds(499))
        #expect(clock.pendingTimers == 1 && done.entries.isEmpty)
        clock.advance(by: .milliseconds(1))
        #expect(await eventually { done.entries == [true] })
    }

    /// Redis was emptied: live instances have no leases until they renew them.
    @Test func anInstanceWhoseLeaseWasSeenAMomentAgoIsWaitedFor() async throws {
        let two = join("two")
        notices.sawLeases(of: [InstanceID("two")])
        await two.close()
        await announce()
        for _ in 0..<7 { await advanceToNextWait(by: .milliseconds(500)) }
        clock.advance(by: .milliseconds(500))
        #expect(await eventually { done.entries == [true] })
    }

    @Test func aSilentInstanceIsWaitedForUntilItsContactIsOver() async throws {
        _ = join("two")
        await announce()
        var left = Contact.validity + .milliseconds(500)
        while left > .milliseconds(500) {
            await advanceToNextWait(by: .milliseconds(500))
            left -= .milliseconds(500)
        }
        clock.advance(by: left - .milliseconds(1))
        #expect(clock.pendingTimers == 1 && done.entries.isEmpty)
        clock.advance(by: .milliseconds(1))
        // Its clients must not wait for it, so it is given the time to find the change in the store.
        #expect(await eventually { clock.pendingTimers == 2 })
        #expect(try await store.real.unannouncedChanges() == 1)
        #expect(done.entries.isEmpty)
        clock.advance(by: ChangeWatch.interval * 2)
        #expect(await eventually { done.entries == [true] })
    }

    @Test func aDirectoryThatCannotBeReachedIsAskedAgain() async {
        let two = join("two")
        exchange.setReachable(false)
        await announce()
        await advanceToNextWait(by: .milliseconds(50))
        #expect(exchange.sent.isEmpty)
        await two.close()
        exchange.setReachable(true)
        clock.advance(by: .milliseconds(50))
        #expect(await eventually { done.entries == [true] })
    }

    /// Cuts this instance off for so long that its contact is over.
    private func cutOff() {
        exchange.setReachable(false)
        exchange.setContact(Contact(since: moment(0), until: moment(-10_000)))
    }

    @Test func anInstanceThatIsCutOffNotesItsChangesInTheStore() async throws {
        _ = join("two")
        cutOff()
        // The end of the wait for the others, and the repetition.
        Task { [notices, done] in
            await notices.announce(.room(room("lobby"), .deleted))
            done.add(true)
        }
        #expect(await eventually { clock.pendingTimers == 2 })
        #expect(try await store.real.unannouncedChanges() == 1)
        #expect(exchange.sent.isEmpty && done.entries.isEmpty)
        clock.advance(by: ChangeWatch.interval * 2)
        #expect(await eventually { done.entries == [true] })
        // It is noted once, however often it is repeated.
        for _ in 0..<3 {
            #expect(await eventually { clock.pendingTimers == 1 })
            clock.advance(by: .seconds(1))
        }
        #expect(try await store.real.unannouncedChanges() == 1)
    }

    @Test func aChangeThatTheStoreDidNotTakeIsNotedLater() async throws {
        _ = join("two")
        cutOff()
        store.setNotes(.fails)
        await notices.announce(.room(room("lobby"), .deleted))
        #expect(await eventually { clock.pendingTimers == 1 })
        store.setNotes(.works)
        clock.advance(by: .seconds(1))
        #expect(await eventually { clock.pendingTimers == 1 })
        #expect(try await store.real.unannouncedChanges() == 1)
    }

    @Test func instancesThatMissedAChangeLookItUpOnceThereIsContactAgain() async throws {
        _ = join("two")
        cutOff()
        store.setNotes(.fails)
        await notices.announce(.room(room("lobby"), .deleted))
        // It stays away longer than one attempt.
        for _ in 0..<3 {
            #expect(await eventually { clock.pendingTimers == 1 })
            clock.advance(by: .seconds(1))
        }
        #expect(await eventually { clock.pendingTimers == 1 } && exchange.sent.isEmpty)
        exchange.setReachable(true)
        clock.advance(by: .seconds(1))
        #expect(await eventually { requests == 1 && clock.pendingTimers == 1 })
        try notices.applied(#require(ticket), by: InstanceID("two"))
        // Once is enough: the timer of the repetition ends it.
        #expect(await eventually { clock.pendingTimers == 2 })
        clock.advance(by: .seconds(1))
        #expect(await eventually { clock.pendingTimers == 0 } && requests == 1)
    }

    @Test func anInstanceThatDidNotAnswerIsAskedAgain() async throws {
        _ = join("two")
        exchange.lose(true)
        store.setNotes(.fails)
        await announce()
        for _ in 0..<100 where done.entries.isEmpty {
            clock.advance(by: .milliseconds(500))
            #expect(await eventually { clock.pendingTimers == 1 || !done.entries.isEmpty })
        }
        #expect(done.entries == [true])
        let before = requests
        #expect(await eventually { clock.pendingTimers == 1 })
        clock.advance(by: .seconds(1))
        #expect(await eventually { requests > before })
    }

    /// How often "two" was asked to look for changes of the lobby in the store.
    private var requests: Int {
        exchange.sent.count {
            if case .roomChanged(room("lobby"), .unspecified, _) = $0.message { true } else { false }
        }
    }
}
