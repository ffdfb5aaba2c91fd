import ChatDomain
import Synchronization
import TestSupport
import Testing

@testable import ChatCore

/// Telling all instances of a change, and waiting until it holds everywhere.
@Suite struct ChangeNoticesTests {
    private final class Clock: Sendable {
        private let time = Mutex(moment(0))
        var now: Moment { time.withLock { $0 } }
        func advance(by span: Duration) { time.withLock { $0 = $0 + span } }
    }

    private let clock = Clock()
    private let exchange = DirectoryExchange()
    private let notices: ChangeNotices
    private let one = InstanceID("one")
    private let done = CallbackLog<Bool>()

    init() {
        let clock = clock
        notices = ChangeNotices(instance: one, directory: DirectoryDouble(one, on: exchange)) { clock.now }
    }

    /// Has an instance be there; it acknowledges nothing by itself.
    private func join(_ name: String) -> DirectoryDouble {
        let directory = DirectoryDouble(InstanceID(name), on: exchange)
        directory.start { _ in }
        return directory
    }

    private func tell() {
        Task { [notices, done] in
            await notices.announce(room("lobby"), .deleted)
            done.add(true)
        }
    }

    /// The ticket of the last notice that was sent.
    private var ticket: UInt64? {
        for sent in exchange.sent.reversed() {
            if case .roomChanged(_, _, let notice) = sent.message { return notice.ticket }
        }
        return nil
    }

    @Test func aSingleInstanceDoesNotWait() async {
        await notices.announce(room("lobby"), .deleted)
        #expect(exchange.sent.isEmpty)
    }

    @Test func itReturnsOnceAllHaveAnswered() async throws {
        _ = (join("two"), join("three"))
        tell()
        #expect(await eventually { self.ticket != nil })
        let ticket = try #require(self.ticket)
        notices.applied(ticket, by: InstanceID("two"))
        notices.applied(ticket, by: InstanceID("two"))
        notices.applied(ticket + 1, by: InstanceID("three"))
        #expect(done.entries.isEmpty)
        notices.applied(ticket, by: InstanceID("three"))
        #expect(await eventually { done.entries == [true] })
    }

    @Test func aDeadInstanceIsNotWaitedFor() async {
        let two = join("two")
        tell()
        #expect(await eventually { self.ticket != nil })
        await two.close()
        #expect(await eventually { done.entries == [true] })
    }

    @Test func aSilentInstanceIsWaitedForUntilItsContactIsOver() async {
        _ = join("two")
        tell()
        #expect(await eventually { self.ticket != nil })
        #expect(done.entries.isEmpty)
        clock.advance(by: Contact.validity + .milliseconds(500))
        #expect(await eventually { done.entries == [true] })
    }

    @Test func instancesThatMissedAChangeLookItUpOnceThereIsContactAgain() async {
        _ = join("two")
        exchange.setReachable(false)
        exchange.setContact(Contact(since: moment(0), until: moment(-10_000)))
        await notices.announce(room("lobby"), .deleted)
        #expect(exchange.sent.isEmpty)
        exchange.setReachable(true)
        notices.catchUp()
        #expect(
            await eventually {
                exchange.sent.contains {
                    if case .roomChanged(room("lobby"), .unspecified, _) = $0.message { true } else { false }
                }
            })
        // Once is enough.
        let count = exchange.sent.count
        notices.catchUp()
        #expect(exchange.sent.count == count)
    }
}
