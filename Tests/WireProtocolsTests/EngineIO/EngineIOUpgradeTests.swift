import Testing
import WireProtocols

@Suite struct EngineIOUpgradeTests {
    private func probing(settings: EngineIOSettings = .conformance) -> EngineIOPeer {
        var peer = EngineIOPeer(over: .polling, settings: settings)
        #expect(peer.session.openProbe(now: peer.now) == nil)
        return peer
    }

    @Test func theWholeUpgrade() {
        var peer = probing()
        peer.probeSends("2probe")
        #expect(peer.written == ["3probe"])
        #expect(peer.get() == nil)
        #expect(peer.polled == ["6"], "the poll is let go so that the client may stop polling")
        peer.probeSends("5")
        #expect(peer.lastProbe == .upgraded([]))
        #expect(peer.session.transport == .webSocket)
        peer.webSocketSends("4hello")
        #expect(peer.delivered == [.text("hello")])
        peer.sendAndFlush("4back")
        #expect(peer.written.last == "4back")
    }

    @Test func aHeldPollIsLetGoByTheProbe() {
        var peer = probing()
        _ = peer.get()
        #expect(peer.polled.isEmpty)
        peer.probeSends("2probe")
        #expect(peer.polled == ["6"])
    }

    @Test func aClientThatPollsOnDoesNotSpin() {
        var peer = probing()
        peer.probeSends("2probe")
        _ = peer.get()
        _ = peer.get()
        #expect(peer.polled == ["6"])
        #expect(peer.session.nextDeadline == peer.now + 100)
        peer.wait(99)
        #expect(peer.polled == ["6"])
        peer.wait(1)
        #expect(peer.polled == ["6", "6"])
        #expect(peer.session.nextDeadline > peer.now, "no poll is held, so none is to be let go")
    }

