import Foundation
import TestSupport

/// A self-signed certificate for `localhost` and 127.0.0.1, made by the openssl command.
public final class Certificates: Sendable {
    private let directory: String

    public var certificate: String { directory + "/certificate.pem" }
    public var key: String { directory + "/key.pem" }
    public var authority: String { certificate }

    public init() throws {
        directory = FileManager.default.temporaryDirectory.path + "/certificates-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let arguments = [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj",
            "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out",
            certificate,
        ]
        guard try ChildProcess("openssl", arguments).waitForEnd() == 0 else {
            throw RedisServer.Trouble(description: "openssl made no certificate")
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }
}
