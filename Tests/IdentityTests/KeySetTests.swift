import Crypto
import TestSupport
import Testing

@testable import Identity

@Suite("Key sets")
struct KeySetTests {
    private static let all = set(TokenFixtures.rsaKey, TokenFixtures.p256Key, TokenFixtures.ed25519Key)

    private static func set(_ keys: String...) -> String { #"{"keys":[\#(keys.joined(separator: ","))]}"# }

    private func keys(_ text: String) throws(KeySetError) -> VerificationKeys {
        try VerificationKeys(jwks: Array(text.utf8))
    }

    @Test(
        "Every token finds its key, by name or without one",
        arguments: [
            TokenFixtures.rs256, TokenFixtures.rs256Named, TokenFixtures.ps256, TokenFixtures.ps256Named,
            TokenFixtures.es256, TokenFixtures.es256Named, TokenFixtures.edDSA, TokenFixtures.edDSANamed,
        ])
    func lookup(token: String) throws {
        #expect(try TokenVerifier(jwks: Self.all).refusal(of: token) == nil)
    }

    @Test("A token that names another key is refused, though one here would fit")
    func misnamed() throws {
        let verifier = try TokenVerifier(jwks: Self.all)
        #expect(verifier.refusal(of: TokenFixtures.es256Misnamed) == .unknownKey)
        #expect(verifier.refusal(of: TokenFixtures.es256OtherHeader) == .unknownKey)
    }

    @Test("What a header says of files and addresses is not looked at")
    func hostileHeader() throws {
        #expect(try TokenVerifier(pem: TestKeys.p256).refusal(of: TokenFixtures.es256OtherHeader) == nil)
        let stranger = try TokenVerifier(jwks: Self.set(TokenFixtures.rsaKey))
        #expect(stranger.refusal(of: TokenFixtures.es256OtherHeader) == .algorithmNotAllowed)
    }

    @Test("A key that names its algorithm takes no other")
    func algorithm() throws {
        let key = TokenFixtures.rsaKey.replacing(#""use""#, with: #""alg":"PS256","use""#)
        let verifier = try TokenVerifier(jwks: Self.set(key))
        #expect(verifier.refusal(of: TokenFixtures.ps256) == nil)
        #expect(verifier.refusal(of: TokenFixtures.rs256) == .algorithmNotAllowed)
    }

    @Test("Several keys of one kind are tried when the token names none")
    func several() throws {
        let other = """
            {"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",\
            "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","kid":"z"}
            """
        let verifier = try TokenVerifier(jwks: Self.set(other, TokenFixtures.p256Key))
        #expect(verifier.refusal(of: TokenFixtures.es256) == nil)
        #expect(verifier.refusal(of: TokenFixtures.es256Named) == nil)
        #expect(try TokenVerifier(jwks: Self.set(other)).refusal(of: TokenFixtures.es256) == .badSignature)
    }

    @Test("Keys of no use are passed over, each with its reason")
    func ignored() throws {
        let useless = [
            TokenFixtures.rsaKey.replacing(#""sig""#, with: #""enc""#),
            TokenFixtures.ed25519Key.replacing(#""verify""#, with: #""sign""#),
            TokenFixtures.p256Key.replacing(#""ES256""#, with: #""ES384""#),
            TokenFixtures.p256Key.replacing(#""ES256""#, with: #""HS256""#),
            TokenFixtures.p256Key.replacing(#""P-256""#, with: #""P-384""#),
            TokenFixtures.p256Key.replacing(#""e""#, with: "7"),
            TokenFixtures.rsaKey.replacing(#""e":"AQAB""#, with: #""e":"AQAB=""#),
            TokenFixtures.rsaKey.replacing(#""e":"AQAB","#, with: ""),
            #"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#, #"{"kty":"oct","k":"AQAB"}"#, #"{"kty":"EC","crv":"P-256"}"#,
            #"{"kty":7}"#, "{}", "7", "null", "[]",
        ]
        for key in useless {
            #expect(throws: KeySetError.self, "\(key)") { try keys(Self.set(key)) }
        }
        let neutral = #"{"kty":"OKP","crv":"Ed25519","x":"AQ\#(String(repeating: "A", count: 41))"}"#
        #expect(throws: KeySetError.noUsableKey(["key 1: \(PublicKey.Refusal.smallOrder)"])) {
            try keys(Self.set(neutral))
        }
        let mixed = try keys(#"{"keys":[\#(useless.joined(separator: ",")),\#(TokenFixtures.p256Key)]}"#)
        #expect(mixed.count == 1)
        #expect(mixed.ignored.count == useless.count)
        #expect(mixed.ignored.first == "key 1: its use is not sig")
        #expect(mixed.ignored[8].contains("too short"))
    }

    @Test(
        "What is no key set is refused",
        arguments: ["", "[]", "{}", "null", #"{"keys":{}}"#, #"{"keys":null}"#, #"{"keys":["#, TestKeys.rsa])
    func malformed(text: String) {
        #expect(throws: KeySetError.malformed) { try keys(text) }
    }

    @Test("An empty set and an endless one are refused")
    func sizes() {
        #expect(throws: KeySetError.noUsableKey([])) { try keys(Self.set()) }
        let many = Array(repeating: "{}", count: 101).joined(separator: ",")
        #expect(throws: KeySetError.tooManyKeys(101)) { try keys(#"{"keys":[\#(many)]}"#) }
    }

    @Test("Keys of several sources stand side by side")
    func combination() throws {
        let verifier = TokenVerifier(
            keys: VerificationKeys(secret: Forge.secret).adding(try keys(Self.set(TokenFixtures.p256Key))))
        #expect(verifier.refusal(of: Forge.token(payload: #"{"sub":"a"}"#)) == nil)
        #expect(verifier.refusal(of: TokenFixtures.es256Named) == nil)
        #expect(verifier.refusal(of: TokenFixtures.rs256) == .algorithmNotAllowed)
        let named = Forge.token(header: #"{"alg":"HS256","kid":"anything"}"#, payload: #"{"sub":"a"}"#)
        #expect(verifier.refusal(of: named) == nil)
    }
}
