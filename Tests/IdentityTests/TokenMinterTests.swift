import ChatDomain
import Crypto
import JSON
import Testing

@testable import Identity

@Suite("Minting tokens and the service key")
struct TokenMinterTests {
    @Test("What is minted is believed until it expires", arguments: HMAC.Function.allCases)
    func minting(function: HMAC.Function) throws {
        let minter = TokenMinter(secret: Forge.secret, function: function, issuer: "us", audience: "chat")
        let verifier = TokenVerifier(issuer: "us", audience: "chat")
        let user = UserID(unchecked: #"käthe "x" \ 🙂"#)
        let token = minter.mint(userID: user, username: "Käthe", lifetime: .seconds(900), now: issueTime)
        let claims = try verifier.check(token, now: seconds(899))
        #expect(claims.userID == user)
        #expect(claims.username == "Käthe")
        #expect(claims.issuedAt == issueTime)
        #expect(claims.expiresAt == seconds(900))
        #expect(verifier.refusal(of: token, now: seconds(930)) == .expired)
        #expect(TokenVerifier(secret: [1]).refusal(of: token) == .badSignature)
    }

    @Test("What is not known is not said")
    func minimal() throws {
        let token = TokenMinter(secret: Forge.secret).mint(
            userID: UserID(unchecked: "a"), lifetime: .seconds(1), now: issueTime)
        let parts = token.split(separator: ".")
        let payload = try #require(Base64URL.decode(Array(parts[1].utf8)))
        #expect(String(decoding: payload, as: UTF8.self) == #"{"sub":"a","iat":1767225600,"exp":1767225601}"#)
        #expect(Base64URL.decode(Array(parts[0].utf8)) == Array(#"{"alg":"HS256","typ":"JWT"}"#.utf8))
    }

    @Test("The service key opens for itself only")
    func serviceKey() {
        let key = ServiceKey("correct horse")
        #expect(key.matches("correct horse"))
        for other in ["", "correct hors", "correct horse ", "Correct horse", "correct\u{0}horse"] {
            #expect(!key.matches(other))
        }
    }
}
