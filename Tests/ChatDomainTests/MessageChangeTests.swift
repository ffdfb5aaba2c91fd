import Testing

@testable import ChatDomain

/// What changes do to messages, and which are refused.
@Suite struct MessageChangeTests {
    private let thumb = Emoji(unchecked: "👍")
    private var message = Message.number(1)

    private func change(_ number: SequenceNumber, _ kind: MessageChange.Kind, by user: RoomUser = .ann) -> MessageChange
    {
        MessageChange(
            id: MessageID(high: 1, low: UInt32(number)), sequence: number, roomID: "room", messageID: message.id,
            messageSequence: 1, user: user, kind: kind, timestamp: Timestamp(milliseconds: number))
    }

    private func reaction(_ count: Int, removed: Bool = false, next: UserID? = nil) -> MessageChange.Kind {
        .reaction(ReactionChange(emoji: thumb, isRemoved: removed, count: count, successor: next))
    }

    @Test mutating func aChangeIsAppliedOnceAndInOrder() {
        message.apply(change(3, .edited(MessageEdit(text: "three", metadata: "{}", mentions: ["bob"]))))
        message.apply(change(3, .edited(MessageEdit(text: "again"))))
        message.apply(change(2, .edited(MessageEdit(text: "two"))))
        #expect(message.body.text == "three" && message.body.metadata == "{}" && message.body.mentions == ["bob"])
        #expect(message.editedAt == Timestamp(milliseconds: 3) && message.changeSequence == 3)
        var other = Message.number(2)
        other.apply(change(4, .deleted))
        #expect(other.state == nil, "a change of another message")
    }

    @Test mutating func aDeletionLeavesTheStone() {
        message.body.metadata = "{}"
        message.body.clientMessageID = "c"
        message.apply(change(2, reaction(1)))
        message.apply(change(3, .pinned(true)))
        message.apply(change(4, .deleted))
        message.apply(change(5, .edited(MessageEdit(text: "late"))))
        #expect(message.isDeleted && message.body.text.isEmpty && message.body.metadata == nil)
        #expect(message.state?.reactions == [] && message.state?.isPinned == false && message.editedAt == nil)
        #expect(message.isRepeated(by: MessageDraft.sample(9).body), "what was said is not known any more")
    }

    @Test mutating func theFirstTwentyUsersAreListed() {
        for number in 1...25 {
            message.apply(change(SequenceNumber(number + 1), reaction(number), by: .number(number)))
        }
        #expect(message.state?.reactions[0].count == 25)
        #expect(message.state?.reactions[0].users == (1...20).map { RoomUser.number($0).userID })
        message.apply(change(30, reaction(24, removed: true, next: "u21"), by: .number(3)))
        message.apply(change(31, reaction(23, removed: true), by: .number(24)))
        #expect(message.state?.reactions[0].users == ([1, 2] + (4...21)).map { RoomUser.number($0).userID })
        message.apply(change(32, reaction(0, removed: true), by: .number(1)))
        #expect(message.state?.reactions == [])
    }

    @Test mutating func aReplyIsCountedOnce() {
        for reply in [2, 3, 3, 2] { message.noteReply(SequenceNumber(reply)) }
        #expect(message.state?.replyCount == 2 && message.state?.lastReply == 3 && message.changeSequence == 0)
    }

    // MARK: Evaluation

    private func evaluate(
        _ request: ChangeRequest, as authority: ChangeAuthority = .anyMessage, by user: RoomUser = .ann,
        facts: ChangeDraft.ReactionFacts = .init()
    ) -> ChangeDraft.Evaluation {
        ChangeDraft(
            id: MessageID(high: 2, low: 1), messageID: message.id, user: user, request: request, authority: authority,
            timestamp: Timestamp(milliseconds: 50)
        ).evaluate(on: message, facts: facts)
    }

