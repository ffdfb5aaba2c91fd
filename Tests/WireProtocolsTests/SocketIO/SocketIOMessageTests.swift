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

    @Test func whereNobodyWantsAttachmentsNothingIsKept() {
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
    @Test func whatIsNestedTooDeepToBeLookedAtIsPassedOn() {
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
    @Test func acksFindTheirEvent() throws {
        var peer = SocketIOPeer.connected()
        let first = try peer.awaitAck(in: "/", timeout: 1000)
        let second = try peer.awaitAck(in: "/", timeout: 1000)
        #expect(first != second)
        #expect(peer.message("3\(second)[1,2]") == "ack / \(second) [1,2]")
        #expect(peer.sends("3\(second)[1,2]") == .nothing, "an ack comes once")
        #expect(peer.message("3\(first)[]") == "ack / \(first) []")
        #expect(peer.session.nextDeadline == .max)
    }

    @Test func binaryAcks() throws {
        var peer = SocketIOPeer.connected()
        let id = try peer.awaitAck(in: "/", timeout: 1000)
        #expect(peer.sends(#"61-\#(id)[{"_placeholder":true,"num":0}]"#) == .nothing)
        #expect(peer.message(binary: [7]) == #"ack / \#(id) [{"_placeholder":true,"num":0}] [7]"#)
    }

    @Test func acksOfNothingAreIgnored() throws {
        var peer = SocketIOPeer.connected(to: ["/", "/custom"])
        #expect(peer.sends("312[1]") == .nothing)
        let id = try peer.awaitAck(in: "/custom", timeout: 1000)
        #expect(peer.sends("3\(id)[1]") == .nothing, "another namespace's")
        #expect(peer.message("3/custom,\(id)[1]") != nil)
    }

    @Test func acksExpire() throws {
        var peer = SocketIOPeer.connected()
        let slow = try peer.awaitAck(in: "/", timeout: 200)
        let quick = try peer.awaitAck(in: "/", timeout: 100)
        let other = try peer.awaitAck(in: "/", timeout: 100)
        #expect(peer.session.nextDeadline == peer.now + 100)
        #expect(peer.session.tick(now: peer.now + 99) == .nothing)
        #expect(peer.session.tick(now: peer.now + 100) == .acksExpired([quick, other]))
        #expect(peer.sends("3\(quick)[1]") == .nothing)
        #expect(peer.session.nextDeadline == peer.now + 200)
        #expect(peer.session.tick(now: peer.now + 500) == .acksExpired([slow]))
    }

    @Test func pendingAcksAreBoundedAndEndWithTheirNamespace() throws {
        var settings = SocketIOSettings(namespaces: ["/", "/custom"])
        settings.maximumPendingAcks = 2
        var peer = SocketIOPeer.connected(settings: settings)
        #expect(peer.session.issueAckID(in: "/custom", timeout: 100, now: 0) == nil, "not connected")
        #expect(peer.session.issueAckID(in: "/none", timeout: 100, now: 0) == nil)
        for _ in 0..<2 { #expect(peer.session.issueAckID(in: "/", timeout: 100, now: 0) != nil) }
        #expect(peer.session.issueAckID(in: "/", timeout: 100, now: 0) == nil)
        _ = peer.sends("1")
        _ = peer.sends("0")
        peer.session.accept("/")
        #expect(peer.session.issueAckID(in: "/", timeout: 100, now: 0) != nil)
    }
}
