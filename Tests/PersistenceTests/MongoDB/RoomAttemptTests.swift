import ChatDomain
import Testing

@testable import PersistenceMongoDB

/// The state machine that stores one room's drafts, without a server.
@Suite struct RoomAttemptTests {
    private let drafts = Drafts()

    private func attempt(_ drafts: [MessageDraft], lastKnown: SequenceNumber = 7) -> RoomAttempt {
        RoomAttempt(RoomWrite(roomID: "a", lastKnown: lastKnown, messages: drafts))
    }

    private func message(_ draft: MessageDraft, _ sequence: SequenceNumber) -> RoomLogEntry {
        .message(Message(draft, in: "a", sequence: sequence))
    }

    @Test func numbersFollowTheNewestKnown() {
        var attempt = attempt(drafts.many(3))
        #expect(attempt.next == 8)
        #expect(attempt.didInsert(3, stoppedBy: nil) == .finished)
        #expect(attempt.outcomes == [.stored(8), .stored(9), .stored(10)])
    }

    @Test func theRestIsNumberedBehindAnotherWriter() {
        var attempt = attempt(drafts.many(3))
        #expect(attempt.didInsert(1, stoppedBy: .numberTaken) == .readNewest)
        #expect(attempt.receivedNewest(11) == .insert)
        #expect(attempt.remaining == [1, 2])
        #expect(attempt.didInsert(2, stoppedBy: nil) == .finished)
        #expect(attempt.outcomes == [.stored(8), .stored(12), .stored(13)])
    }

    @Test func theEleventhLossFails() {
        var attempt = attempt(drafts.many(2))
        for loss in 1...10 {
            #expect(attempt.didInsert(0, stoppedBy: .numberTaken) == .readNewest, "loss \(loss)")
            #expect(attempt.receivedNewest(7 + SequenceNumber(loss)) == .insert)
        }
        #expect(attempt.didInsert(0, stoppedBy: .numberTaken) == .finished)
        #expect(attempt.outcomes.allSatisfy { $0?.isUnavailable == true })
    }

