import ChatDomain
import Testing

@testable import PersistenceMongoDB

/// One room's way into the collection, step by step, without a server.
@Suite struct RoomAttemptTests {
    private let drafts = Drafts()

    private func attempt(_ drafts: [MessageDraft], lastKnown: SequenceNumber = 7) -> RoomAttempt {
        RoomAttempt(RoomWrite(roomID: "a", lastKnown: lastKnown, drafts: drafts))
    }

    private func message(_ draft: MessageDraft, _ sequence: SequenceNumber) -> Message {
        Message(draft, in: "a", sequence: sequence)
    }

    @Test func numbersFollowTheNewestKnown() {
        var attempt = attempt(drafts.many(3))
        #expect(attempt.next == 8)
        #expect(attempt.inserted(3, stoppedBy: nil) == .finished)
        #expect(attempt.outcomes == [.stored(8), .stored(9), .stored(10)])
    }

    @Test func theRestGoesOnBehindWhoWasFaster() {
        var attempt = attempt(drafts.many(3))
        #expect(attempt.inserted(1, stoppedBy: .numberTaken) == .readNewest)
        #expect(attempt.newest(is: 11) == .insert)
        #expect(attempt.remaining == [1, 2])
        #expect(attempt.inserted(2, stoppedBy: nil) == .finished)
        #expect(attempt.outcomes == [.stored(8), .stored(12), .stored(13)])
    }

    @Test func afterTenLossesItIsRefused() {
        var attempt = attempt(drafts.many(2))
        for loss in 1...10 {
            #expect(attempt.inserted(0, stoppedBy: .numberTaken) == .readNewest, "loss \(loss)")
            #expect(attempt.newest(is: 7 + SequenceNumber(loss)) == .insert)
        }
        #expect(attempt.inserted(0, stoppedBy: .numberTaken) == .finished)
        #expect(attempt.outcomes.allSatisfy { $0?.isUnavailable == true })
    }

