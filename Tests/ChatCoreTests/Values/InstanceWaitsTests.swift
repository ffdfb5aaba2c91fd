import ChatDomain
import TestSupport
import Testing

@testable import ChatCore

/// Waits for answers of instances.
@Suite struct InstanceWaitsTests {
    private let clock = ManualClock()
    private let one = InstanceID("one")
    private let two = InstanceID("two")
    private let done = CallbackLog<Bool>()

    private func wait(for ticket: UInt64, of waits: InstanceWaits<Int>) async {
        Task { [done] in
            await waits.wait(for: ticket, upTo: .seconds(1))
            done.add(true)
        }
        #expect(await eventually { clock.pendingTimers == 1 })
    }

    @Test func aWaitEndsWithTheLastAnswer() async throws {
        let waits = InstanceWaits<Int>(clock: clock)
        let ticket = try #require(waits.begin([one, two]))
        await wait(for: ticket, of: waits)
        waits.receivedAnswer(1, to: ticket, by: one)
        // The first answer of an instance counts.
        waits.receivedAnswer(9, to: ticket, by: one)
        #expect(waits.missing(ticket) == [two] && done.entries.isEmpty)
        waits.receivedAnswer(2, to: ticket, by: two)
        #expect(await eventually { !done.entries.isEmpty })
        #expect(waits.end(ticket) == [one: 1, two: 2])
        #expect(waits.missing(ticket).isEmpty && waits.end(ticket).isEmpty)
    }

    @Test func aWaitEndsAtItsLimit() async throws {
        let waits = InstanceWaits<Int>(clock: clock)
        let ticket = try #require(waits.begin([one]))
        await wait(for: ticket, of: waits)
        clock.advance(by: .seconds(1))
        #expect(await eventually { !done.entries.isEmpty })
        #expect(waits.missing(ticket) == [one] && waits.end(ticket).isEmpty)
    }

    @Test func deadInstancesAreNotWaitedFor() async throws {
        let waits = InstanceWaits<Int>(clock: clock)
        let ticket = try #require(waits.begin([one, two]))
        waits.keep([], for: ticket)
        await waits.wait(for: ticket, upTo: .seconds(1))
        #expect(clock.pendingTimers == 0 && waits.missing(ticket).isEmpty)
    }

    @Test func ticketsAreBounded() throws {
        let waits = InstanceWaits<Int>(clock: clock, limit: 1)
        let ticket = try #require(waits.begin([one]))
        #expect(waits.begin([one]) == nil)
        waits.end(ticket)
        #expect(waits.begin([one]) != nil)
    }
}
