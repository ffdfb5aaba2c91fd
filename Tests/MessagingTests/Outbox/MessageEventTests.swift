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
        let addressed = AddressedMessage(message: message(), recipients: users, online: [users[1]])
        let event = MessageEvent.make(addressed, index: 1, mode: .recipient, tag: 5)
        #expect(event.tag == 5 && event.type == "message.sent" && event.timestampSeconds == 1_767_323_045)
        #expect(event.messageID == "112233445566778899aabbcc:eve")
        #expect(
            text(event) == """
                {"eventType":"message.sent","timestamp":"2026-01-02T03:04:05.678Z","data":{\
                "messageId":"112233445566778899aabbcc","roomId":"den","senderId":"ann","receiverId":"eve",\
                "receiverOnline":true,"message":"hi \\"there\\"\\n","timestamp":1767323045678,"seq":7,\
                "messageType":"text","username":"Ann"}}
                """)
        #expect(
            text(MessageEvent.make(addressed, index: 0, mode: .recipient, tag: 6)).contains("\"receiverOnline\":false"))
    }

    @Test func allRecipientsShareAnEvent() {
        let users = ["bob", "eve"].map { UserID(unchecked: $0) }
        let addressed = AddressedMessage(message: message(), recipients: users, online: [users[0]])
        #expect(addressed.eventCount(.recipient) == 2 && addressed.eventCount(.message) == 1)
        let event = MessageEvent.make(addressed, index: 0, mode: .message, tag: 1)
        #expect(event.messageID == "112233445566778899aabbcc")
        #expect(text(event).contains(#""receiverIds":["bob","eve"],"receiversOnline":["bob"]"#))
        #expect(AddressedMessage(message: message(), recipients: [], online: []).eventCount(.message) == 0)
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
