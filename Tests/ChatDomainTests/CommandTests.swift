import Testing

@testable import ChatDomain

/// The checks of commands before sessions execute them.
@Suite struct CommandTests {
    private static let join = ClientCommand.joinRoom("room", HistoryRequest())
    private static let message = ClientCommand.sendMessage("room", OutgoingMessage(text: "x"))
    private static let list = ClientCommand.presence(.listOnline(PresencePage()))

    @Test func messagesAloneAreUnderWayTogether() {
        #expect(Self.message.pipelinedRoom == "room" && Self.message.isMessage)
        for command in [Self.join, .leaveRoom("room"), .typing("room", isTyping: true), Self.list] {
            #expect(command.pipelinedRoom == nil && !command.isMessage)
        }
        #expect(ClientCommand.sendDirect(["ann"], OutgoingMessage(text: "x")).isMessage)
    }

    @Test func pagesAreAnsweredAtLength() {
        #expect(Self.join.isAnsweredAtLength && Self.list.isAnsweredAtLength)
        #expect(!Self.message.isAnsweredAtLength && !ClientCommand.presence(.countOnline).isAnsweredAtLength)
    }

    @Test func aSessionWithoutAUserMaySignInAndPing() {
        let allowed: [ClientCommand] = [
            .authenticate(Credentials(token: "t")), .ping([]), .presence(.comeOnline("ann")),
        ]
        for command in allowed { #expect(!command.needsIdentity) }
        for command in [Self.join, Self.message, Self.list, .userActivity] { #expect(command.needsIdentity) }
    }

    @Test(
        arguments: [
            (.countOnline, false, true), (.check("ann", .userStatus), false, true),
            (.listKnown(PresencePage()), true, true),
            (.setStatus(.away), false, false), (.watch(.everybody), false, false),
        ] as [(PresenceCommand, Bool, Bool)])
    func servicesMayAskQuestions(_ command: PresenceCommand, isListing: Bool, isQuestion: Bool) {
        #expect(command.isListing == isListing && command.isQuestion == isQuestion)
    }

    @Test func aMessageIsOfItsAuthor() {
        var message = OutgoingMessage(text: "hi", kind: "note", clientMessageID: "c", metadata: "{}", replyTo: "m")
        message.traceparent = "00-1-2-01"
        let body = message.body(from: .ann)
        #expect(body.author == "ann" && body.username == "Ann" && body.text == "hi" && body.kind == "note")
        #expect(body.clientMessageID == "c" && body.metadata == "{}" && body.replyTo == "m")
    }
}
