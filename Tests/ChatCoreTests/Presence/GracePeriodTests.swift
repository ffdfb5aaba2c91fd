import ChatDomain
import Testing

@testable import ChatCore

@Suite struct GracePeriodTests {
    private let session = SessionID("s")

    private func isOver(_ periods: GracePeriods, _ session: SessionID, _ ticket: UInt64) -> Bool {
        var over: [Int] = []
        periods.end([(SessionID("before"), 0), (session, ticket)]) { over = $0 }
        return over == [1]
    }

    @Test func oneThatRanOutIsOverOnce() {
        let periods = GracePeriods()
        let ticket = periods.begin(session)
        #expect(isOver(periods, session, ticket))
        #expect(!isOver(periods, session, ticket))
    }

    @Test func aSessionThatCameBackStays() {
        let periods = GracePeriods()
        let ticket = periods.begin(session)
        periods.end(session)
        #expect(!isOver(periods, session, ticket))
    }

    @Test func theNextOneHasItsFullLength() {
        let periods = GracePeriods()
        let first = periods.begin(session)
        let second = periods.begin(session)
        #expect(!isOver(periods, session, first))
        #expect(isOver(periods, session, second))
        #expect(!isOver(periods, SessionID("other"), second))
    }

    @Test func nothingIsRemovedWhereAllCameBack() {
        let periods = GracePeriods()
        let ticket = periods.begin(session)
        periods.end(session)
        periods.end([(session, ticket)]) { _ in Issue.record("none is over") }
    }

    @Test func roomsAreThoseOfAllSessionsThatBrokeOff() {
        var retainedRooms = RetainedRooms()
        let (ann, one, two) = (user("ann"), SessionID("1"), SessionID("2"))
        retainedRooms.add(.one(room("a")), by: one, of: ann)
        retainedRooms.add(.many([room("a"), room("b")]), by: two, of: ann)
        retainedRooms.add(.none, by: SessionID("3"), of: user("bob"))
        #expect(retainedRooms.rooms(of: ann) == [room("a"), room("b")])
        #expect(retainedRooms.rooms(of: user("bob")).isEmpty)
        let isLast = [two, one, one].map { retainedRooms.remove($0, of: ann) }
        #expect(isLast == [false, true, false])
        #expect(retainedRooms.rooms(of: ann).isEmpty)
    }
}
