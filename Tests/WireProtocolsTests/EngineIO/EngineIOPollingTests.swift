import JSON
import Testing
import WireProtocols

@Suite struct EngineIOHandshakeTests {
    @Test(arguments: [(EngineIOSession.Transport.polling, true), (.polling, false), (.webSocket, true)])
    func theOpenPacketAnnouncesTheSettings(transport: EngineIOSession.Transport, allowsUpgrades: Bool) throws {
        let settings = EngineIOSettings.conformance.with(\.allowsUpgrades, allowsUpgrades)
        let packet = EngineIOSession(over: transport, settings: Shared(settings), now: 0).openPacket(sid: "a1-0-xyz")
        #expect(packet.first == UInt8(ascii: "0"))
        let upgrades: [JSONValue] = transport == .polling && allowsUpgrades ? [.string("websocket")] : []
        #expect(
            try JSONValue(parsing: packet.dropFirst())
                == .object([
                    "sid": .string("a1-0-xyz"), "upgrades": .array(upgrades), "pingInterval": .integer(300),
                    "pingTimeout": .integer(200), "maxPayload": .integer(1_000_000),
                ]))
    }
}

@Suite struct EngineIOPollingTests {
    @Test func echoesOneSeveralAndBinaryPackets() {
        var peer = EngineIOPeer(over: .polling)
        #expect(peer.post("4hello") == nil)
        #expect(peer.post("4test1\u{1E}4test2\u{1E}bAQIDBA==") == nil)
        #expect(peer.delivered == [.text("hello"), .text("test1"), .text("test2"), .binary([1, 2, 3, 4])])

        peer.send("4hello")
        peer.session.enqueue(EngineIOOutgoing(binary: [1, 2, 3, 4]))
        peer.send("4€")
        #expect(peer.get() == nil)
        #expect(peer.polled == ["4hello\u{1E}bAQIDBA==\u{1E}4€"])
        #expect(peer.session.queuedBytes == 0)
    }

    @Test func aPollIsHeldUntilThereIsSomething() {
        var peer = EngineIOPeer(over: .polling)
        #expect(peer.get() == nil)
        #expect(peer.polled.isEmpty)
        peer.send("4a")
        peer.send("4b")
        peer.flush()
        #expect(peer.polled == ["4a\u{1E}4b"], "what one turn brings goes out in one answer")
        peer.sendAndFlush("4c")
        #expect(peer.polled.count == 1, "no poll is held now")
        #expect(peer.session.queuedBytes == 2)
        #expect(peer.get() == nil)
        #expect(peer.polled.last == "4c")
    }

    @Test func answersKeepToMaxPayloadAndThePacketCount() {
        var peer = EngineIOPeer(
            over: .polling, settings: .conformance.with(\.maxPayload, 10).with(\.maxPacketsPerPoll, 3))
        for packet in ["4aaa", "4bbbb", "4cccc", "4dddddddddddd", "4", "4", "4", "4"] { peer.send(packet) }
        for _ in 0..<5 { _ = peer.get() }
        #expect(peer.polled == ["4aaa\u{1E}4bbbb", "4cccc", "4dddddddddddd", "4\u{1E}4\u{1E}4", "4"])
        #expect(peer.session.queuedBytes == 0)
    }

    @Test func binaryCountsAsTheBase64ItBecomes() {
        var peer = EngineIOPeer(over: .polling, settings: .conformance.with(\.maxPayload, 10))
        peer.session.enqueue(EngineIOOutgoing(binary: [1, 2, 3, 4]))
        peer.send("4")
        #expect(peer.session.queuedBytes == 10)
        _ = peer.get()
        _ = peer.get()
        #expect(peer.polled == ["bAQIDBA==", "4"])
    }

    @Test func sharedBytesAreSentWithoutTheirFrame() {
        var peer = EngineIOPeer(over: .polling)
        let frame = [0x81, 0x02] + Array("4x".utf8)
        peer.session.enqueue(EngineIOOutgoing(text: frame[2...]))
        _ = peer.get()
        #expect(peer.polled == ["4x"])
    }

    @Test(arguments: ["abc", "", "4ok\u{1E}x", "bA", "4ok\u{1E}"])
    func aMalformedBodyClosesTheSession(body: String) {
        var peer = EngineIOPeer(over: .polling)
        #expect(peer.get() == nil)
        #expect(peer.post(body) == .badRequest)
        #expect(peer.polled == ["1"])
        #expect(peer.get() == .unknownSession)
        #expect(peer.post("4a") == .unknownSession)
        guard case .malformed = peer.session.closeReason else {
            Issue.record("closed for \(String(describing: peer.session.closeReason))")
            return
        }
    }

    @Test func anOversizeBodyClosesTheSession() {
        var peer = EngineIOPeer(over: .polling, settings: .conformance.with(\.maxPayload, 10))
        #expect(peer.post("4123456789") == nil)
        #expect(peer.post("4123456789a") == .badRequest)
        #expect(peer.session.closeReason == .malformed(.tooBig))
        #expect(peer.delivered == [.text("123456789")])
    }

