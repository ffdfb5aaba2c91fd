import Testing

@testable import Crypto

@Suite("Digests and codes")
struct DigestTests {
    static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }

    @Test("SHA-1 and SHA-256 of the standard's examples (FIPS 180)")
    func standardExamples() {
        #expect(Self.hex(Digest.sha1("abc".utf8)) == "a9993e364706816aba3e25717850c26c9cd0d89d")
        #expect(Self.hex(Digest.sha1("".utf8)) == "da39a3ee5e6b4b0d3255bfef95601890afd80709")
        #expect(
            Self.hex(Digest.sha256("abc".utf8))
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(
            Self.hex(Digest.sha256([])) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }

    @Test("HMAC of RFC 4231, test case 2")
    func hmacExamples() {
        let key = Array("Jefe".utf8)
        let message = Array("what do ya want for nothing?".utf8)
        #expect(
            Self.hex(HMAC.code(.sha256, key: key, message: message))
                == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        #expect(
            Self.hex(HMAC.code(.sha384, key: key, message: message))
                == "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649")
        #expect(
            Self.hex(HMAC.code(.sha512, key: key, message: message))
                == "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
                + "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737")
    }

    @Test("An empty key is a key of its own, whatever was used before")
    func emptyKey() {
        _ = HMAC.code(.sha256, key: [1, 2, 3], message: [])
        #expect(
            Self.hex(HMAC.code(.sha256, key: [], message: []))
                == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad")
    }

    @Test("A code is valid for its own message, key and function only", arguments: HMAC.Function.allCases)
    func validity(function: HMAC.Function) {
        var code = HMAC.code(function, key: [1], message: [2])
        #expect(code.count == function.byteCount)
        #expect(HMAC.isValid(code, function, key: [1], message: [2]))
        #expect(!HMAC.isValid(code, function, key: [1], message: [3]))
        #expect(!HMAC.isValid(code, function, key: [2], message: [2]))
        #expect(!HMAC.isValid(Array(code.dropLast()), function, key: [1], message: [2]))
        #expect(!HMAC.isValid([], function, key: [1], message: [2]))
        code[code.count - 1] ^= 1
        #expect(!HMAC.isValid(code, function, key: [1], message: [2]))
    }

    @Test("Comparison in constant time compares")
    func constantTime() {
        #expect(ConstantTime.equal([], []))
        #expect(ConstantTime.equal([1, 2], [1, 2]))
        #expect(!ConstantTime.equal([1, 2], [1, 3]))
        #expect(!ConstantTime.equal([1, 2], [1, 2, 0]))
    }

    @Test("Random bytes are as many as asked for and differ")
    func randomness() {
        #expect(SecureRandom.bytes(0).isEmpty)
        #expect(SecureRandom.bytes(33).count == 33)
        #expect(Set((0..<1000).map { _ in SecureRandom.uint64() }).count == 1000)
    }
}
