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

    @Test func roomsAreThoseOfAllSessionsThatBrokeOff() {
        var retainedRooms = RetainedRooms()
        let (ann, one, two) = (user("ann"), SessionID("1"), SessionID("2"))
        retainedRooms.add(.one(room("a")), by: one, of: ann)
        retainedRooms.add(.many([room("a"), room("b")]), by: two, of: ann)
        retainedRooms.add(.none, by: SessionID("3"), of: user("bob"))
        #expect(retainedRooms.rooms(of: ann) == [room("a"), room("b")])
        #expect(retainedRooms.rooms(of: user("bob")).isEmpty)
        retainedRooms.remove(two, of: ann)
        #expect(retainedRooms.rooms(of: ann) == [room("a")])
        retainedRooms.remove(one, of: ann)
        retainedRooms.remove(one, of: ann)
        #expect(retainedRooms.rooms(of: ann).isEmpty)
    }
}
