import TestSupport
import Testing

@testable import Crypto

@Suite("Certificates and keys of a TLS server")
struct TLSContextTests {
    private func refusal(certificate: String?, key: String?) throws -> (TLSError?, PEMFiles) {
        let files = try PEMFiles()
        if let certificate { try files.write(certificate, as: "certificate.pem") }
        if let key { try files.write(key, as: "key.pem") }
        do throws(TLSError) {
            _ = try files.credentials()
            return (nil, files)
        } catch { return (error, files) }
    }

    @Test("A certificate and its key are taken")
    func matching() throws {
        #expect(try refusal(certificate: TestCertificate.certificate, key: TestCertificate.privateKey).0 == nil)
    }

    @Test("The chain expires with its first certificate")
    func expiry() throws {
        let files = try PEMFiles()
        // 2120-01-01T00:00:00Z.
        try files.write(TestCertificate.certificate + TLSFixtures.otherCertificate, as: "certificate.pem")
        try files.write(TestCertificate.privateKey, as: "key.pem")
        #expect(try files.credentials().expirySeconds() == 4_733_510_400)
    }

    @Test("A key of another certificate is named as such, with both files")
    func mismatch() throws {
        let (error, files) = try refusal(certificate: TestCertificate.certificate, key: TLSFixtures.otherPrivateKey)
        #expect(
            error == .mismatch(certificateFile: files.path("certificate.pem"), keyFile: files.path("key.pem")))
    }

    @Test("A missing file is named with the system's reason")
    func missing() throws {
        let (noCertificate, files) = try refusal(certificate: nil, key: TestCertificate.privateKey)
        let text = try #require(noCertificate?.description)
        #expect(text.contains(files.path("certificate.pem")))
        #expect(text.contains("No such file or directory"))
        let (noKey, _) = try refusal(certificate: TestCertificate.certificate, key: nil)
        guard case .privateKey(_, let reason) = noKey else { Issue.record("\(String(describing: noKey))"); return }
        #expect(reason.contains("No such file or directory"))
    }

    @Test("A file that is no PEM is refused", arguments: ["", "garbage\n", "-----BEGIN CERTIFICATE-----\nAAAA\n"])
    func garbage(text: String) throws {
        guard case .certificate = try refusal(certificate: text, key: TestCertificate.privateKey).0 else {
            Issue.record("taken as a certificate: \(text)")
            return
        }
        guard case .privateKey = try refusal(certificate: TestCertificate.certificate, key: text).0 else {
            Issue.record("taken as a key: \(text)")
            return
        }
    }

    @Test("A key behind a password is refused without a question on the terminal")
    func encryptedKey() throws {
        guard
            case .privateKey(_, let reason) = try refusal(
                certificate: TestCertificate.certificate, key: TLSFixtures.encryptedPrivateKey
            ).0
        else {
            Issue.record("an encrypted key was taken")
            return
        }
        #expect(reason.contains("password"))
    }

    @Test("A chain may hold several certificates; text that is no certificate behind them is refused")
    func chain() throws {
        let two = TestCertificate.certificate + TLSFixtures.otherCertificate
        #expect(try refusal(certificate: two, key: TestCertificate.privateKey).0 == nil)
        let broken = two + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
        guard case .certificate = try refusal(certificate: broken, key: TestCertificate.privateKey).0 else {
            Issue.record("a broken chain was taken")
            return
        }
    }

    @Test("New sessions use replaced credentials; credentials that cannot be read leave the old ones in use")
    func replacement() throws {
        let files = try PEMFiles()
        let context = try files.context()
        let old = try TLSClientContext(trusting: .authorities(file: files.path("certificate.pem")))
        let open = try TLSPair(context, old)
        #expect(open.handshake().client == .bytes(0))

        try files.write(TLSFixtures.otherPrivateKey, as: "key.pem")
        #expect(throws: TLSError.self) { try files.credentials() }
        #expect(try TLSPair(context, old).handshake().client == .bytes(0))

        try files.write(TLSFixtures.otherCertificate, as: "certificate.pem")
        try context.replaceCredentials(try files.credentials())
        let new = try TLSClientContext(trusting: .authorities(file: files.path("certificate.pem")))
        #expect(try TLSPair(context, new).handshake().client == .bytes(0))
        guard case .failed = try TLSPair(context, old).handshake().client else {
            Issue.record("the old certificate is still served")
            return
        }
        #expect(open.server.write([1, 2, 3]) == .bytes(3))
        #expect(open.client.read(16).bytes == [1, 2, 3])
    }
}