    @Test func repeatsAreAnsweredAndTheRestStored() {
        let said = [drafts.next("x", client: "c1"), drafts.next("y", client: "c2"), drafts.next("z")]
        let first = drafts.next("x", client: "c1")
        var attempt = attempt(said)
        #expect(attempt.inserted(0, stoppedBy: .clientIDTaken) == .findRepeats)
        #expect(attempt.repeats([message(first, 3), message(drafts.next("other", client: "c2"), 4)]) == .insert)
        #expect(attempt.inserted(1, stoppedBy: nil) == .finished)
        #expect(
            attempt.outcomes == [
                .duplicate(id: first.id, sequence: 3, timestamp: first.timestamp), .conflict, .stored(8),
            ])
    }

    @Test func aRepeatTheMajorityDoesNotHaveYetIsLookedForAgain() {
        let draft = drafts.next("x", client: "c1")
        var attempt = attempt([draft])
        #expect(attempt.inserted(0, stoppedBy: .clientIDTaken) == .findRepeats)
        #expect(attempt.repeats([]) == .findRepeats)
        #expect(attempt.losses == 1)
        #expect(attempt.repeats([message(drafts.next("x", client: "c1"), 2)]) == .finished)
    }

    @Test func aRefusedDraftLeavesNoHole() {
        var attempt = attempt(drafts.many(3))
        #expect(attempt.inserted(1, stoppedBy: .refused(reason: "too large")) == .insert)
        #expect(attempt.inserted(1, stoppedBy: nil) == .finished)
        #expect(attempt.outcomes == [.stored(8), .failed(.rejected(reason: "too large")), .stored(9)])
    }

    @Test func whatWasNeverSentHasFailed() {
        var attempt = attempt(drafts.many(2))
        #expect(attempt.failed(.notSent(reason: "nobody there")) == .finished)
        #expect(
            attempt.outcomes == [
                .failed(.unavailable(reason: "nobody there")), .failed(.unavailable(reason: "nobody there")),
            ])
    }

    @Test func anUnknownOutcomeStaysUnknownUntilSettled() {
        let said = drafts.many(3)
        var attempt = attempt(said)
        #expect(attempt.failed(.unknown(reason: "timeout")) == nil)
        #expect(attempt.failed(.notSent(reason: "nobody there")) == nil, "the first attempt may still land")
        #expect(attempt.isUncertain)
        // The first of three had landed.
        #expect(attempt.foundStored([message(said[0], 8)]) == .insert)
        #expect(attempt.next == 9)
        #expect(attempt.inserted(2, stoppedBy: nil) == .finished)
        #expect(attempt.outcomes == [.stored(8), .stored(9), .stored(10)])
    }

    @Test func whatDidNotLandIsInsertedAgainUnderTheSameNumber() {
        let said = drafts.many(1)
        var attempt = attempt(said)
        #expect(attempt.failed(.unknown(reason: "timeout")) == nil)
        #expect(attempt.foundStored([]) == .readNewest)
        #expect(attempt.newest(is: 7) == .insert)
        #expect(attempt.next == 8)
        // It lands just then: the ids meet.
        #expect(attempt.inserted(0, stoppedBy: .alreadyStored) == .findOwn)
        #expect(attempt.foundStored([message(said[0], 8)]) == .finished)
        #expect(attempt.outcomes == [.stored(8)])
    }

    @Test func whatLandedIsAwaitedUntilTheMajorityHasIt() {
        let said = drafts.many(1)
        var attempt = attempt(said)
        #expect(attempt.failed(.unknown(reason: "timeout")) == nil)
        #expect(attempt.foundStored([]) == .readNewest)
        #expect(attempt.newest(is: 7) == .insert)
        // The index knows of it, and what may be read does not: however long that takes, the sender is not refused.
        for _ in 1...20 {
            #expect(attempt.inserted(0, stoppedBy: .alreadyStored) == .findOwn)
            #expect(attempt.foundStored([]) == .findOwnLater)
            #expect(attempt.failed(.notSent(reason: "nobody there")) == nil, "it is there all the same")
            #expect(attempt.foundStored([]) == .readNewest)
            #expect(attempt.newest(is: 7) == .insert)
        }
        #expect(attempt.inserted(0, stoppedBy: .alreadyStored) == .findOwn)
        #expect(attempt.foundStored([message(said[0], 8)]) == .finished)
        #expect(attempt.outcomes == [.stored(8)])
    }

    @Test func whatLandedAndWasRolledBackIsInsertedAgain() {
        var attempt = attempt(drafts.many(1))
        #expect(attempt.failed(.unknown(reason: "timeout")) == nil)
        #expect(attempt.foundStored([]) == .readNewest)
        #expect(attempt.newest(is: 7) == .insert)
        #expect(attempt.inserted(0, stoppedBy: .alreadyStored) == .findOwn)
        #expect(attempt.foundStored([]) == .findOwnLater)
        #expect(attempt.foundStored([]) == .readNewest)
        #expect(attempt.newest(is: 7) == .insert)
        #expect(attempt.inserted(1, stoppedBy: nil) == .finished)
        #expect(attempt.outcomes == [.stored(8)])
    }

    @Test func aServerThatCameBackWithoutWhatItHadIsNumberedOnFromWhatItHas() {
        var attempt = attempt(drafts.many(2))
        #expect(attempt.failed(.unknown(reason: "killed")) == nil)
        #expect(attempt.foundStored([]) == .readNewest)
        #expect(attempt.newest(is: 3) == .insert)
        #expect(attempt.inserted(2, stoppedBy: nil) == .finished)
        #expect(attempt.outcomes == [.stored(4), .stored(5)])
    }

    @Test func afterARefusalTheOutcomeIsKnown() {
        var attempt = attempt(drafts.many(1))
        #expect(attempt.failed(.unknown(reason: "timeout")) == nil)
        #expect(attempt.foundStored([]) == .readNewest)
        #expect(attempt.newest(is: 7) == .insert)
        #expect(attempt.inserted(0, stoppedBy: .numberTaken) == .readNewest)
        #expect(!attempt.isUncertain, "the number is another's, so the first attempt can no longer land")
        #expect(attempt.failed(.notSent(reason: "gone")) == .finished)
    }

    @Test func anAttemptOfOursFoundByItsClientIDIsStored() {
        let draft = drafts.next("x", client: "c1")
        var attempt = attempt([draft])
        #expect(attempt.inserted(0, stoppedBy: .clientIDTaken) == .findRepeats)
        #expect(attempt.repeats([message(draft, 5)]) == .finished)
        #expect(attempt.outcomes == [.stored(5)])
    }
}
