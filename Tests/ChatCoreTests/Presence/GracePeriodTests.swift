import ChatDomain
import Testing

@testable import ChatCore

@Suite struct GracePeriodTests {
    private let session = SessionID("s")

    @Test func oneThatRanOutIsOverOnce() {
        let periods = GracePeriods()
        let ticket = periods.begin(session)
        #expect(periods.isOver(session, ticket))
        #expect(!periods.isOver(session, ticket))
    }

    @Test func aSessionThatCameBackStays() {
        let periods = GracePeriods()
        let ticket = periods.begin(session)
        periods.end(session)
        #expect(!periods.isOver(session, ticket))
    }

    @Test func theNextOneHasItsFullLength() {
        let periods = GracePeriods()
        let first = periods.begin(session)
        let second = periods.begin(session)
        #expect(!periods.isOver(session, first))
        #expect(periods.isOver(session, second))
        #expect(!periods.isOver(SessionID("other"), second))
    }

    @Test func lingeringRoomsAreThoseOfAllSessionsThatBrokeOff() {
        var lingering = LingeringRooms()
        let (ann, one, two) = (user("ann"), SessionID("1"), SessionID("2"))
        lingering.add(.one(room("a")), by: one, of: ann)
        lingering.add(.many([room("a"), room("b")]), by: two, of: ann)
        lingering.add(.none, by: SessionID("3"), of: user("bob"))
        #expect(lingering.rooms(of: ann) == [room("a"), room("b")])
        #expect(lingering.rooms(of: user("bob")).isEmpty)
        lingering.remove(two, of: ann)
        #expect(lingering.rooms(of: ann) == [room("a")])
        lingering.remove(one, of: ann)
        lingering.remove(one, of: ann)
        #expect(lingering.rooms(of: ann).isEmpty)
    }
}