    @Test func nothingIsLostOrReordered() {
        var peer = probing()
        _ = peer.get()
        peer.sendAndFlush("4one")
        peer.send("4two")
        peer.probeSends("2probe")
        #expect(peer.get() == nil)
        #expect(peer.polled == ["4one", "4two"], "what is queued frees the poll in the noop's place")
        peer.sendAndFlush("4three")
        peer.session.enqueue(EngineIOOutgoing(binary: [9]))
        peer.sendAndFlush("4four")
        #expect(peer.post("4from polling") == nil)
        peer.probeSends("5")
        #expect(
            peer.lastProbe
                == .upgraded([
                    EngineIOOutgoing(text: Array("4three".utf8)), EngineIOOutgoing(binary: [9]),
                    EngineIOOutgoing(text: Array("4four".utf8)),
                ]))
        peer.sendAndFlush("4five")
        #expect(peer.written.last == "4five")
        peer.webSocketSends("4from websocket")
        #expect(peer.delivered == [.text("from polling"), .text("from websocket")])
        #expect(peer.session.queuedBytes == 0)
        #expect(peer.polled.count == 2)
    }

    @Test func aPollStillHeldAtTheUpgradeIsFreed() {
        var peer = probing()
        peer.probeSends("2probe")
        _ = peer.get()
        _ = peer.get()
        peer.send("4queued")
        peer.probeSends("5")
        #expect(peer.lastProbe == .upgraded([EngineIOOutgoing(text: Array("4queued".utf8))]))
        #expect(peer.polled == ["6", "6"])
    }

    @Test func aPostThatBeganBeforeTheUpgradeIsTaken() {
        var peer = probing()
        peer.probeSends("2probe")
        #expect(peer.session.beginPost() == nil)
        peer.probeSends("5")
        var payload = EngineIOPayloadReader(maximumBytes: 100)
        let receipt = Array("4a".utf8).withUnsafeBytes {
            peer.session.receivePacket(from: &payload, in: $0, now: peer.now)
        }
        #expect(receipt == .text(1..<2))
        peer.session.endPost()
        #expect(peer.session.closeReason == nil)
    }

    @Test func pollingAfterTheUpgradeIsRefused() {
        var peer = probing()
        peer.probeSends("2probe")
        peer.probeSends("5")
        #expect(peer.get() == .badRequest)
        #expect(peer.post("4a") == .badRequest)
        peer.webSocketSends("4hello")
        #expect(peer.delivered == [.text("hello")], "the session is not touched")
    }

    @Test func asecondWebSocketIsRefused() {
        var peer = probing()
        #expect(peer.session.openProbe(now: peer.now) == .upgradeInProgress)
        peer.probeSends("2probe")
        #expect(peer.session.openProbe(now: peer.now) == .upgradeInProgress)
        peer.probeSends("5")
        #expect(peer.session.openProbe(now: peer.now) == .alreadyUpgraded)
        peer.webSocketSends("4hello")
        #expect(peer.delivered == [.text("hello")])
    }

    @Test func upgradesMayBeOff() {
        var peer = EngineIOPeer(over: .polling, settings: .conformance.with(\.allowsUpgrades, false))
        #expect(peer.session.openProbe(now: peer.now) == .upgradesNotAllowed)
        peer.session.end(.transportClosed)
        #expect(peer.session.openProbe(now: peer.now) == .sessionClosed)
    }

    @Test func upgradingTwiceClosesTheSession() {
        var peer = probing()
        peer.probeSends("2probe")
        peer.probeSends("5")
        peer.webSocketSends("5")
        #expect(peer.session.closeReason == .unexpectedPacket(.upgrade))
    }

    @Test func upgradingWithoutAProbeIsRefused() {
        var peer = probing()
        peer.probeSends("5")
        #expect(peer.lastProbe == .closeProbe(.upgradeWithoutProbe))
        expectPollingContinues(&peer)
    }

    @Test(arguments: ["2", "2prob", "2probes", "4hello", "3probe", "", "x", "1"])
    func anythingElseEndsTheProbe(text: String) {
        var peer = probing()
        peer.probeSends(text)
        #expect(peer.lastProbe == .closeProbe(.notAProbe))
        #expect(peer.written.isEmpty)
        expectPollingContinues(&peer)
    }

    @Test func aMessageBetweenProbeAndUpgradeEndsTheProbe() {
        var peer = probing()
        peer.probeSends("2probe")
        peer.probeSends("4early")
        #expect(peer.lastProbe == .closeProbe(.notAProbe))
        #expect(peer.delivered.isEmpty)
        expectPollingContinues(&peer)
    }

    @Test func theProbesWebSocketMayGoAway() {
        var peer = probing()
        peer.probeSends("2probe")
        peer.session.probeClosed()
        expectPollingContinues(&peer)
    }

    @Test(arguments: ["", "2probe"])
    func theUpgradeTimesOut(sent: String) {
        let slowPings = EngineIOSettings.conformance.with(\.pingInterval, .seconds(60)).with(
            \.upgradeTimeout, .seconds(1))
        var peer = probing(settings: slowPings)
        if !sent.isEmpty { peer.probeSends(sent) }
        #expect(peer.wait(999) == [])
        #expect(peer.wait(1) == [.closeProbe])
        peer.probeSends("5")
        #expect(peer.lastProbe == .closeProbe(.sessionClosed))
        expectPollingContinues(&peer)
    }

    @Test func theProbeMayBeRepeatedAndTriedAgain() {
        var peer = probing()
        peer.probeSends("2probe")
        peer.probeSends("2probe")
        #expect(peer.written == ["3probe", "3probe"])
        peer.session.probeClosed()
        #expect(peer.session.openProbe(now: peer.now) == nil)
        peer.probeSends("5")
        #expect(peer.lastProbe == .closeProbe(.upgradeWithoutProbe), "the first probe does not count for the second")
    }

    @Test func aPingBeforeTheUpgradeMayBeAnsweredAfterIt() {
        var peer = probing()
        peer.wait(300)
        peer.probeSends("2probe")
        peer.probeSends("5")
        #expect(peer.written == ["3probe", "2"], "the ping no poll has fetched goes by WebSocket")
        peer.wait(100)
        peer.webSocketSends("3")
        #expect(peer.wait(300) == [.sendPing])
    }

    @Test func closingEndsTheProbe() {
        var peer = probing()
        peer.probeSends("2probe")
        peer.send("4last")
        #expect(peer.session.close(now: peer.now) == .awaitPoll)
        peer.probeSends("5")
        #expect(peer.lastProbe == .closeProbe(.sessionClosed))
        _ = peer.get()
        #expect(peer.polled.last == "4last\u{1E}1")
    }

    private func expectPollingContinues(_ peer: inout EngineIOPeer) {
        peer.send("4still polling")
        #expect(peer.get() == nil)
        #expect(peer.polled.last == "4still polling")
        #expect(peer.session.closeReason == nil)
        #expect(peer.session.transport == .polling)
    }
}
