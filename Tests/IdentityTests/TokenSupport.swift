import TestSupport
import ChatDomain
import Crypto
import JSON

@testable import Identity

/// Tokens put together by hand, also ones no honest issuer would make.
enum Forge {
    static let secret = Array("a secret of more than thirty-two bytes".utf8)

    static func token(
        header: String = #"{"alg":"HS256","typ":"JWT"}"#, payload: String, secret: [UInt8] = secret,
        function: HMAC.Function = .sha256
    ) -> String {
        let signed = Base64URL.encode(header.utf8) + "." + Base64URL.encode(payload.utf8)
        return signed + "." + Base64URL.encode(HMAC.code(function, key: secret, message: Array(signed.utf8)))
    }
}

/// 2026-01-01T00:00:00Z, when the tokens of these tests were issued.
let issueTime = Timestamp(milliseconds: TokenFixtures.issuedAt * 1000)

func seconds(_ count: Int64, after start: Timestamp = issueTime) -> Timestamp {
    Timestamp(milliseconds: start.milliseconds + count * 1000)
}

extension TokenVerifier {
    convenience init(secret: [UInt8] = Forge.secret, issuer: String? = nil, audience: String? = nil) {
        self.init(keys: VerificationKeys(secret: secret), issuer: issuer, audience: audience)
    }

    convenience init(pem: String) throws {
        self.init(keys: try VerificationKeys(publicKeyPEM: Array(pem.utf8)))
    }

    convenience init(jwks: String) throws {
        self.init(keys: try VerificationKeys(jwks: Array(jwks.utf8)))
    }

    /// Why a token is refused; nil when it is taken.
    func refusal(of token: String, now: Timestamp = issueTime) -> TokenRefusal? {
        do throws(TokenRefusal) {
            _ = try check(token, now: now)
            return nil
        } catch { return error }
    }
}
