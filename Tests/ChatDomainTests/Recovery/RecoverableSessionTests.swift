import ChatDomain
import Testing

@Suite struct RecoverableSessionTests {
    private let a = RoomID(unchecked: "a")
    private let b = RoomID(unchecked: "b:c")

    private func session(
        newest: [RoomID: SequenceNumber], sent: [(RoomID, ClosedRange<SequenceNumber>)]
    ) -> RecoverableSession {
        RecoverableSession(
            id: SessionID("i-0-1"), user: RoomUser(userID: UserID(unchecked: "ada"), username: "Ada"),
            profile: Profile(), isVerified: false, isUsernameVerified: false, tokenExpiresAt: nil, newest: newest,
            sent: sent.map { .init(room: $0.0, numbers: $0.1) })
    }

    @Test func anOffsetIsReadBackAsItWasWritten() {
        for room in [a, b, RoomID(unchecked: "\"\\ ü 🙂"), RoomID(unchecked: "\u{301}a")] {
            let offset = MessageOffset(room: room, number: 7)
            #expect(MessageOffset(offset.text) == offset)
        }
    }

    @Test(arguments: [
        "", ":", "7", "7:", ":a", "0:a", "-1:a", "1.5:a", "9223372036854775808:a", "9007199254740992:a", " 1:a",
    ])
    func aMalformedOffsetIsNone(_ text: String) {
        #expect(MessageOffset(text) == nil)
    }

    @Test func whatCameBehindTheOffsetWasMissed() {
        let left = session(
            newest: [a: 12, b: 5], sent: [(a, 10...10), (b, 4...4), (a, 11...11), (b, 5...5), (a, 12...12)])
        #expect(left.seen(upTo: .init(room: a, number: 12)) == [a: 12, b: 5])
        #expect(left.seen(upTo: .init(room: b, number: 5)) == [a: 11, b: 5])
        #expect(left.seen(upTo: .init(room: a, number: 11)) == [a: 11, b: 4])
        #expect(left.seen(upTo: .init(room: b, number: 4)) == [a: 10, b: 4])
        #expect(left.seen(upTo: .init(room: a, number: 10)) == [a: 10, b: 3])
    }

    @Test func messagesSentTogetherMayHaveBeenSeenInPart() {
        let left = session(newest: [a: 20, b: 1], sent: [(a, 10...15), (b, 1...1), (a, 16...20)])
        #expect(left.seen(upTo: .init(room: a, number: 12)) == [a: 12, b: 0])
        #expect(left.seen(upTo: .init(room: a, number: 16)) == [a: 16, b: 1])
    }

    @Test func roomsThatWereQuietStandWhereTheyStood() {
        let left = session(newest: [a: 3, b: 40], sent: [(a, 2...2), (a, 3...3)])
        #expect(left.seen(upTo: .init(room: a, number: 2)) == [a: 2, b: 40])
    }

    @Test func anUnsentNumberCannotBeAnOffset() {
        let left = session(newest: [a: 3], sent: [(a, 3...3)])
        #expect(left.seen(upTo: .init(room: a, number: 2)) == nil)
        #expect(left.seen(upTo: .init(room: a, number: 4)) == nil)
        #expect(left.seen(upTo: .init(room: b, number: 3)) == nil)
        #expect(session(newest: [a: 3], sent: []).seen(upTo: .init(room: a, number: 3)) == nil)
    }

    @Test func roomsThatWereLeftAreNotTakenUp() {
        let left = session(newest: [a: 3], sent: [(a, 2...2), (b, 1...1), (a, 3...3)])
        #expect(left.seen(upTo: .init(room: b, number: 1)) == nil)
        #expect(left.seen(upTo: .init(room: a, number: 2)) == [a: 2])
    }
}
