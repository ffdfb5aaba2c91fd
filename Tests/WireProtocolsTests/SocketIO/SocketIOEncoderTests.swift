import Testing
import WireProtocols

@Suite struct SocketIOEncoderTests {
    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test func connects() {
        #expect(text(SocketIOEncoder.connect(sid: "a1")) == #"40{"sid":"a1"}"#)
        #expect(text(SocketIOEncoder.connect(namespace: "/c", sid: "a1")) == #"40/c,{"sid":"a1"}"#)
        #expect(text(SocketIOEncoder.connect(sid: "a1", pid: "p2")) == #"40{"sid":"a1","pid":"p2"}"#)
    }

    @Test func connectErrors() {
        #expect(text(SocketIOEncoder.connectError(message: "no \"entry\"")) == #"44{"message":"no \"entry\""}"#)
        #expect(
            text(SocketIOEncoder.connectError(namespace: "/c", message: "no", data: Array(#"{"code":1}"#.utf8)))
                == #"44/c,{"message":"no","data":{"code":1}}"#)
    }

    @Test func disconnects() {
        #expect(text(SocketIOEncoder.disconnect()) == "41")
        #expect(text(SocketIOEncoder.disconnect(namespace: "/c")) == "41/c,")
    }

    private func event(_ prefix: [UInt8], _ argument: String, offset: String? = nil) -> String {
        var out: [UInt8] = []
        SocketIOEncoder.appendEvent(prefix: prefix, argument: argument.utf8, offset: offset, into: &out)
        return text(out)
    }

    @Test func events() {
        let plain = SocketIOEncoder.eventPrefix("new_message")
        #expect(event(plain, #"{"seq":1}"#) == #"42["new_message",{"seq":1}]"#)
        #expect(event(plain, #"{"seq":1}"#, offset: "r:1") == #"42["new_message",{"seq":1},"r:1"]"#)
        #expect(event(SocketIOEncoder.eventPrefix("a", namespace: "/c"), "1") == #"42/c,["a",1]"#)
        #expect(event(SocketIOEncoder.eventPrefix("a", namespace: "/c"), "1") == #"42/c,["a",1]"#)
        #expect(event(SocketIOEncoder.eventPrefix("a\"b"), "1") == #"42["a\"b",1]"#)
        #expect(
            event(SocketIOEncoder.eventPrefix("a", attachments: 2), "1,2") == #"452-["a",1,2]"#)
    }

    @Test func acks() {
        var out = Array("before ".utf8)
        SocketIOEncoder.appendAck(456, arguments: #"{"success":true}"#.utf8, into: &out)
        #expect(text(out) == #"before 43456[{"success":true}]"#)
        out = []
        SocketIOEncoder.appendAck(0, namespace: "/c", arguments: "".utf8, into: &out)
        #expect(text(out) == "43/c,0[]")
        out = []
        SocketIOEncoder.appendAck(789, arguments: "1,2".utf8, attachments: 2, into: &out)
        #expect(text(out) == "462-789[1,2]")
    }

    @Test func aWrittenEventIsReadBack() throws {
        var out: [UInt8] = []
        let prefix = SocketIOEncoder.eventPrefix("é", namespace: "/ünder")
        SocketIOEncoder.appendEvent(prefix: prefix, argument: "{}".utf8, into: &out)
        let packet = try out.withUnsafeBytes {
            try SocketIOPacket.decode($0, in: 1..<$0.count, maximumAttachments: 10)
        }
        #expect(packet.type == .event)
        #expect(packet.id == nil)
        #expect(packet.namespace.map { text(Array(out[$0])) } == "/ünder")
        #expect(text(Array(out[packet.payload])) == #"["é",{}]"#)
    }
}
