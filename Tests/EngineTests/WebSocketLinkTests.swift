import Compression
import TestSupport
import Testing
import WireProtocols

@testable import Engine

/// The rules of one WebSocket, without a socket and with the test's own time.
@Suite struct WebSocketLinkTests {
    private let link = WebSocketLink(maximumMessageBytes: 100, deflates: true)
    private let inflater = Inflater()

    private func liveness(at now: Int64, heard: Int64, isPaused: Bool = false) -> WebSocketLink.Liveness {
        link.checkLiveness(
            now: now, lastHeard: heard, isPaused: isPaused, pingInterval: .milliseconds(1000),
            pongTimeout: .milliseconds(500))
    }

    @Test func aPeerThatWasHeardIsNotPinged() {
        #expect(liveness(at: 1000, heard: 400) == .wait(.milliseconds(400)))
        #expect(liveness(at: 1400, heard: 400) == .ping)
    }

    @Test func aPeerThatAnswersNoPingIsDead() {
        #expect(liveness(at: 1000, heard: 0) == .ping)
        #expect(liveness(at: 1500, heard: 0) == .dead)
    }

    @Test func anyByteBehindThePingIsASignOfLife() {
        #expect(liveness(at: 1000, heard: 0) == .ping)
        #expect(liveness(at: 1500, heard: 1000) == .wait(.milliseconds(500)))
        #expect(liveness(at: 2000, heard: 1000) == .ping)
    }

    @Test func silenceOfAPeerThatIsNotReadIsIgnored() {
        #expect(liveness(at: 1000, heard: 0) == .ping)
        #expect(liveness(at: 1500, heard: 0, isPaused: true) == .wait(.milliseconds(500)))
        #expect(liveness(at: 2000, heard: 0) == .ping, "it is asked anew once it is read again")
        #expect(liveness(at: 2500, heard: 0) == .dead)
    }

    @Test func inflatedMessagesAreJudged() {
        let texts: [([UInt8], UInt16?)] = [
            (Array("fine".utf8), nil), ([0xC3, 0x28], 1007), ([UInt8](repeating: 97, count: 101), 1009),
        ]
        for (text, code) in texts {
            var frame = LoopbackClient.frame(Deflater().compress(text))
            frame[0] |= 0x40
            var input = InputBuffer(capacity: 4096)
            input.append(contentsOf: frame)
            let link = WebSocketLink(maximumMessageBytes: 100, deflates: true)
            switch link.next(&input, inflater: inflater) {
            case .message(.text, .assembled(let bytes)): #expect(bytes == text && code == nil)
            case .violation(let violation, _): #expect(violation == code)
            default: Issue.record("neither a message nor a violation")
            }
        }
    }

    @Test func theCloseCodeIsKept() {
        #expect(link.closeCode == nil)
        #expect(link.close(code: 4000, reason: "") == [0x88, 2, 0x0F, 0xA0])
        #expect(link.closeCode == 4000)
    }
}
