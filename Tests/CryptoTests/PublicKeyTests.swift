import TestSupport
import Testing

@testable import Crypto

private typealias Fixtures = SignatureFixtures

@Suite("Public keys")
struct PublicKeyTests {
    @Test("The kinds are told apart")
    func kinds() throws {
        #expect(try PublicKey(pem: Array(TestKeys.rsa.utf8)).kind == .rsa)
        #expect(try PublicKey(pem: Array(TestKeys.p256.utf8)).kind == .p256)
        #expect(try PublicKey(pem: Array(TestKeys.ed25519.utf8)).kind == .ed25519)
    }

    @Test("The same key is equal, whatever form it was read from")
    func forms() throws {
        let rsa = try PublicKey(pem: Array(TestKeys.rsa.utf8))
        #expect(try PublicKey(pem: Array(Fixtures.rsaShortForm.utf8)) == rsa)
        #expect(try PublicKey(rsaModulus: Fixtures.rsaModulus, exponent: [1, 0, 1]) == rsa)
        #expect(try PublicKey(rsaModulus: [0] + Fixtures.rsaModulus, exponent: [0, 1, 0, 1]) == rsa)
        let p256 = try PublicKey(pem: Array(TestKeys.p256.utf8))
        #expect(try PublicKey(p256X: Fixtures.p256X, y: Fixtures.p256Y) == p256)
        let ed25519 = try PublicKey(pem: Array(TestKeys.ed25519.utf8))
        #expect(try PublicKey(ed25519: Fixtures.ed25519Raw) == ed25519)
    }

    @Test("A certificate gives its key")
    func certificate() throws {
        #expect(try PublicKey(pem: Array(TestCertificate.certificate.utf8)).kind == .p256)
    }

    @Test("Weak, foreign and private keys are refused by name")
    func unfitKeys() {
        #expect(throws: PublicKey.Refusal.tooShort(bits: 1024)) { try PublicKey(pem: Array(Fixtures.rsa1024.utf8)) }
        #expect(throws: PublicKey.Refusal.unsupportedKind) { try PublicKey(pem: Array(Fixtures.p384.utf8)) }
        for key in [TestCertificate.privateKey, TLSFixtures.encryptedPrivateKey] {
            #expect(throws: PublicKey.Refusal.isPrivate) { try PublicKey(pem: Array(key.utf8)) }
        }
    }

    @Test(
        "What is no key is refused with a reason",
        arguments: ["", "hello", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"])
    func garbage(text: String) throws {
        let refusal = #expect(throws: PublicKey.Refusal.self) { try PublicKey(pem: Array(text.utf8)) }
        guard case .unreadable(let reason) = refusal else {
            Issue.record("\(String(describing: refusal))")
            return
        }
        #expect(!reason.isEmpty)
    }

    @Test("Parameters that make no key are refused")
    func malformedParameters() {
        let off = [UInt8](repeating: 1, count: 32)
        let parameters: [() throws -> PublicKey] = [
            { try PublicKey(p256X: off, y: off) },
            { try PublicKey(p256X: [], y: []) },
            { try PublicKey(p256X: Fixtures.p256X, y: Fixtures.p256Y + [0]) },
            { try PublicKey(ed25519: []) },
            { try PublicKey(ed25519: off + [0]) },
            { try PublicKey(rsaModulus: [], exponent: []) },
            { try PublicKey(rsaModulus: Fixtures.rsaModulus, exponent: []) },
            { try PublicKey(rsaModulus: Fixtures.rsaModulus, exponent: [1]) },
            { try PublicKey(rsaModulus: Fixtures.rsaModulus, exponent: [2]) },
        ]
        for (index, make) in parameters.enumerated() {
            #expect(throws: PublicKey.Refusal.self, "case \(index)") { try make() }
        }
    }
}
