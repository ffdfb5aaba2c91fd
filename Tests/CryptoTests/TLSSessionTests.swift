import Foundation
import TestSupport
import Testing

@testable import Crypto

@Suite("TLS sessions")
struct TLSSessionTests {
    private let files: PEMFiles
    private let context: TLSContext

    init() throws {
        files = try PEMFiles()
        context = try files.context()
    }

    private func connectedPair() throws -> TLSPair {
        let pair = try TLSPair(context, TLSClientContext(trusting: .anyone))
        let results = pair.handshake()
        try #require(results.server == .bytes(0) && results.client == .bytes(0))
        return pair
    }

    @Test("A server waits for its client, then both talk")
    func conversation() throws {
        let pair = try TLSPair(context, TLSClientContext(trusting: .anyone))
        #expect(pair.server.handshake() == .wantRead)
        #expect(!pair.server.isHandshakeComplete)
        let results = pair.handshake()
        #expect(results.server == .bytes(0))
        #expect(results.client == .bytes(0))
        #expect(pair.server.isHandshakeComplete)

        #expect(pair.client.write(Array("hello".utf8)) == .bytes(5))
        #expect(pair.server.read(3).bytes == Array("hel".utf8))
        #expect(pair.server.read(100).bytes == Array("lo".utf8))
        #expect(pair.server.read(100).result == .wantRead)
        #expect(pair.server.write(Array("good day".utf8)) == .bytes(8))
        #expect(pair.client.read(100).bytes == Array("good day".utf8))
    }

    @Test("A verifying client takes the certificate under its names only", arguments: ["localhost", "127.0.0.1"])
    func verification(host: String) throws {
        let trusting = try TLSClientContext(trusting: .authorities(file: files.path("certificate.pem")))
        #expect(try TLSPair(context, trusting, host: host).handshake().client == .bytes(0))
        for stranger in ["example.org", "127.0.0.2"] {
            guard case .failed(let reason) = try TLSPair(context, trusting, host: stranger).handshake().client else {
                Issue.record("taken for \(stranger)")
                continue
            }
            #expect(reason.contains("certificate verify failed"))
        }
        guard case .failed = try TLSPair(context, TLSClientContext(trusting: .system)).handshake().client else {
            Issue.record("a self-signed certificate was taken")
            return
        }
    }

    @Test("More than the socket holds is written in parts and arrives whole and in order")
    func backpressure() throws {
        let pair = try connectedPair()
        let message = (0..<2_000_000).map { UInt8(truncatingIfNeeded: $0 / 251) }
        var sent = 0
        var received: [UInt8] = []
        var waits = 0
        while received.count < message.count {
            // A copy each time: the bytes of a repeated write may have moved.
            switch pair.server.write(Array(message[sent...].prefix(100_000))) {
            case .bytes(let count): sent += count
            case .wantWrite: waits += 1
            case let other where sent < message.count: try #require(Bool(false), "\(other)")
            default: break
            }
            if sent == message.count || waits > 0 {
                let (result, bytes) = pair.client.read(65_536)
                if case .bytes = result { received += bytes } else { try #require(result == .wantRead) }
            }
        }
        #expect(waits > 0)
        #expect(received == message)
    }

    @Test("A client's leave, said or not, closes the session")
    func closing() throws {
        let polite = try connectedPair()
        polite.client.shutdown()
        #expect(polite.server.read(10).result == .closed)
        let abrupt = try connectedPair()
        Foundation.shutdown(abrupt.clientSocket, Int32(SHUT_RDWR))
        #expect(abrupt.server.read(10).result == .closed)
    }

    @Test("After its own leave a session does nothing more")
    func ended() throws {
        let pair = try connectedPair()
        pair.server.shutdown()
        pair.server.shutdown()
        #expect(pair.client.read(10).result == .closed)
        guard case .failed = pair.server.write([1]) else {
            Issue.record("wrote after the end")
            return
        }
    }

    @Test(
        "What is no TLS fails at once",
        arguments: ["GET / HTTP/1.1\r\n\r\n", "\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}"])
    func plainText(text: String) throws {
        let pair = try TLSPair(context, TLSClientContext(trusting: .anyone))
        let bytes = Array(text.utf8)
        #expect(Foundation.write(pair.clientSocket, bytes, bytes.count) == bytes.count)
        guard case .failed = pair.server.handshake() else {
            Issue.record("plain text was taken for a handshake")
            return
        }
        guard case .failed = pair.server.read(10).result else {
            Issue.record("a broken session went on")
            return
        }
        pair.server.shutdown()
    }

    @Test("A damaged record breaks the session")
    func damagedRecord() throws {
        let pair = try connectedPair()
        // Takes what the server sent after the handshake out of the way, then forges a record of the peer's.
        let forged: [UInt8] = [0x17, 0x03, 0x03, 0x00, 0x20] + [UInt8](repeating: 7, count: 32)
        #expect(Foundation.write(pair.clientSocket, forged, forged.count) == forged.count)
        guard case .failed(let reason) = pair.server.read(100).result else {
            Issue.record("a forged record was taken")
            return
        }
        #expect(reason.contains("mac"))
    }

    @Test("http/1.1 is found among the protocols offered, and nothing is read past their end")
    func protocols() {
        #expect(ApplicationProtocol.isOffered(in: [8] + Array("http/1.1".utf8)))
        #expect(ApplicationProtocol.isOffered(in: [2, 0x68, 0x32, 8] + Array("http/1.1".utf8)))
        #expect(!ApplicationProtocol.isOffered(in: [2, 0x68, 0x32]))
        #expect(!ApplicationProtocol.isOffered(in: []))
        #expect(!ApplicationProtocol.isOffered(in: [9] + Array("http/1.1".utf8)))
        #expect(!ApplicationProtocol.isOffered(in: [8] + Array("http/1.".utf8)))
        #expect(!ApplicationProtocol.isOffered(in: [200, 1, 2]))
    }
}
