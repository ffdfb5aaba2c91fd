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

/// A directory of PEM files that goes with its owner.
final class PEMFiles {
    private let directory: URL

    init() throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: directory) }

    func path(_ name: String) -> String { directory.appending(path: name).path }

    @discardableResult func write(_ text: String, as name: String) throws -> String {
        try text.write(toFile: path(name), atomically: true, encoding: .utf8)
        return path(name)
    }

    /// The credentials of the files as they are now.
    func credentials() throws(TLSError) -> TLSCredentials {
        try TLSCredentials(certificateChainFile: path("certificate.pem"), privateKeyFile: path("key.pem"))
    }

    /// A context with a certificate and key that belong together.
    func context() throws -> TLSContext {
        try write(TestCertificate.certificate, as: "certificate.pem")
        try write(TestCertificate.privateKey, as: "key.pem")
        return try TLSContext(try credentials())
    }
}
