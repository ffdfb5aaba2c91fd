import ChatDomain
import Testing

@testable import ChatCore

/// What instances tell each other comes back as it was, and nothing else comes back.
@Suite struct InstanceMessageTests {
    private static let notice = ChangeNotice(teller: InstanceID("one"), ticket: 7)
    private static let room = RoomID(unchecked: "lobby")
    private static let user = UserID(unchecked: "ann")

    @Test(
        arguments: [
            .revised(RoomRevision(name: .some("Name")), at: Timestamp(milliseconds: 5)),
            .revised(RoomRevision(name: .some(nil), isPrivate: true), at: Timestamp(milliseconds: 6)),
            .admitted(user), .expelled(user), .deleted, .unspecified,
        ] as [RoomChange])
    func changesOfRooms(_ change: RoomChange) {
        let message = InstanceMessage.roomChanged(Self.room, change, Self.notice)
        #expect(InstanceMessage(decoding: message.encoded) == message)
    }

    @Test func acknowledgementsAndReadMarks() {
        let messages: [InstanceMessage] = [
            .changeApplied(7, by: InstanceID("two")),
            .read(ReadMark(userID: Self.user, sequence: 9), in: Self.room),
        ]
        for message in messages { #expect(InstanceMessage(decoding: message.encoded) == message) }
    }

    @Test(arguments: [
        "", "[]", #"{"kind":"roomChanged"}"#,
        #"{"kind":"roomChanged","roomId":"r","change":"burned","teller":"one","ticket":1}"#,
        #"{"kind":"roomChanged","roomId":"r","change":"expelled","teller":"one","ticket":1}"#,
        #"{"kind":"roomChanged","roomId":"r","change":"deleted","teller":"one","ticket":-1}"#,
        #"{"kind":"roomChanged","roomId":"r","change":"deleted","teller":"one","ticket":1e300}"#,
        #"{"kind":"roomChanged","roomId":"","change":"deleted","teller":"one","ticket":1}"#,
        #"{"kind":"changeApplied","ticket":1}"#, #"{"kind":"read","roomId":"r","userId":"ann","seq":-1}"#,
        #"{"kind":"read","roomId":"r","userId":"ann","seq":99999999999999999999}"#,
    ])
    func anythingElseIsDropped(_ text: String) {
        #expect(InstanceMessage(decoding: Array(text.utf8)) == nil)
    }
}
