import Testing
import WireProtocols

@Suite struct SocketIOConnectTests {
    @Test(arguments: [
        ("0", "/", nil as String?), (#"0{"token":"123"}"#, "/", #"{"token":"123"}"#), ("0/,", "/", nil),
        ("0/custom,", "/custom", nil), ("0/custom", "/custom", nil), (#"0/custom,{"a":1}"#, "/custom", #"{"a":1}"#),
    ])
    func clientsAskForNamespaces(packet: String, namespace: String, auth: String?) {
        var peer = SocketIOPeer()
        let action = peer.sends(packet)
        guard case .connect(let asked, let range) = action else {
            Issue.record("got \(action)")
            return
        }
        #expect(asked == namespace)
        #expect(peer.text(range) == auth)
        #expect(!peer.session.isConnected(to: namespace))
        peer.session.accept(namespace)
        #expect(peer.session.isConnected(to: namespace))
    }

    @Test func unknownNamespacesAreRefusedAndTheConnectionStays() {
        var peer = SocketIOPeer.connected()
        #expect(peer.sends("0/random") == .reply(Array(#"44/random,{"message":"Invalid namespace"}"#.utf8)))
        #expect(peer.sends("0/random,{}") == .reply(Array(#"44/random,{"message":"Invalid namespace"}"#.utf8)))
        #expect(peer.message("2[1]") == "event / [1]")
    }

    @Test func theMainNamespaceMayBeMissing() {
        var peer = SocketIOPeer(settings: .init(namespaces: ["/internal"]))
        #expect(peer.sends("0") == .reply(Array(#"44{"message":"Invalid namespace"}"#.utf8)))
        #expect(peer.sends("0/internal,") == .connect(namespace: "/internal", auth: nil))
    }

    @Test func severalNamespacesLiveSideBySide() {
        var peer = SocketIOPeer.connected(to: ["/", "/custom"])
        #expect(peer.message("2[1]") == "event / [1]")
        #expect(peer.message("2/custom,[2]") == "event /custom [2]")
        #expect(peer.sends("1/custom,") == .disconnect(namespace: "/custom"))
        #expect(peer.message("2[3]") == "event / [3]")
        #expect(peer.sends("2/custom,[4]") == .close(.notConnected))
    }

    @Test(arguments: ["2[1]", "30[1]", "1", "51-[1]", "2/random,[1]", "1/random,"])
    func packetsBeforeConnectClose(packet: String) {
        var peer = SocketIOPeer()
        #expect(peer.sends(packet) == .close(.notConnected))
        #expect(peer.sends("0") == .nothing, "nothing is taken after a close")
        #expect(peer.sends(binary: [1]) == .nothing)
        #expect(peer.session.nextDeadline == .max)
    }

    @Test func packetsBeforeTheApplicationAcceptedClose() {
        var peer = SocketIOPeer()
        _ = peer.sends("0")
        #expect(peer.sends("2[1]") == .close(.notConnected))
    }

    @Test(arguments: [true, false])
    func connectingTwiceCloses(accepted: Bool) {
        var peer = SocketIOPeer()
        _ = peer.sends("0")
        if accepted { peer.session.accept("/") }
        #expect(peer.sends("0") == .close(.alreadyConnected))
    }

    @Test func aRefusedClientMayAskAgain() {
        var peer = SocketIOPeer()
        _ = peer.sends("0")
        peer.session.refuse("/")
        peer.session.accept("/")
        #expect(!peer.session.isConnected(to: "/"), "only what is asked for can be accepted")
        #expect(peer.sends("0{}") == .connect(namespace: "/", auth: 2..<4))
    }

    @Test func onlyServersSendConnectErrors() {
        var peer = SocketIOPeer.connected()
        #expect(peer.sends(#"4{"message":"x"}"#) == .close(.unexpectedPacket(.connectError)))
    }

    @Test func connectingHasATimeLimit() {
        var peer = SocketIOPeer()
        let deadline = peer.now + 45_000
        #expect(peer.session.nextDeadline == deadline)
        _ = peer.sends("0/random")
        _ = peer.sends("0")
        #expect(peer.session.tick(now: deadline - 1) == .nothing)
        #expect(peer.session.tick(now: deadline) == .close(.connectTimeout), "asking is not being in")
        #expect(peer.session.tick(now: deadline) == .nothing)
    }

    @Test func theTimeLimitEndsWithTheFirstNamespaceAndBeginsAgainAfterTheLast() {
        var peer = SocketIOPeer.connected(to: ["/", "/custom"])
        #expect(peer.session.nextDeadline == .max)
        peer.now += 100_000
        #expect(peer.sends("1") == .disconnect(namespace: "/"))
        #expect(peer.session.nextDeadline == .max)
        #expect(peer.sends("1/custom,") == .disconnect(namespace: "/custom"))
        #expect(peer.session.nextDeadline == peer.now + 45_000)
        #expect(peer.sends("0") == .connect(namespace: "/", auth: nil))
        peer.session.accept("/")
        #expect(peer.session.nextDeadline == .max)
    }

    @Test func packetsThatCrossTheServersDisconnectAreDropped() {
        var peer = SocketIOPeer.connected(to: ["/", "/custom"])
        peer.session.disconnect("/", now: peer.now)
        for packet in ["2[1]", "30[1]", "1", "51-[{\"_placeholder\":true,\"num\":0}]"] {
            #expect(peer.sends(packet) == .nothing)
        }
        #expect(peer.sends(binary: [1]) == .nothing)
        #expect(peer.message("2/custom,[1]") == "event /custom [1]")
        #expect(peer.sends("0") == .connect(namespace: "/", auth: nil))
        peer.session.accept("/")
        #expect(peer.message("2[2]") == "event / [2]")
    }

    @Test(arguments: [
        ("abc", SocketIOPacketError.unknownType(UInt8(ascii: "a"))), ("2{}", .invalidPayload), ("", .empty),
        (#"2abc["message-with-ack",1,"2",{"3":[false]}]"#, .invalidPayload), ("29007199254740992[1]", .invalidID),
        ("511-[1]", .tooManyAttachments),
    ])
    func malformedPacketsClose(packet: String, error: SocketIOPacketError) {
        var peer = SocketIOPeer.connected()
        #expect(peer.sends(packet) == .close(.malformed(error)))
        #expect(peer.sends("2[1]") == .nothing)
    }

    @Test func packetsAreBounded() {
        var settings = SocketIOSettings()
        settings.maxPayload = 6
        var peer = SocketIOPeer.connected(settings: settings)
        #expect(peer.message("2[123]") == "event / [123]")
        #expect(peer.sends("2[1234]") == .close(.tooBig))
    }
}
