import Foundation
import TestSupport
import Testing

@testable import Crypto

/// A server's and a client's session on the two ends of a socket pair, both non-blocking, driven in turn.
final class TLSPair {
    let server: TLSSession
    let client: TLSSession
    let serverSocket: Int32
    let clientSocket: Int32

    init(_ serverContext: TLSContext, _ clientContext: TLSClientContext, host: String = "localhost") throws {
        signal(SIGPIPE, SIG_IGN)
        var ends: [Int32] = [-1, -1]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        for end in ends {
            try #require(fcntl(end, F_SETFL, fcntl(end, F_GETFL) | O_NONBLOCK) == 0)
        }
        serverSocket = ends[0]
        clientSocket = ends[1]
        server = try serverContext.accept(on: serverSocket)
        client = try clientContext.connect(on: clientSocket, host: host)
    }

    deinit {
        close(serverSocket)
        close(clientSocket)
    }

    /// Lets both sides take steps until both are through or one fails; the last result of each.
    func handshake() -> (server: TLSResult, client: TLSResult) {
        var results: (server: TLSResult, client: TLSResult) = (.wantRead, .wantRead)
        for _ in 0..<20 where results.server == .wantRead || results.client == .wantRead {
            if results.client == .wantRead { results.client = client.handshake() }
            if results.server == .wantRead { results.server = server.handshake() }
        }
        return results
    }
}

extension TLSSession {
    func read(_ count: Int) -> (result: TLSResult, bytes: [UInt8]) {
        var buffer = [UInt8](repeating: 0, count: count)
        let result = buffer.withUnsafeMutableBytes { read(into: $0) }
        guard case .bytes(let length) = result else { return (result, []) }
        return (result, Array(buffer.prefix(length)))
    }

    func write(_ bytes: [UInt8]) -> TLSResult { bytes.withUnsafeBytes { write($0) } }
}

extension PEMFiles {
    /// The credentials of the files as they are now.
    func credentials() throws(TLSError) -> TLSCredentials {
        try TLSCredentials(certificateChainFile: certificate, privateKeyFile: key)
    }

    /// A context with a certificate and key that belong together.
    func context() throws -> TLSContext {
        try writeTestCertificate()
        return try TLSContext(try credentials())
    }
}
