import ChatDomain
import Crypto
import JSON
import TestSupport
import Testing

@testable import Identity

@Suite("Verifying tokens")
struct TokenVerifierTests {
    private static let payload = #"{"sub":"alice","exp":1767229200}"#

    struct Signed: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var pem: String
        var token: String
        var named: String
    }

    static let signed = [
        Signed(
            testDescription: "RS256", pem: TestKeys.rsa, token: TokenFixtures.rs256,
            named: TokenFixtures.rs256Named),
        Signed(
            testDescription: "PS256", pem: TestKeys.rsa, token: TokenFixtures.ps256,
            named: TokenFixtures.ps256Named),
        Signed(
            testDescription: "ES256", pem: TestKeys.p256, token: TokenFixtures.es256,
            named: TokenFixtures.es256Named),
        Signed(
            testDescription: "EdDSA", pem: TestKeys.ed25519, token: TokenFixtures.edDSA,
            named: TokenFixtures.edDSANamed),
    ]

    @Test("A token is taken by its issuer's key and by no other", arguments: signed)
    func publicKeys(signed: Signed) throws {
        let claims = try TokenVerifier(pem: signed.pem).check(signed.token, now: issueTime)
        #expect(claims.userID.value == "alice")
        #expect(claims.username == "Alice")
        #expect(claims.expiresAt?.milliseconds == TokenFixtures.expiresAt * 1000)
        for pem in [TestKeys.rsa, TestKeys.p256, TestKeys.ed25519] where pem != signed.pem {
            #expect(try TokenVerifier(pem: pem).refusal(of: signed.token) == .algorithmNotAllowed)
        }
        #expect(TokenVerifier().refusal(of: signed.token) == .algorithmNotAllowed)
    }

    @Test("A key without a name takes tokens that name theirs", arguments: signed)
    func unnamedKey(signed: Signed) throws {
        #expect(try TokenVerifier(pem: signed.pem).refusal(of: signed.named) == nil)
    }

    @Test("A signature of another token, cut short, grown or gone is refused", arguments: signed)
    func malformedSignatures(signed: Signed) throws {
        let verifier = try TokenVerifier(pem: signed.pem)
        let parts = signed.token.split(separator: ".").map(String.init)
        let other = signed.named.split(separator: ".").map(String.init)
        let head = parts[0] + "." + parts[1] + "."
        #expect(verifier.refusal(of: head + other[2]) == .badSignature)
        #expect(verifier.refusal(of: head) == .badSignature)
        let signature = try #require(Base64URL.decode(Array(parts[2].utf8)))
        for wrong in [Array(signature.dropLast()), signature + [0], [0] + signature, [0x30, 0x06] + signature] {
            #expect(verifier.refusal(of: head + Base64URL.encode(wrong)) == .badSignature)
        }
    }

    @Test("HS256, HS384 and HS512 are taken with the shared secret", arguments: HMAC.Function.allCases)
    func sharedSecret(function: HMAC.Function) {
        let name = TokenAlgorithm.hmac(function).name
        let token = Forge.token(header: #"{"alg":"\#(name)"}"#, payload: Self.payload, function: function)
        #expect(TokenVerifier().refusal(of: token) == nil)
        #expect(TokenVerifier(secret: Forge.secret + [1]).refusal(of: token) == .badSignature)
        for other in HMAC.Function.allCases where other != function {
            let header = #"{"alg":"\#(TokenAlgorithm.hmac(other).name)"}"#
            let mislabelled = Forge.token(header: header, payload: Self.payload, function: function)
            #expect(TokenVerifier().refusal(of: mislabelled) == .badSignature)
        }
    }

    @Test("A public key is not accepted as a shared secret", arguments: [TestKeys.rsa, TestKeys.p256])
    func algorithmConfusion(pem: String) throws {
        let verifier = try TokenVerifier(pem: pem)
        for secret in [pem, String(pem.dropLast()), pem + "\n"] {
            let token = Forge.token(payload: Self.payload, secret: Array(secret.utf8))
            #expect(verifier.refusal(of: token) == .algorithmNotAllowed)
        }
    }

    @Test(
        "An algorithm that is not configured is refused, however it is written",
        arguments: ["none", "None", "NONE", "nOnE", "", "HS1", "hs256", "HS256 ", "RS1", "RS512", "ES384", "dir"])
    func unknownAlgorithms(name: String) throws {
        let header = #"{"alg":"\#(name)"}"#
        let unsigned = Base64URL.encode(header.utf8) + "." + Base64URL.encode(Self.payload.utf8) + "."
        for token in [unsigned, Forge.token(header: header, payload: Self.payload)] {
            #expect(TokenVerifier().refusal(of: token) == .algorithmNotAllowed)
            #expect(try TokenVerifier(pem: TestKeys.rsa).refusal(of: token) == .algorithmNotAllowed)
        }
    }

    @Test("Without a key nothing is taken, nor with an empty secret")
    func noKeys() {
        let token = Forge.token(payload: Self.payload, secret: [])
        #expect(TokenVerifier(secret: []).refusal(of: token) == .algorithmNotAllowed)
    }

    @Test(
        "A header that is not one is refused",
        arguments: [
            "[]", "null", "", "{", #"{"typ":"JWT"}"#, #"{"alg":256}"#, #"{"alg":null}"#, #"{"alg":["HS256"]}"#,
            #"{"alg":"HS256","kid":7}"#, #"{"alg":"HS256","kid":null}"#, #"{"alg":"HS256"}{}"#,
        ])
    func malformedHeader(header: String) {
        #expect(TokenVerifier().refusal(of: Forge.token(header: header, payload: Self.payload)) == .malformedHeader)
    }

    @Test(
        "A header that demands an extension is refused",
        arguments: [#"["b64"]"#, "[]", "null", #"["exp"]"#])
    func critical(value: String) throws {
        let header = #"{"alg":"HS256","crit":\#(value)}"#
        #expect(TokenVerifier().refusal(of: Forge.token(header: header, payload: Self.payload)) == .criticalExtension)
        #expect(
            try TokenVerifier(pem: TestKeys.p256).refusal(of: TokenFixtures.es256Critical) == .criticalExtension)
    }

    @Test("Expiry and start are judged with 30 seconds' grace, to the millisecond")
    func times() {
        let verifier = TokenVerifier()
        let ending = Forge.token(payload: #"{"sub":"a","exp":1767225600}"#)
        #expect(verifier.refusal(of: ending, now: Timestamp(milliseconds: 1_767_225_629_999)) == nil)
        #expect(verifier.refusal(of: ending, now: Timestamp(milliseconds: 1_767_225_630_000)) == .expired)
        let starting = Forge.token(payload: #"{"sub":"a","nbf":1767225600}"#)
        #expect(verifier.refusal(of: starting, now: Timestamp(milliseconds: 1_767_225_570_000)) == nil)
        #expect(verifier.refusal(of: starting, now: Timestamp(milliseconds: 1_767_225_569_999)) == .notYetValid)
    }

    @Test("The issuer is looked at when one is configured")
    func issuer() {
        let verifier = TokenVerifier(issuer: "us")
        #expect(verifier.refusal(of: Forge.token(payload: #"{"sub":"a","iss":"us"}"#)) == nil)
        for claim in ["", #","iss":"them""#, #","iss":["us"]"#, #","iss":"US""#] {
            #expect(verifier.refusal(of: Forge.token(payload: #"{"sub":"a"\#(claim)}"#)) == .wrongIssuer)
        }
    }

    @Test("The audience is looked at when one is configured, alone or among others")
    func audience() {
        let verifier = TokenVerifier(audience: "chat")
        for claim in [#""chat""#, #"["chat"]"#, #"["mail","chat"]"#] {
            #expect(verifier.refusal(of: Forge.token(payload: #"{"sub":"a","aud":\#(claim)}"#)) == nil)
        }
        for claim in [#""mail""#, "[]", #"["mail"]"#, #"{"chat":1}"#, "null"] {
            #expect(verifier.refusal(of: Forge.token(payload: #"{"sub":"a","aud":\#(claim)}"#)) == .wrongAudience)
        }
        #expect(verifier.refusal(of: Forge.token(payload: #"{"sub":"a"}"#)) == .wrongAudience)
    }

    @Test("To the bearer every refusal is the same")
    func uniformError() {
        let verifier = TokenVerifier(issuer: "us", audience: "chat")
        let bad = ["", "a.b.c", Forge.token(payload: "{}"), Forge.token(payload: Self.payload), TokenFixtures.es256]
        for token in bad {
            #expect(throws: ChatError.unauthorized) { try verifier.verify(token, now: issueTime) }
        }
    }

    @Test("Keys can be replaced while the verifier is in use")
    func replacement() {
        let verifier = TokenVerifier()
        let token = Forge.token(payload: Self.payload)
        #expect(verifier.refusal(of: token) == nil)
        verifier.replaceKeys(VerificationKeys(secret: [1]))
        #expect(verifier.refusal(of: token) == .badSignature)
        #expect(verifier.refusal(of: Forge.token(payload: Self.payload, secret: [1])) == nil)
    }

    @Test("Many threads verify at once")
    func concurrency() async throws {
        let verifier = try TokenVerifier(pem: TestKeys.p256)
        let taken = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<200 { group.addTask { verifier.refusal(of: TokenFixtures.es256) == nil } }
            return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(taken == 200)
    }
}