    @Test mutating func authorsChangeTheirOwnMessagesForAWhile() {
        let edit = ChangeRequest.edit(MessageEdit(text: "x"))
        #expect(evaluate(edit, as: .ownMessages(since: nil)) == .change(.edited(MessageEdit(text: "x"))))
        #expect(evaluate(edit, as: .ownMessages(since: nil), by: .bob).refusal == .forbidden)
        #expect(evaluate(edit, as: .ownMessages(since: message.timestamp)).refusal == nil)
        let later = Timestamp(milliseconds: message.timestamp.milliseconds + 1)
        #expect(evaluate(.delete, as: .ownMessages(since: later)).refusal == .forbidden)
        #expect(evaluate(.delete, by: .bob) == .change(.deleted))
    }

    @Test mutating func metadataThatIsNotGivenStays() {
        message.body.metadata = #"{"a":1}"#
        let kept = MessageEdit(text: "x", metadata: #"{"a":1}"#)
        #expect(evaluate(.edit(MessageEdit(text: "x"))) == .change(.edited(kept)))
        let new = MessageEdit(text: "x", metadata: "{}")
        #expect(evaluate(.edit(new)) == .change(.edited(new)))
    }

    @Test mutating func whatIsSoAlreadyIsUnchanged() {
        #expect(evaluate(.react(thumb, isRemoved: true)) == .unchanged(count: 0))
        #expect(evaluate(.pin(false)) == .unchanged(count: nil))
        message.apply(change(2, reaction(1)))
        #expect(evaluate(.react(thumb, isRemoved: false), facts: .init(hasReacted: true)) == .unchanged(count: 1))
        message.apply(change(3, .deleted))
        #expect(evaluate(.delete) == .unchanged(count: nil))
        #expect(
            evaluate(.pin(true)).refusal == .conflict && evaluate(.react(thumb, isRemoved: false)).refusal == .conflict)
    }

    @Test func rulesSayWhichMessagesAUserMayChange() {
        var room = Room(id: "room", kind: .group, isPrivate: false, createdAt: Timestamp(milliseconds: 0))
        room.owner = "ann"
        let now = Timestamp(milliseconds: 10_000)
        let rules = MessageRules(editWindow: .seconds(4))
        let since = ChangeAuthority.ownMessages(since: Timestamp(milliseconds: 6000))
        func authority(_ request: ChangeRequest, _ user: UserID, isService: Bool = false) -> ChangeAuthority? {
            let actor = RoomActor(user: user, isService: isService)
            return try? rules.authority(for: request, actor, RoomAuthority(), in: room, at: now).get()
        }
        let edit = ChangeRequest.edit(MessageEdit(text: "x"))
        #expect(authority(edit, "ann") == since && authority(edit, "bob", isService: true) == since)
        #expect(authority(.delete, "ann") == .anyMessage && authority(.delete, "bob") == since)
        #expect(authority(.delete, "bob", isService: true) == .anyMessage)
        #expect(authority(.pin(true), "ann") == .anyMessage && authority(.pin(true), "bob") == nil)
        #expect(authority(.react(thumb, isRemoved: false), "bob") == .anyMessage)
    }

    // MARK: Texts

    @Test(arguments: ["👍", "é", "👩‍👩‍👧‍👦", ":party_parrot:", ":+1:", "a", "🇩🇪"])
    func emojisAreOneClusterOrAName(_ text: String) { #expect((try? Emoji(validating: text))?.value == text) }

    @Test(arguments: [
        "", " ", "ab", "👍👍", "::", ":", ":a b:", "\u{0}", "\n", "e" + String(repeating: "\u{301}", count: 64),
    ])
    func textsThatAreNoEmoji(_ text: String) { #expect((try? Emoji(validating: text)) == nil) }

    @Test func mentionsAreFoundInTexts() {
        #expect(Mentions.users(named: ["a", "b"], in: "<@c> <@a>, <@ >") == ["a", "b", "c", " "])
        #expect(Mentions.users(named: [], in: "<@> <@a <@b> @c> <@d\n> <<@e>>") == ["b", "e"])
        #expect(Mentions.users(named: [], in: String(repeating: "<@", count: 8000)).isEmpty)
        let many = (0..<100).map { "<@u\($0)>" }.joined()
        #expect(Mentions.users(named: [], in: many).count == Mentions.limit)
    }
}

extension ChangeDraft.Evaluation {
    fileprivate var refusal: ChatError.Code? { if case .refused(let error) = self { error.code } else { nil } }
}
