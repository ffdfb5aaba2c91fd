import ChatDomain
import Testing

@testable import Persistence

@Suite struct CommitPacingTests {
    private let start = ContinuousClock.now

    private func at(_ microseconds: Int) -> ContinuousClock.Instant { start + .microseconds(microseconds) }

    @Test func theFirstAfterASilenceGoesAtOnce() {
        var pacing = CommitPacing(spacing: .milliseconds(2))
        #expect(pacing.pause(before: ["a"], at: at(0)) == nil)
        pacing.started(with: ["a"], at: at(0))
        #expect(pacing.pause(before: ["b"], at: at(2000)) == nil)
    }

    @Test func anotherRoomWaitsForItsTurn() {
        var pacing = CommitPacing(spacing: .milliseconds(2))
        pacing.started(with: ["a"], at: at(0))
        #expect(pacing.pause(before: ["b"], at: at(500)) == .microseconds(1500))
        #expect(pacing.pause(before: ["a", "b"], at: at(1999)) == .microseconds(1))
    }

    @Test func whoWaitedForTheCommitBeforeDoesNotWaitAgain() {
        var pacing = CommitPacing(spacing: .milliseconds(2))
        pacing.started(with: ["a", "b"], at: at(0))
        #expect(pacing.pause(before: ["a"], at: at(200)) == nil)
        #expect(pacing.pause(before: ["b", "a"], at: at(200)) == nil)
        #expect(pacing.pause(before: [], at: at(200)) == nil)
    }

    @Test func withoutSpacingNobodyWaits() {
        var pacing = CommitPacing(spacing: .zero)
        pacing.started(with: ["a"], at: at(0))
        #expect(pacing.pause(before: ["b"], at: at(0)) == nil)
    }
}
