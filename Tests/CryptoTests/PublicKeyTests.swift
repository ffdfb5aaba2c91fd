import Foundation
import TestSupport
import Testing

@testable import Crypto

private typealias Fixtures = SignatureFixtures

private let zeros = String(repeating: "00", count: 31)
private let ones = String(repeating: "ff", count: 30) + "7f"

@Suite("Public keys")
struct PublicKeyTests {
    @Test("The kinds are distinguished")
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

    /// The seven values of y, of which the sign bit makes fourteen encodings.
    @Test(
        "Keys of small order are refused, in every encoding",
        arguments: [
            "00" + zeros, "01" + zeros, "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", "ec" + ones, "ed" + ones, "ee" + ones,
        ])
    func smallOrder(hex: String) throws {
        var bytes = stride(from: 0, to: 64, by: 2).compactMap { start in
            UInt8(hex.dropFirst(start).prefix(2), radix: 16)
        }
        for _ in 0..<2 {
            #expect(throws: PublicKey.Refusal.smallOrder) { try PublicKey(ed25519: bytes) }
            let prefix: [UInt8] = [0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00]
            let text = Data(prefix + bytes).base64EncodedString()
            let pem = "-----BEGIN PUBLIC KEY-----\n\(text)\n-----END PUBLIC KEY-----\n"
            #expect(throws: PublicKey.Refusal.smallOrder) { try PublicKey(pem: Array(pem.utf8)) }
            bytes[31] ^= 0x80
        }
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
