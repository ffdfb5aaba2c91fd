import Testing

@testable import PersistenceSQLite

@Suite struct CheckpointPolicyTests {
    private let long = CheckpointPolicy.frames

    @Test func aShortLogIsLeftAlone() {
        var policy = CheckpointPolicy()
        #expect(policy.next(loggedFrames: long - 1, helperIsIdle: true) == .none)
    }

    @Test func aLongOneIsCopiedBesideAndThenFinished() {
        var policy = CheckpointPolicy()
        #expect(policy.next(loggedFrames: long, helperIsIdle: true) == .copyBeside)
        #expect(policy.next(loggedFrames: long + 5, helperIsIdle: false) == .none)
        #expect(policy.next(loggedFrames: long + 9, helperIsIdle: true) == .finish)
        #expect(policy.next(loggedFrames: 3, helperIsIdle: true) == .none)
        #expect(policy.next(loggedFrames: long, helperIsIdle: true) == .copyBeside)
    }

    @Test func aLogThatCouldNotStartOverMayGrowBeforeTheNextRound() {
        var policy = CheckpointPolicy()
        #expect(policy.next(loggedFrames: long, helperIsIdle: true) == .copyBeside)
        #expect(policy.next(loggedFrames: long + 9, helperIsIdle: true) == .finish)
        #expect(policy.next(loggedFrames: long + 10, helperIsIdle: true) == .none)
        #expect(policy.next(loggedFrames: 2 * long + 9, helperIsIdle: true) == .copyBeside)
    }
}
