import ChatDomain
import ChatTestSupport
import JSON
import Testing

@testable import ChatProtocol

/// Writes and outcomes between instances.
@Suite struct RoomWriteCodecTests {
    private let room = RoomID(unchecked: "r")
    private let ann = UserID(unchecked: "ann")

    @Test func aWriteComesBackWhole() throws {
        let body = MessageBody(
            author: ann, username: "Änn \"", text: "hi\n", kind: "image", clientMessageID: "c", metadata: #"{"a":[1]}"#,
            replyTo: "m")
        let first = MessageDraft(
            id: MessageID(high: 1, low: 2), body: body, timestamp: Timestamp(milliseconds: 1_700_000_000_000))
        let second = MessageDraft(
            id: MessageID(high: 1, low: 3), body: MessageBody(author: ann, username: "Ann", text: "x"),
            timestamp: Timestamp(milliseconds: 5))
        let write = RoomWrite(
            roomID: room, lastKnown: 41, newParticipants: [ann], readMarks: [ReadMark(userID: ann, sequence: 7)],
            messages: [first, second])
        let bytes = RoomWriteCodec.encode(.init(write: write, traces: [second.id: "00-aa-bb-01"]))
        let found = try withJSON(bytes.text) { RoomWriteCodec.forward($0, in: room) }
        let forward = try #require(found)
        #expect(forward.write.lastKnown == 41)
        #expect(forward.write.newParticipants == [ann])
        #expect(forward.write.readMarks == write.readMarks)
        #expect(forward.write.drafts == write.drafts)
        #expect(forward.traces == [second.id: "00-aa-bb-01"])
    }

