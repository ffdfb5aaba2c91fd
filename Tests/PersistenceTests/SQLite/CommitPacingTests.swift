import ChatDomain
import Testing

@testable import PersistenceSQLite

@Suite struct CommitPacingTests {
    private let start = ContinuousClock.now
    private let many: [RoomID] = ["a", "b", "c", "d", "e", "f", "g", "h"]

    private func at(_ microseconds: Int) -> ContinuousClock.Instant { start + .microseconds(microseconds) }

    @Test func theFirstAfterASilenceGoesAtOnce() {
        var pacing = CommitPacing(maximumSpacing: .milliseconds(5))
        #expect(pacing.pause(before: ["a"], at: at(0)) == nil)
        pacing.started(with: ["a"], at: at(0))
        #expect(pacing.pause(before: ["b"], at: at(1000)) == nil)
    }

    @Test func anotherRoomWaitsForItsTurn() {
        var pacing = CommitPacing(maximumSpacing: .milliseconds(5))
        pacing.started(with: ["a", "b"], at: at(0))
        #expect(pacing.pause(before: ["c"], at: at(500)) == .microseconds(1500))
        #expect(pacing.pause(before: ["a", "c"], at: at(1999)) == .microseconds(1))
    }

    @Test func theMoreRoomsTalkTheMoreGoTogetherButNobodyWaitsLongerThanTheLimit() {
        var pacing = CommitPacing(maximumSpacing: .milliseconds(5))
        pacing.started(with: many, at: at(0))
        #expect(pacing.pause(before: ["i"], at: at(0)) == .milliseconds(5))
        #expect(pacing.pause(before: ["i"], at: at(5000)) == nil)
    }

    @Test func whatIsWorthAFlushByItselfDoesNotWait() {
        var pacing = CommitPacing(maximumSpacing: .milliseconds(5))
        pacing.started(with: ["x", "y", "z"], at: at(0))
        #expect(pacing.pause(before: many.dropLast(), at: at(0)) == .milliseconds(3))
        #expect(pacing.pause(before: many, at: at(0)) == nil)
    }

    @Test func messagesOfOneRoomCountOnce() {
        var pacing = CommitPacing(maximumSpacing: .milliseconds(5))
        pacing.started(with: ["a", "a", "a"], at: at(0))
        #expect(pacing.pause(before: ["b"], at: at(1000)) == nil)
    }

    @Test func whoWaitedForTheCommitBeforeDoesNotWaitAgain() {
        var pacing = CommitPacing(maximumSpacing: .milliseconds(5))
        pacing.started(with: ["a", "b"], at: at(0))
        #expect(pacing.pause(before: ["a"], at: at(200)) == nil)
        #expect(pacing.pause(before: ["b", "a"], at: at(200)) == nil)
        #expect(pacing.pause(before: [], at: at(200)) == nil)
    }

    @Test func withoutSpacingNobodyWaits() {
        var pacing = CommitPacing(maximumSpacing: .zero)
        pacing.started(with: ["a"], at: at(0))
        #expect(pacing.pause(before: ["b"], at: at(0)) == nil)
    }
}
