import ChatDomain
import Testing

@testable import MessagingOutbox

@Suite struct MessageEventTests {
    private func message(text: String = "hi \"there\"\n") -> Message {
        Message(
            id: MessageID(high: 0x1122_3344_5566_7788, low: 0x99AA_BBCC), sequence: 7, roomID: RoomID(unchecked: "den"),
            body: MessageBody(author: UserID(unchecked: "ann"), username: "Ann", text: text),
            timestamp: Timestamp(milliseconds: 1_767_323_045_678))
    }

    private func text(_ event: BrokerEvent) -> String { String(decoding: event.body, as: UTF8.self) }

    @Test func eachRecipientHasAnEvent() {
        let users = ["bob", "eve"].map { UserID(unchecked: $0) }
        let addressed = AddressedEntry(entry: .message(message()), recipients: users, online: [users[1]])
        let event = MessageEvent.make(addressed, index: 1, mode: .recipient, tag: 5)
        #expect(event.tag == 5 && event.type == "message.sent" && event.timestampSeconds == 1_767_323_045)
        #expect(event.messageID == "112233445566778899aabbcc:eve")
        #expect(
            text(event) == """
                {"eventType":"message.sent","timestamp":"2026-01-02T03:04:05.678Z","data":{\
                "messageId":"112233445566778899aabbcc","roomId":"den","senderId":"ann","receiverId":"eve",\
                "receiverOnline":true,"message":"hi \\"there\\"\\n","timestamp":1767323045678,"seq":7,\
                "messageType":"text","username":"Ann","mentioned":false}}
                """)
        #expect(
            text(MessageEvent.make(addressed, index: 0, mode: .recipient, tag: 6)).contains("\"receiverOnline\":false"))
    }

    @Test func aMessageSaysWhomItMentionsAndAnswers() {
        let users = ["bob", "eve"].map { UserID(unchecked: $0) }
        var message = message(text: "hi")
        message.body.mentions = [users[1]]
        message.body.replyTo = "000000000000000000000001"
        let addressed = AddressedEntry(entry: .message(message), recipients: users, online: [])
        let bob = text(MessageEvent.make(addressed, index: 0, mode: .recipient, tag: 1))
        let eve = text(MessageEvent.make(addressed, index: 1, mode: .recipient, tag: 1))
        let shared = #""mentions":["eve"],"mentioned":%,"replyTo":"000000000000000000000001"}}"#
        #expect(bob.hasSuffix(shared.replacing("%", with: "false")))
        #expect(eve.hasSuffix(shared.replacing("%", with: "true")))
        #expect(!text(MessageEvent.make(addressed, index: 0, mode: .message, tag: 1)).contains("mentioned"))
    }

    private func change(_ kind: MessageChange.Kind) -> MessageChange {
        let draft = ChangeDraft(
            id: MessageID(high: 1, low: 2), messageID: message().id,
            user: RoomUser(userID: UserID(unchecked: "ann"), username: "Ann"), request: .delete, authority: .anyMessage,
            timestamp: Timestamp(milliseconds: 1_767_323_045_678))
        return MessageChange(draft, kind, of: message(), sequence: 9)
    }

    @Test func changesHaveEventsOfTheirOwn() throws {
        let bob = UserID(unchecked: "bob")
        let emoji = try Emoji(validating: "👍")
        let kinds: [(MessageChange.Kind, String, String)] = [
            (
                .edited(MessageEdit(text: "new", mentions: [bob])), "message.edited",
                #","message":"new","mentions":["bob"],"mentioned":true}}"#
            ),
            (.deleted, "message.deleted", "}}"),
            (
                .reaction(ReactionChange(emoji: emoji, isRemoved: false, count: 3)), "message.reaction",
                #","emoji":"👍","removed":false,"count":3}}"#
            ),
        ]
        for (kind, type, rest) in kinds {
            let addressed = AddressedEntry(entry: .change(change(kind)), recipients: [bob], online: [])
            let event = MessageEvent.make(addressed, index: 0, mode: .recipient, tag: 1)
            #expect(event.queue == .changes && event.type == type)
            #expect(event.messageID == "\(MessageID(high: 1, low: 2)):bob")
            #expect(
                text(event) == #"{"eventType":"\#(type)","timestamp":"2026-01-02T03:04:05.678Z","data":{"# + data + rest
            )
        }
        let pinned = AddressedEntry(entry: .change(change(.pinned(true))), recipients: [bob], online: [])
        #expect(pinned.eventCount(.recipient) == 0 && pinned.eventCount(.message) == 0)
    }

    /// What all of them have.
    private let data =
        #""messageId":"112233445566778899aabbcc","roomId":"den","senderId":"ann","receiverId":"bob","#
        + #""receiverOnline":false,"timestamp":1767323045678,"seq":9,"username":"Ann""#

    @Test func allRecipientsShareAnEvent() {
        let users = ["bob", "eve"].map { UserID(unchecked: $0) }
        let addressed = AddressedEntry(entry: .message(message()), recipients: users, online: [users[0]])
        #expect(addressed.eventCount(.recipient) == 2 && addressed.eventCount(.message) == 1)
        let event = MessageEvent.make(addressed, index: 0, mode: .message, tag: 1)
        #expect(event.messageID == "112233445566778899aabbcc")
        #expect(text(event).contains(#""receiverIds":["bob","eve"],"receiversOnline":["bob"]"#))
        #expect(AddressedEntry(entry: .message(message()), recipients: [], online: []).eventCount(.message) == 0)
    }

    @Test func anIDTooLongForAMQPIsCutAndStaysDistinct() {
        let id = message().id
        let long = String(repeating: "界", count: 128)
        let ids = [long, String(long.dropLast()) + "a", "a" + long.dropFirst()].map {
            MessageEvent.messageID(id, UserID(unchecked: $0))
        }
        #expect(Set(ids).count == 3)
        for cut in ids { #expect(cut.utf8.count <= 255 && cut.hasPrefix("112233445566778899aabbcc:")) }
        #expect(ids[0] == MessageEvent.messageID(id, UserID(unchecked: long)), "the same on every repeat")
        let short = UserID(unchecked: String(repeating: "x", count: 230))
        #expect(MessageEvent.messageID(id, short).utf8.count == 255)
        #expect(MessageEvent.messageID(id, short) == "\(id):\(short)")
    }
}