    @Test func repeatsAreAnsweredAndTheRestStored() {
        let said = [drafts.next("x", client: "c1"), drafts.next("y", client: "c2"), drafts.next("z")]
        let first = drafts.next("x", client: "c1")
        var attempt = attempt(said)
        #expect(attempt.didInsert(0, stoppedBy: .clientIDTaken) == .findRepeats)
        #expect(
            attempt.receivedRepeats([message(first, 3), message(drafts.next("other", client: "c2"), 4)]) == .insert)
        #expect(attempt.didInsert(1, stoppedBy: nil) == .finished)
        #expect(
            attempt.outcomes == [
                .duplicate(id: first.id, sequence: 3, timestamp: first.timestamp), .conflict, .stored(8),
            ])
    }

    @Test func aRepeatThatTheMajorityLacksIsReadAgain() {
        let draft = drafts.next("x", client: "c1")
        var attempt = attempt([draft])
        #expect(attempt.didInsert(0, stoppedBy: .clientIDTaken) == .findRepeats)
        #expect(attempt.receivedRepeats([]) == .findRepeats)
        #expect(attempt.losses == 1)
        #expect(attempt.receivedRepeats([message(drafts.next("x", client: "c1"), 2)]) == .finished)
    }

    @Test func aRefusedDraftLeavesNoHole() {
        var attempt = attempt(drafts.many(3))
        #expect(attempt.didInsert(1, stoppedBy: .refused(reason: "too large")) == .insert)
        #expect(attempt.didInsert(1, stoppedBy: nil) == .finished)
        #expect(attempt.outcomes == [.stored(8), .failed(.rejected(reason: "too large")), .stored(9)])
    }

    @Test func aStepWithoutEffectIsTakenAgainWhileItMayBe() {
        var attempt = attempt(drafts.many(2))
        for step in [RoomAttempt.Step.insert, .readNewest, .findRepeats] {
            #expect(attempt.didFail(.noEffect(reason: "no server"), at: step, mayRepeat: true) == step)
        }
        #expect(!attempt.isFinished)
        #expect(attempt.didFail(.noEffect(reason: "no server"), at: .insert, mayRepeat: false) == nil)
        #expect(
            attempt.outcomes == [
                .failed(.unavailable(reason: "no server")), .failed(.unavailable(reason: "no server")),
            ])
    }

    @Test func anUnknownOutcomeStaysUnknownUntilItIsRead() {
        let said = drafts.many(3)
        var attempt = attempt(said)
        #expect(attempt.didFail(.unknown(reason: "timeout"), at: .insert, mayRepeat: true) == .findOwn)
        #expect(
            attempt.didFail(.noEffect(reason: "no server"), at: .findOwn, mayRepeat: false) == .findOwn,
            "the first attempt may still take effect")
        #expect(attempt.isUncertain)
        // The first of three was stored.
        #expect(attempt.receivedStored([message(said[0], 8)]) == .insert)
        #expect(attempt.next == 9)
        #expect(attempt.didInsert(2, stoppedBy: nil) == .finished)
        #expect(attempt.outcomes == [.stored(8), .stored(9), .stored(10)])
    }

    @Test func aDraftThatWasNotStoredIsInsertedAgainUnderTheSameNumber() {
        let said = drafts.many(1)
        var attempt = attempt(said)
        #expect(attempt.didFail(.unknown(reason: "timeout"), at: .insert, mayRepeat: true) == .findOwn)
        #expect(attempt.receivedStored([]) == .readNewest)
        #expect(attempt.receivedNewest(7) == .insert)
        #expect(attempt.next == 8)
        // The first attempt takes effect now, so the ids collide.
        #expect(attempt.didInsert(0, stoppedBy: .alreadyStored) == .findOwn)
        #expect(attempt.receivedStored([message(said[0], 8)]) == .finished)
        #expect(attempt.outcomes == [.stored(8)])
    }

    @Test func aStoredDraftIsReadAgainUntilTheMajorityHasIt() {
        let said = drafts.many(1)
        var attempt = attempt(said)
        #expect(attempt.didFail(.unknown(reason: "timeout"), at: .insert, mayRepeat: true) == .findOwn)
        #expect(attempt.receivedStored([]) == .readNewest)
        #expect(attempt.receivedNewest(7) == .insert)
        // The index has the message, but the majority does not. However long that lasts, the sender is not refused.
        for _ in 1...20 {
            #expect(attempt.didInsert(0, stoppedBy: .alreadyStored) == .findOwn)
            #expect(attempt.receivedStored([]) == .findOwnLater)
            #expect(
                attempt.didFail(.noEffect(reason: "no server"), at: .findOwn, mayRepeat: false) == .findOwn,
                "the message is stored nevertheless")
            #expect(attempt.receivedStored([]) == .readNewest)
            #expect(attempt.receivedNewest(7) == .insert)
        }
        #expect(attempt.didInsert(0, stoppedBy: .alreadyStored) == .findOwn)
        #expect(attempt.receivedStored([message(said[0], 8)]) == .finished)
        #expect(attempt.outcomes == [.stored(8)])
    }

    @Test func aDraftThatWasRolledBackIsInsertedAgain() {
        var attempt = attempt(drafts.many(1))
        #expect(attempt.didFail(.unknown(reason: "timeout"), at: .insert, mayRepeat: true) == .findOwn)
        #expect(attempt.receivedStored([]) == .readNewest)
        #expect(attempt.receivedNewest(7) == .insert)
        #expect(attempt.didInsert(0, stoppedBy: .alreadyStored) == .findOwn)
        #expect(attempt.receivedStored([]) == .findOwnLater)
        #expect(attempt.receivedStored([]) == .readNewest)
        #expect(attempt.receivedNewest(7) == .insert)
        #expect(attempt.didInsert(1, stoppedBy: nil) == .finished)
        #expect(attempt.outcomes == [.stored(8)])
    }

    @Test func numbersContinueFromWhatARestartedServerHas() {
        var attempt = attempt(drafts.many(2))
        #expect(attempt.didFail(.unknown(reason: "killed"), at: .insert, mayRepeat: true) == .findOwn)
        #expect(attempt.receivedStored([]) == .readNewest)
        #expect(attempt.receivedNewest(3) == .insert)
        #expect(attempt.didInsert(2, stoppedBy: nil) == .finished)
        #expect(attempt.outcomes == [.stored(4), .stored(5)])
    }

    @Test func afterARefusalTheOutcomeIsKnown() {
        var attempt = attempt(drafts.many(1))
        #expect(attempt.didFail(.unknown(reason: "timeout"), at: .insert, mayRepeat: true) == .findOwn)
        #expect(attempt.receivedStored([]) == .readNewest)
        #expect(attempt.receivedNewest(7) == .insert)
        #expect(attempt.didInsert(0, stoppedBy: .numberTaken) == .readNewest)
        #expect(!attempt.isUncertain, "another message has the number, so the first attempt can no longer take effect")
        #expect(attempt.didFail(.noEffect(reason: "gone"), at: .readNewest, mayRepeat: false) == nil)
        #expect(attempt.isFinished)
    }

    @Test func anOwnDraftFoundByItsClientIDIsStored() {
        let draft = drafts.next("x", client: "c1")
        var attempt = attempt([draft])
        #expect(attempt.didInsert(0, stoppedBy: .clientIDTaken) == .findRepeats)
        #expect(attempt.receivedRepeats([message(draft, 5)]) == .finished)
        #expect(attempt.outcomes == [.stored(5)])
    }

    // MARK: Changes

    private func edit(_ message: MessageDraft, _ text: String, client: String? = nil) -> RoomDraft {
        let draft = drafts.next("")
        return .change(
            ChangeDraft(
                id: draft.id, messageID: message.id, user: RoomUser(userID: "ann", username: "Ann"),
                request: .edit(MessageEdit(text: text)), authority: .anyMessage, clientMessageID: client,
                timestamp: draft.timestamp))
    }

    private func facts(_ messages: [Message], _ repeats: [RoomLogEntry] = []) -> RoomFacts {
        RoomFacts(messages: Dictionary(uniqueKeysWithValues: messages.map { ($0.id, $0) }), repeats: repeats)
    }

    @Test func aChangeIsEvaluatedAgainBehindAnotherWriter() {
        let said = drafts.next("one"), message = Message(said, in: "a", sequence: 1)
        var attempt = RoomAttempt(
            RoomWrite(roomID: "a", lastKnown: 1, drafts: [edit(said, "two"), .message(drafts.next("x"))]))
        #expect(attempt.needsFacts && attempt.entries.isEmpty)
        #expect(attempt.receivedFacts(facts([message])) == .insert)
        #expect(attempt.entries.map(\.sequence) == [2, 3])
        #expect(attempt.didInsert(0, stoppedBy: .numberTaken) == .readNewest)
        #expect(attempt.receivedNewest(2) == .readFacts, "what has number 2 may have deleted the message")
        var deleted = message
        var state = MessageState()
        (state.isDeleted, state.changeSequence) = (true, 2)
        deleted.state = state
        #expect(attempt.receivedFacts(facts([deleted])) == .insert)
        #expect(attempt.entries.map(\.sequence) == [3], "a refused change takes no number")
        #expect(attempt.outcomes == [nil, nil], "nothing is decided before the insert")
        #expect(attempt.didInsert(1, stoppedBy: nil) == .finished)
        #expect(attempt.outcomes == [.refused(.init(.conflict, "the message is deleted")), .stored(3)])
    }

    @Test func whatIsStoredIsBroughtUpToDateBeforeTheEnd() {
        let said = drafts.next("one"), message = Message(said, in: "a", sequence: 1)
        var attempt = RoomAttempt(
            RoomWrite(roomID: "a", lastKnown: 1, drafts: [edit(said, "two"), edit(said, "three")]))
        #expect(attempt.receivedFacts(facts([message])) == .insert)
        #expect(attempt.didInsert(1, stoppedBy: .refused(reason: "too large")) == .bringUpToDate)
        #expect(attempt.outdated == [said.id] && !attempt.isFinished)
        // The message is not up to date yet, however late it is for the sender.
        let none = MongoError.noEffect(reason: "no server")
        #expect(attempt.didFail(none, at: .bringUpToDate, mayRepeat: false) == .bringUpToDate)
        #expect(attempt.didFail(.unknown(reason: "timeout"), at: .bringUpToDate, mayRepeat: false) == .bringUpToDate)
        #expect(attempt.didBringUpToDate() == .finished)
        #expect(attempt.isFinished)
    }

    @Test func aChangeOfUnknownOutcomeIsLookedFor() throws {
        let said = drafts.next("one"), message = Message(said, in: "a", sequence: 1)
        let draft = edit(said, "two")
        var attempt = RoomAttempt(RoomWrite(roomID: "a", lastKnown: 1, drafts: [draft]))
        #expect(attempt.receivedFacts(facts([message])) == .insert)
        let entry = try #require(attempt.entries.first)
        #expect(attempt.didFail(.unknown(reason: "timeout"), at: .insert, mayRepeat: true) == .findOwn)
        #expect(attempt.receivedStored([]) == .readNewest)
        #expect(attempt.receivedNewest(1) == .readFacts)
        // It takes effect now.
        #expect(attempt.receivedFacts(facts([message], [entry])) == .bringUpToDate)
        #expect(attempt.outcomes == [.changed(try #require(entry.change))])
        #expect(attempt.didBringUpToDate() == .finished)
    }

    @Test func aRepeatInTheSameWriteWaitsForTheFirst() throws {
        let said = drafts.next("one"), message = Message(said, in: "a", sequence: 1)
        let first = edit(said, "two", client: "c"), second = edit(said, "two", client: "c")
        var attempt = RoomAttempt(RoomWrite(roomID: "a", lastKnown: 1, drafts: [first, second]))
        #expect(attempt.receivedFacts(facts([message])) == .insert)
        let entry = try #require(attempt.entries.first)
        #expect(attempt.entries.count == 1)
        #expect(attempt.didInsert(1, stoppedBy: nil) == .readFacts)
        #expect(attempt.receivedFacts(facts([message], [entry])) == .bringUpToDate)
        #expect(attempt.outcomes.last == .repeated(try #require(entry.change)))
    }
}