    @Test(arguments: [("2", EngineIOPacketType.ping), ("0{}", .open), ("5", .upgrade), ("2probe", .ping)])
    func typesNoClientSendsCloseTheSession(packet: String, type: EngineIOPacketType) {
        var peer = EngineIOPeer(over: .polling)
        #expect(peer.post(packet) == .badRequest)
        #expect(peer.session.closeReason == .unexpectedPacket(type))
    }

    @Test func twoPollsAtOnceCloseTheSession() {
        var peer = EngineIOPeer(over: .polling)
        #expect(peer.get() == nil)
        #expect(peer.get() == .badRequest)
        #expect(peer.polled == ["1"], "the first is answered that it is over")
        #expect(peer.session.closeReason == .overlappingRequests)
        #expect(peer.get() == .unknownSession)
    }

    @Test func twoPostsAtOnceCloseTheSession() {
        var peer = EngineIOPeer(over: .polling)
        #expect(peer.session.beginPost() == nil)
        #expect(peer.post("4b") == .badRequest)
        #expect(peer.session.closeReason == .overlappingRequests)
        #expect(peer.delivered.isEmpty)
    }

    @Test func aCancelledRequestClosesTheSession() {
        var peer = EngineIOPeer(over: .polling)
        peer.session.requestAborted()
        #expect(peer.session.closeReason == nil, "nothing was under way")
        _ = peer.get()
        peer.session.requestAborted()
        #expect(peer.session.closeReason == .transportClosed)
        #expect(peer.get() == .unknownSession)

        var posting = EngineIOPeer(over: .polling)
        #expect(posting.session.beginPost() == nil)
        posting.session.requestAborted()
        #expect(posting.session.closeReason == .transportClosed)
    }

    @Test func theClientsCloseFreesItsPoll() {
        var peer = EngineIOPeer(over: .polling)
        _ = peer.get()
        #expect(peer.post("4bye\u{1E}1\u{1E}4ignored") == nil)
        #expect(peer.polled == ["6"])
        #expect(peer.delivered == [.text("bye")])
        #expect(peer.session.closeReason == .clientClosed)
        #expect(peer.get() == .unknownSession)
    }

    @Test func aClosingSessionKeepsItsLastPacketsUpToALimit() {
        var peer = EngineIOPeer(over: .polling)
        for _ in 0..<100 { peer.send("4" + String(repeating: "x", count: 1000)) }
        peer.send("4reason")
        peer.send("41")
        #expect(peer.session.close(now: peer.now, keeping: 20) == .awaitPoll)
        #expect(peer.session.queuedBytes == 9)
        #expect(peer.get() == nil)
        #expect(peer.polled == ["4reason\u{1E}41\u{1E}1"])
    }

    @Test func anOrderlyCloseHandsOutTheQueue() {
        var peer = EngineIOPeer(over: .polling, settings: .conformance.with(\.maxPacketsPerPoll, 2))
        for packet in ["4a", "4b", "4c"] { peer.send(packet) }
        #expect(peer.session.close(now: peer.now) == .awaitPoll)
        #expect(peer.session.close(now: peer.now) == .nothing)
        peer.send("4late")
        #expect(peer.post("4ignored") == nil)
        #expect(peer.delivered.isEmpty)
        #expect(peer.get() == nil)
        #expect(peer.polled == ["4a\u{1E}4b"])
        #expect(peer.session.closeReason == nil)
        #expect(peer.get() == nil)
        #expect(peer.polled.last == "4c\u{1E}1")
        #expect(peer.session.closeReason == .serverClosed)
    }

    @Test func anOrderlyCloseOfAHeldPollIsImmediate() {
        var peer = EngineIOPeer(over: .polling)
        _ = peer.get()
        #expect(peer.session.close(now: peer.now) == .awaitPoll)
        peer.flush()
        #expect(peer.polled == ["1"])
        #expect(peer.session.closeReason == .serverClosed)
    }

    @Test func anOrderlyCloseWaitsOnlySoLong() {
        var peer = EngineIOPeer(over: .polling, settings: .conformance.with(\.closeTimeout, .milliseconds(1000)))
        peer.send("4a")
        #expect(peer.session.close(now: peer.now) == .awaitPoll)
        #expect(peer.wait(999) == [])
        #expect(peer.wait(1) == [.close(.serverClosed)])
        #expect(peer.get() == .unknownSession)
    }

    @Test func endingDropsTheQueue() {
        var peer = EngineIOPeer(over: .polling)
        peer.send("4a")
        peer.session.end(.serverClosed)
        #expect(peer.session.queuedBytes == 0)
        peer.session.end(.pingTimeout)
        #expect(peer.session.closeReason == .serverClosed, "the first reason stands")
        #expect(peer.session.nextDeadline == .max)
        #expect(peer.wait(10_000) == [])
    }
}
