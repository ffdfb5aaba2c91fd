import Testing
import WireProtocols

@Suite struct EngineIOHeartbeatTests {
    @Test func pollingClientsArePinged() {
        var peer = EngineIOPeer(over: .polling)
        for round in 1...3 {
            _ = peer.get()
            peer.wait(299)
            #expect(peer.polled.count == round - 1)
            peer.wait(1)
            #expect(peer.polled.count == round)
            #expect(peer.polled.last == "2")
            peer.wait(100)
            #expect(peer.post("3") == nil)
        }
    }

    @Test func aPollingClientThatIsSilentIsClosed() {
        var peer = EngineIOPeer(over: .polling)
        #expect(peer.wait(499) == [])
        #expect(peer.wait(1) == [.close(.pingTimeout)])
        #expect(peer.get() == .unknownSession)
    }

    @Test func aHeldPollIsAnsweredWithThePingTimeout() {
        var peer = EngineIOPeer(over: .polling)
        _ = peer.get()
        peer.wait(300)
        _ = peer.get()
        #expect(peer.wait(200) == [.close(.pingTimeout)])
        #expect(peer.polled == ["2"])
    }

    @Test func webSocketClientsArePinged() {
        var peer = EngineIOPeer(over: .webSocket)
        for round in 1...3 {
            #expect(peer.wait(300) == [.sendPing])
            #expect(peer.written == Array(repeating: "2", count: round))
            peer.wait(50)
            peer.webSocketSends("3")
        }
        #expect(peer.session.closeReason == nil)
    }

    @Test func aWebSocketClientThatIsSilentIsClosed() {
        var peer = EngineIOPeer(over: .webSocket)
        #expect(peer.wait(500) == [.sendPing, .close(.pingTimeout)])
        #expect(peer.session.closeReason == .pingTimeout)
    }

    @Test func onlyAPongAnswersAPing() {
        var peer = EngineIOPeer(over: .webSocket)
        peer.wait(300)
        peer.wait(150)
        peer.webSocketSends("4still here")
        #expect(peer.wait(50) == [.close(.pingTimeout)])
    }

    @Test func aLateTimerPingsOnce() {
        var peer = EngineIOPeer(over: .webSocket)
        peer.now += 5000
        #expect(peer.session.tick(now: peer.now) == .sendPing)
        #expect(peer.session.tick(now: peer.now) == .nothing)
        #expect(peer.session.nextDeadline == peer.now + 200)
    }
}

@Suite struct EngineIOWebSocketTests {
    @Test func messagesOfBothKindsAreDelivered() {
        var peer = EngineIOPeer(over: .webSocket)
        peer.webSocketSends("4hello")
        peer.webSocketSends(binary: [1, 2, 3, 4])
        peer.webSocketSends("bAQIDBA==")
        peer.webSocketSends("6")
        #expect(peer.delivered == [.text("hello"), .binary([1, 2, 3, 4]), .binary([1, 2, 3, 4])])
        #expect(peer.session.closeReason == nil)
    }

    @Test(arguments: [
        ("abc", EngineIOCloseReason.malformed(.unknownType(UInt8(ascii: "a")))), ("", .malformed(.empty)),
        ("b*", .malformed(.invalidBase64)), ("2", .unexpectedPacket(.ping)), ("5", .unexpectedPacket(.upgrade)),
        ("0", .unexpectedPacket(.open)), ("1", .clientClosed),
    ])
    func theSessionEnds(text: String, reason: EngineIOCloseReason) {
        var peer = EngineIOPeer(over: .webSocket)
        peer.webSocketSends(text)
        #expect(peer.session.closeReason == reason)
        peer.webSocketSends("4late")
        peer.webSocketSends(binary: [1])
        #expect(peer.delivered.isEmpty)
    }

    @Test func messagesAreBounded() {
        let settings = EngineIOSettings.conformance.with(\.maxPayload, 4)
        var text = EngineIOPeer(over: .webSocket, settings: settings)
        text.webSocketSends("4123")
        #expect(text.delivered == [.text("123")])
        text.webSocketSends("41234")
        #expect(text.session.closeReason == .malformed(.tooBig))
        var binary = EngineIOPeer(over: .webSocket, settings: settings)
        binary.webSocketSends(binary: [1, 2, 3, 4, 5])
        #expect(binary.session.closeReason == .malformed(.tooBig))
    }

    @Test func pollingASessionThatIsOnWebSocketIsRefused() {
        var peer = EngineIOPeer(over: .webSocket)
        #expect(peer.get() == .badRequest)
        #expect(peer.post("4a") == .badRequest)
        #expect(peer.session.closeReason == nil)
        #expect(peer.delivered.isEmpty)
    }

    @Test func theServerCloses() {
        var peer = EngineIOPeer(over: .webSocket)
        #expect(peer.session.close(now: peer.now) == .closeWebSocket)
        #expect(peer.session.closeReason == .serverClosed)
    }
}
