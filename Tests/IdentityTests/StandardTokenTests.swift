import ChatDomain
import Crypto
import JSON
import Testing

@testable import Identity

/// The signed examples that the standards print.
@Suite("Tokens of the standards")
struct StandardTokenTests {
    struct Example: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var token: String
        var keys: @Sendable () throws -> VerificationKeys
    }

    private static let payload =
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"

    static let examples = [
        Example(
            testDescription: "RFC 7515 §A.1 (RFC 7519 §3.1), HS256",
            token: "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." + payload
                + ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
            keys: {
                let secret =
                    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
                return VerificationKeys(secret: try #require(Base64URL.decode(Array(secret.utf8))))
            }),
        Example(
            testDescription: "RFC 7515 §A.2, RS256",
            token: "eyJhbGciOiJSUzI1NiJ9." + payload
                + ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5"
                + "jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07"
                + "Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI"
                + "8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
            keys: {
                let modulus =
                    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4"
                    + "QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdb"
                    + "BYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-D"
                    + "WNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
                return try VerificationKeys(
                    jwks: Array(#"{"keys":[{"kty":"RSA","n":"\#(modulus)","e":"AQAB"}]}"#.utf8))
            }),
        Example(
            testDescription: "RFC 7515 §A.3, ES256",
            token: "eyJhbGciOiJFUzI1NiJ9." + payload
                + ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
            keys: {
                try VerificationKeys(
                    jwks: Array(
                        #"""
                        {"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                        "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}
                        """#.utf8))
            }),
        Example(
            testDescription: "RFC 8037 §A.4, EdDSA",
            token: "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
                + "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
            keys: {
                try VerificationKeys(
                    jwks: Array(
                        #"""
                        {"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}
                        """#.utf8))
            }),
    ]

    @Test("The signature is good, and no longer with a byte changed", arguments: examples)
    func signature(example: Example) throws {
        let keys = try example.keys()
        #expect(throws: Never.self) { try keys.check(try JSONWebToken(parsing: example.token)) }
        let changed = example.token.replacing("J", with: "K", maxReplacements: 1)
        #expect(throws: TokenRefusal.self) { try keys.check(try JSONWebToken(parsing: changed)) }
        for other in Self.examples where other.testDescription != example.testDescription {
            #expect(throws: TokenRefusal.algorithmNotAllowed) {
                try keys.check(try JSONWebToken(parsing: other.token))
            }
        }
    }

    @Test("RFC 7515 §A.5, the unsecured token, is refused by every key")
    func unsecured() throws {
        let token = try JSONWebToken(parsing: "eyJhbGciOiJub25lIn0." + Self.payload + ".")
        for example in Self.examples {
            let keys = try example.keys()
            #expect(throws: TokenRefusal.algorithmNotAllowed) { try keys.check(token) }
        }
    }
}