    @Test func changesComeBackWhole() throws {
        let emoji = try Emoji(validating: "👍")
        let requests: [(ChangeRequest, ChangeAuthority)] = [
            (.edit(MessageEdit(text: "new \"", metadata: #"{"a":1}"#, mentions: [ann])), .ownMessages(since: nil)),
            (.edit(MessageEdit(text: "")), .ownMessages(since: Timestamp(milliseconds: 7))),
            (.delete, .anyMessage), (.react(emoji, isRemoved: true), .anyMessage), (.pin(false), .anyMessage),
        ]
        let changes = requests.enumerated().map { index, each in
            ChangeDraft(
                id: MessageID(high: 2, low: UInt32(index)), messageID: MessageID(high: 1, low: 2),
                user: RoomUser(userID: ann, username: "Änn"), request: each.0, authority: each.1,
                clientMessageID: index == 0 ? "c" : nil, timestamp: Timestamp(milliseconds: 5))
        }
        let message = MessageDraft(
            id: MessageID(high: 1, low: 3), body: MessageBody(author: ann, username: "Ann", text: "x", mentions: [ann]),
            timestamp: Timestamp(milliseconds: 5))
        let write = RoomWrite(
            roomID: room, lastKnown: 41, drafts: changes.map { .change($0) } + [.message(message)])
        let bytes = RoomWriteCodec.encode(.init(write: write, traces: [:]))
        let found = try withJSON(bytes.text) { RoomWriteCodec.forward($0, in: room) }
        #expect(try #require(found).write.drafts == write.drafts)
    }

    private func change(_ kind: MessageChange.Kind) -> MessageChange {
        MessageChange(
            id: MessageID(high: 2, low: 1), sequence: 9, roomID: room, messageID: MessageID(high: 1, low: 2),
            messageSequence: 3, user: RoomUser(userID: ann, username: "Ann"), kind: kind,
            timestamp: Timestamp(milliseconds: 5), clientMessageID: "c")
    }

    @Test func outcomesOfChangesComeBackWhole() throws {
        let emoji = try Emoji(validating: ":ok:")
        let reaction = ReactionChange(emoji: emoji, isRemoved: true, count: 20, successor: ann)
        let kinds: [MessageChange.Kind] = [
            .edited(MessageEdit(text: "new", metadata: #"{"a":1}"#, mentions: [ann])), .deleted, .reaction(reaction),
            .pinned(true),
        ]
        let outcomes: [RoomWriteOutcome.Draft] =
            kinds.map { .changed(change($0)) } + kinds.map { .repeated(change($0)) } + [
                .unchanged(count: nil), .unchanged(count: 4), .refused(.noSuchReply), .refused(.messageUnavailable),
            ]
        let outcome = RoomWriteOutcome(roomID: room, drafts: outcomes, readMarks: [])
        let found = try withJSON(RoomWriteCodec.encode(outcome).text) { RoomWriteCodec.outcome($0, in: room) }
        #expect(try #require(found).drafts == outcomes)
    }

    @Test func anOutcomeComesBackWhole() throws {
        var outcome = RoomWriteOutcome(
            roomID: room,
            drafts: [
                .stored(5),
                .duplicate(id: MessageID(high: 9, low: 9), sequence: 3, timestamp: Timestamp(milliseconds: 4)),
                .conflict,
                .failed(.contended), .failed(.rejected(reason: "no")),
            ],
            readMarks: [.success(true), .success(false), .failure(.unavailable(reason: "away"))],
            participantsFailure: .noSuchRoom)
        outcome.unrecordedParticipants = [ann]
        let found = try withJSON(RoomWriteCodec.encode(outcome).text) { RoomWriteCodec.outcome($0, in: room) }
        let read = try #require(found)
        #expect(read.drafts == outcome.drafts)
        #expect(read.readMarks == outcome.readMarks)
        #expect(read.participantsFailure == .noSuchRoom)
        #expect(read.unrecordedParticipants == [ann])
    }

    @Test(arguments: [
        "[]", "{}", #"{"lastSeq":-1,"participants":[],"readMarks":[],"messages":[],"traces":[]}"#,
        #"{"lastSeq":1e300,"participants":[],"readMarks":[],"messages":[],"traces":[]}"#,
        #"{"lastSeq":1,"participants":[7],"readMarks":[],"messages":[],"traces":[]}"#,
        #"{"lastSeq":1,"participants":[],"readMarks":[{"userId":"a","seq":-9223372036854775808}],"messages":[],"traces":[]}"#,
        #"{"lastSeq":1,"participants":[],"readMarks":[],"messages":[{}],"traces":[null]}"#,
        #"{"lastSeq":1,"participants":[],"readMarks":[],"messages":[{"change":"delete"}],"traces":[null]}"#,
        #"{"lastSeq":1,"participants":[],"readMarks":[],"messages":[{"change":"explode","changeId":"000000000000000000000001","messageId":"000000000000000000000002","userId":"a","username":"a","timestamp":1}],"traces":[null]}"#,
        #"{"lastSeq":1,"participants":[],"readMarks":[],"messages":[],"traces":[null]}"#,
    ])
    func aForeignWriteIsPassedOver(_ text: String) throws {
        let found = try withJSON(text) { RoomWriteCodec.forward($0, in: room) }
        #expect(found == nil)
    }

    @Test(arguments: [
        "{}", #"{"messages":[{"seq":0}],"readMarks":[],"unrecorded":[]}"#,
        #"{"messages":[{"seq":1,"duplicateOf":"x","timestamp":1}],"readMarks":[],"unrecorded":[]}"#,
        #"{"messages":[{"refused":"because"}],"readMarks":[],"unrecorded":[]}"#,
        #"{"messages":[{"unchanged":true,"count":1e99}],"readMarks":[],"unrecorded":[]}"#,
        #"{"messages":[{"changed":{"message_deleted":{"roomId":"other"}}}],"readMarks":[],"unrecorded":[]}"#,
        #"{"messages":[],"readMarks":[{}],"unrecorded":[]}"#, #"{"messages":[],"readMarks":[],"unrecorded":[1]}"#,
    ])
    func aForeignOutcomeIsPassedOver(_ text: String) throws {
        let found = try withJSON(text) { RoomWriteCodec.outcome($0, in: room) }
        #expect(found == nil)
    }
}
