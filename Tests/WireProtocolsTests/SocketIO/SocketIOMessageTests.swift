import Testing
import WireProtocols

@Suite struct SocketIOMessageTests {
    private static let one = #"{"_placeholder":true,"num":0}"#
    private static let two = #"{"_placeholder":true,"num":1}"#

    @Test func eventsWithAndWithoutAck() {
        var peer = SocketIOPeer.connected()
        #expect(
            peer.message(#"2["message",1,"2",{"3":[true]}]"#) == #"event / ["message",1,"2",{"3":[true]}]"#)
        #expect(peer.message(#"2456["m",1]"#) == #"event / 456 ["m",1]"#)
    }

    @Test func textIsNotCopied() {
        var peer = SocketIOPeer.connected()
        guard case .event(let message) = peer.sends("2[1]") else {
            Issue.record("no event")
            return
        }
        #expect(message.payload == .inPlace(2..<5))
    }

    @Test func binaryEventsWaitForTheirAttachments() {
        var peer = SocketIOPeer.connected(to: ["/", "/custom"])
        #expect(peer.sends(#"52-789["m",\#(Self.one),[\#(Self.two)]]"#) == .nothing)
        #expect(peer.sends(binary: [1, 2, 3]) == .nothing)
        #expect(
            peer.message(binary: [4, 5])
                == #"event / 789 ["m",\#(Self.one),[\#(Self.two)]] [1, 2, 3] [4, 5]"#)
        #expect(peer.sends(#"51-/custom,["m",{"deep":{"er":\#(Self.one)}}]"#) == .nothing)
        #expect(peer.message(binary: [])?.hasPrefix("event /custom") == true)
        #expect(peer.message("2[1]") == "event / [1]")
    }

    @Test func attachmentsThatTheApplicationDoesNotWantAreNotKept() {
        var settings = SocketIOSettings()
        settings.keepsAttachments = false
        settings.maxPayload = 100
        var peer = SocketIOPeer.connected(settings: settings)
        guard case .event(let message) = peer.sends(#"52-7["m",\#(Self.one),\#(Self.two)]"#) else {
            Issue.record("the event does not wait for what is dropped")
            return
        }
        #expect(message.hasBinary && message.id == 7 && message.attachments.isEmpty)
        #expect(peer.sends(binary: [1]) == .nothing)
        #expect(peer.sends(binary: [2]) == .nothing)
        #expect(peer.message("2[1]") == "event / [1]")
        #expect(peer.sends(binary: [3]) == .close(.unexpectedAttachment))

        var impatient = SocketIOPeer.connected(settings: settings)
        _ = impatient.sends(#"51-["m",\#(Self.one)]"#)
        #expect(impatient.sends("2[1]") == .close(.missingAttachment))
        var generous = SocketIOPeer.connected(settings: settings)
        _ = generous.sends(#"51-["m",\#(Self.one)]"#)
        #expect(generous.sends(binary: Array(repeating: 0, count: 100)) == .close(.tooBig))
    }

    @Test func textInsteadOfAnAttachmentCloses() {
        var peer = SocketIOPeer.connected()
        _ = peer.sends(#"52-["m",\#(Self.one),\#(Self.two)]"#)
        _ = peer.sends(binary: [1])
        #expect(peer.sends("2[1]") == .close(.missingAttachment))
    }

    @Test func anAttachmentOfNothingCloses() {
        var peer = SocketIOPeer.connected()
        #expect(peer.sends(binary: [1]) == .close(.unexpectedAttachment))
        var finished = SocketIOPeer.connected()
        _ = finished.sends(#"51-["m",\#(Self.one)]"#)
        _ = finished.sends(binary: [1])
        #expect(finished.sends(binary: [2]) == .close(.unexpectedAttachment))
    }

    @Test(arguments: [
        #"51-["m"]"#, #"51-["m",{"_placeholder":true,"num":1}]"#, #"51-["m",{"_placeholder":true,"num":-1}]"#,
        #"51-["m",{"_placeholder":true,"num":"0"}]"#, #"51-["m",{"_placeholder":true}]"#,
        #"51-["m",{"_placeholder":true,"num":0.5}]"#, #"52-["m",{"_placeholder":true,"num":0}]"#,
        #"51-["m",{"_placeholder":false,"num":0}]"#, #"51-["m""#, #"51-[}"#,
        #"51-["m",{"_placeholder":true,"num":18446744073709551615}]"#,
    ])
    func placeholdersAndAttachmentsMustMatch(packet: String) {
        var peer = SocketIOPeer.connected()
        #expect(peer.sends(packet) == .close(.invalidPlaceholders))
    }

    /// So that the application can refuse the packet under its id.
    @Test func aPayloadNestedTooDeepForTheParserIsPassedOn() {
        var peer = SocketIOPeer.connected()
        let depth = 1000
        let packet = "51-7" + String(repeating: "[", count: depth) + Self.one + String(repeating: "]", count: depth)
        #expect(peer.sends(packet) == .nothing)
        guard case .event(let message) = peer.sends(binary: [1]) else {
            Issue.record("no event")
            return
        }
        #expect(message.id == 7)
    }

    @Test func halfASurrogatePairStandsBesideAnAttachment() {
        var peer = SocketIOPeer.connected()
        #expect(peer.sends(#"51-["m","\ud83d",\#(Self.one)]"#) == .nothing)
    }

    @Test func placeholdersMayComeInAnyOrderAndTwice() {
        var peer = SocketIOPeer.connected()
        #expect(peer.sends(#"52-["m",\#(Self.two),\#(Self.one),\#(Self.two)]"#) == .nothing)
    }

    @Test func aPlaceholderInATextEventIsJustAnObject() {
        var peer = SocketIOPeer.connected()
        #expect(peer.message(#"2["m",\#(Self.one)]"#) == #"event / ["m",\#(Self.one)]"#)
    }

    @Test func attachmentsAreBoundedTogetherWithTheirPacket() {
        var settings = SocketIOSettings()
        settings.maxPayload = 100
        var peer = SocketIOPeer.connected(settings: settings)
        let packet = #"51-["m",\#(Self.one)]"#
        let room = 100 - (packet.utf8.count - 3)
        _ = peer.sends(packet)
        #expect(peer.message(binary: Array(repeating: 0, count: room)) != nil)
        _ = peer.sends(packet)
        #expect(peer.sends(binary: Array(repeating: 0, count: room + 1)) == .close(.tooBig))
    }

    @Test func anEventEndsWithItsNamespace() {
        var peer = SocketIOPeer.connected(to: ["/", "/custom"])
        _ = peer.sends(#"51-["m",\#(Self.one)]"#)
        peer.session.disconnect("/", now: peer.now)
        #expect(peer.sends(binary: [1]) == .nothing)
    }
}

@Suite struct SocketIOAckTests {
    @Test("Acks are ignored: no event of the server asks for one", arguments: ["312[1]", "3/custom,0[1]", "30[]"])
    func acksAreIgnored(packet: String) {
        var peer = SocketIOPeer.connected(to: ["/", "/custom"])
        #expect(peer.sends(packet) == .nothing)
        #expect(peer.message(#"2["next"]"#) == #"event / ["next"]"#)
    }

    @Test("An ack's attachments are taken with it")
    func binaryAcksAreIgnored() {
        var peer = SocketIOPeer.connected()
        #expect(peer.sends(#"61-7[{"_placeholder":true,"num":0}]"#) == .nothing)
        #expect(peer.sends(binary: [7]) == .nothing)
        #expect(peer.message(#"2["next"]"#) == #"event / ["next"]"#)
    }

    @Test("An ack of a namespace that the client is not in closes the connection")
    func acksNeedANamespace() {
        var peer = SocketIOPeer.connected(to: ["/"])
        #expect(peer.sends("3/custom,0[1]") == .close(.notConnected))
    }
}
