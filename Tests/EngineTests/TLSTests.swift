import Crypto
import Dispatch
import Engine
import Foundation
import TestSupport
import Testing

@Suite struct TLSTests {
    @Test func longAndPipelinedAnswersComeOverTLS() async throws {
        let files = try PEMFiles()
        try files.writeTestCertificate()
        let credentials = try TLSCredentials(
            certificateChainFile: files.certificate, privateKeyFile: files.key)
        try await EngineHost.serve({
            $0.tls = credentials
        }) { host, port in
            let requests =
                LoopbackClient.request("GET", "/now")
                + LoopbackClient.request("GET", "/big", fields: ["Connection: close"])
            let answer = try await Self.exchange(port: port, sending: requests)
            #expect(answer.hasPrefix("HTTP/1.1 200"))
            #expect(answer.contains("/now"))
            #expect(answer.utf8.count > 4_000_000)
            #expect(await eventually { await host.connectionCount == 0 })
        }
    }

    @Test func aClientWithoutTLSIsDropped() async throws {
        let files = try PEMFiles()
        try files.writeTestCertificate()
        let credentials = try TLSCredentials(
            certificateChainFile: files.certificate, privateKeyFile: files.key)
        try await EngineHost.serve({
            $0.tls = credentials
            $0.headTimeout = .milliseconds(200)
        }) { host, port in
            let plain = try LoopbackClient(port: port)
            try await plain.send(LoopbackClient.request("GET", "/now"))
            #expect(try await !plain.receiveToEnd().starts(with: Array("HTTP".utf8)))
            let silent = try LoopbackClient(port: port)
            #expect(try await silent.receiveToEnd().isEmpty)
            #expect(await eventually { await host.connectionCount == 0 })
        }
    }

    /// Sends over TLS and reads to the end, on a thread that may wait.
    private static func exchange(port: UInt16, sending text: String) async throws -> String {
        let client = try LoopbackClient(port: port)
        return try await client.withDescriptor { descriptor in
            let session = try TLSClientContext(trusting: .anyone).connect(on: descriptor, host: "localhost")
            var sent = ArraySlice(text.utf8)
            var received: [UInt8] = []
            var space = [UInt8](repeating: 0, count: 65_536)
            while true {
                let result =
                    sent.isEmpty
                    ? space.withUnsafeMutableBytes { session.read(into: $0) }
                    : sent.withUnsafeBytes { session.write($0) }
                switch result {
                case .bytes(let count) where sent.isEmpty: received += space[..<count]
                case .bytes(let count): sent = sent.dropFirst(count)
                case .wantRead, .wantWrite:
                    var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                    guard poll(&waiting, 1, Int32(LoopbackClient.receiveTimeout / .milliseconds(1))) > 0 else {
                        throw LoopbackClient.Failure.timedOut("TLS")
                    }
                case .closed, .failed: return String(decoding: received, as: UTF8.self)
                }
            }
        }
    }
}
