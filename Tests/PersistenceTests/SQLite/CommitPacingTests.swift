import ChatDomain
import Testing

@testable import PersistenceSQLite

@Suite struct CommitPacingTests {
    private let start = ContinuousClock.now
    private let many: [RoomID] = ["a", "b", "c", "d", "e", "f", "g", "h"]

    private func at(_ microseconds: Int) -> ContinuousClock.Instant { start + .microseconds(microseconds) }

    private func pacing(startedWith rooms: [RoomID]) -> CommitPacing {
        var pacing = CommitPacing(spacing: .milliseconds(1))
        pacing.started(with: rooms, at: start)
        return pacing
    }

    @Test func theFirstAfterASilenceGoesAtOnce() {
        #expect(CommitPacing(spacing: .milliseconds(1)).pause(before: ["a"], at: start) == nil)
        #expect(pacing(startedWith: ["a"]).pause(before: ["b"], at: at(1000)) == nil)
    }

    @Test func anotherRoomWaitsForItsTurn() {
        let pacing = pacing(startedWith: ["a", "b"])
        #expect(pacing.pause(before: ["c"], at: at(400)) == .microseconds(600))
        #expect(pacing.pause(before: ["a", "c"], at: at(999)) == .microseconds(1))
    }

    @Test func aBatchOfManyRoomsDoesNotWait() {
        let pacing = pacing(startedWith: ["x", "y", "z"])
        #expect(pacing.pause(before: many.dropLast(), at: at(0)) == .milliseconds(1))
        #expect(pacing.pause(before: many, at: at(0)) == nil)
    }

    @Test func roomsOfTheCommitBeforeDoNotWaitAgain() {
        let pacing = pacing(startedWith: ["a", "b"])
        #expect(pacing.pause(before: ["a"], at: at(200)) == nil)
        #expect(pacing.pause(before: ["b", "a"], at: at(200)) == nil)
        #expect(pacing.pause(before: [], at: at(200)) == nil)
    }

    @Test func aCommitWithoutMessagesMakesNoneWait() {
        #expect(pacing(startedWith: []).pause(before: ["b"], at: at(0)) == nil)
    }

    @Test func withoutSpacingNoneWaits() {
        var pacing = CommitPacing(spacing: .zero)
        pacing.started(with: ["a"], at: at(0))
        #expect(pacing.pause(before: ["b"], at: at(0)) == nil)
    }
}
