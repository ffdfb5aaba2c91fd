import Foundation

/// A directory of PEM files that is removed with this object.
public final class PEMFiles: Sendable {
    private let directory: URL

    public init() throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: directory) }

    public var certificate: String { path("certificate.pem") }
    public var key: String { path("key.pem") }

    public func path(_ name: String) -> String { directory.appending(path: name).path }

    @discardableResult public func write(_ text: String, as name: String) throws -> String {
        try text.write(toFile: path(name), atomically: true, encoding: .utf8)
        return path(name)
    }

    /// Writes the test certificate and its key.
    public func writeTestCertificate() throws {
        try write(TestCertificate.certificate, as: "certificate.pem")
        try write(TestCertificate.privateKey, as: "key.pem")
    }
}
