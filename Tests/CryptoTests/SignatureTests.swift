import TestSupport
import Testing

@testable import Crypto

private typealias Fixtures = SignatureFixtures

@Suite("Signatures")
struct SignatureTests {
    struct Signed: Sendable, CustomTestStringConvertible {
        var algorithm: SignatureAlgorithm
        var pem: String
        var signature: [UInt8]
        var testDescription: String { algorithm.rawValue }
        var verifier: SignatureVerifier { get throws { try SignatureVerifier(PublicKey(pem: Array(pem.utf8))) } }
    }

    static let signed = [
        Signed(algorithm: .rs256, pem: TestKeys.rsa, signature: Fixtures.rs256),
        Signed(algorithm: .ps256, pem: TestKeys.rsa, signature: Fixtures.ps256),
        Signed(algorithm: .es256, pem: TestKeys.p256, signature: Fixtures.es256),
        Signed(algorithm: .edDSA, pem: TestKeys.ed25519, signature: Fixtures.edDSA),
    ]

    @Test("A signature is valid for its message, key and algorithm only", arguments: signed)
    func validity(signed: Signed) throws {
        let verifier = try signed.verifier
        for _ in 0..<3 {
            #expect(verifier.isValid(signed.signature, of: Fixtures.message, algorithm: signed.algorithm))
        }
        #expect(!verifier.isValid(signed.signature, of: Fixtures.message + [0], algorithm: signed.algorithm))
        #expect(!verifier.isValid(signed.signature, of: [], algorithm: signed.algorithm))
        for algorithm in SignatureAlgorithm.allCases where algorithm != signed.algorithm {
            #expect(!verifier.isValid(signed.signature, of: Fixtures.message, algorithm: algorithm))
        }
        for other in Self.signed where other.algorithm != signed.algorithm {
            #expect(!verifier.isValid(other.signature, of: Fixtures.message, algorithm: signed.algorithm))
        }
    }

    @Test("A signature of another length is refused", arguments: signed)
    func lengths(signed: Signed) throws {
        let verifier = try signed.verifier
        let signature = signed.signature
        let malformed = [[], [0], Array(signature.dropLast()), signature + [0], [0] + signature, signature + signature]
        for signature in malformed {
            #expect(!verifier.isValid(signature, of: Fixtures.message, algorithm: signed.algorithm))
        }
    }

    @Test("A signature with any bit turned is refused", arguments: signed)
    func damage(signed: Signed) throws {
        let verifier = try signed.verifier
        for index in signed.signature.indices {
            var signature = signed.signature
            signature[index] ^= 1 << (index % 8)
            #expect(!verifier.isValid(signature, of: Fixtures.message, algorithm: signed.algorithm))
        }
    }

    @Test("Numbers of an ECDSA signature that are zero or as large as the curve's order are refused")
    func degenerateNumbers() throws {
        let verifier = try Self.signed[2].verifier
        let zero = [UInt8](repeating: 0, count: 32)
        let large = [UInt8](repeating: 0xff, count: 32)
        let r = Array(Fixtures.es256.prefix(32))
        for signature in [zero + zero, zero + r, r + zero, large + large, r + large] {
            #expect(!verifier.isValid(signature, of: Fixtures.message, algorithm: .es256))
        }
    }

    @Test("A salt of another length than the digest's is refused")
    func shortSalt() throws {
        #expect(
            !(try Self.signed[1].verifier.isValid(Fixtures.ps256ShortSalt, of: Fixtures.message, algorithm: .ps256)))
    }

    @Test("RFC 8037 §A.4: Ed25519")
    func standardExample() throws {
        let key = try PublicKey(
            ed25519: [
                0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a,
                0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a,
            ])
        let signature: [UInt8] = [
            0x86, 0x0c, 0x98, 0xd2, 0x29, 0x7f, 0x30, 0x60, 0xa3, 0x3f, 0x42, 0x73, 0x96, 0x72, 0xd6, 0x1b,
            0x53, 0xcf, 0x3a, 0xde, 0xfe, 0xd3, 0xd3, 0xc6, 0x72, 0xf3, 0x20, 0xdc, 0x02, 0x1b, 0x41, 0x1e,
            0x9d, 0x59, 0xb8, 0x62, 0x8d, 0xc3, 0x51, 0xe2, 0x48, 0xb8, 0x8b, 0x29, 0x46, 0x8e, 0x0e, 0x41,
            0x85, 0x5b, 0x0f, 0xb7, 0xd8, 0x3b, 0xb1, 0x5b, 0xe9, 0x02, 0xbf, 0xcc, 0xb8, 0xcd, 0x0a, 0x02,
        ]
        let message = Array("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc".utf8)
        #expect(SignatureVerifier(key).isValid(signature, of: message, algorithm: .edDSA))
    }
}
