public import ChatDomain
public import Crypto
import JSON

/// Makes tokens signed with a shared secret (HS256, HS384, HS512), for tools and tests.
public struct TokenMinter: Sendable {
    private let secret: [UInt8]
    private let function: HMAC.Function
    private let issuer: String?
    private let audience: String?

    public init(
        secret: [UInt8], function: HMAC.Function = .sha256, issuer: String? = nil, audience: String? = nil
    ) {
        self.secret = secret
        self.function = function
        self.issuer = issuer
        self.audience = audience
    }

    /// - Parameter lifetime: how long from `now` the token is valid; whole seconds count.
    public func mint(
        userID: UserID, username: String? = nil, lifetime: Duration, now: Timestamp
    ) -> String {
        let issuedAt = now.milliseconds / 1000
        var claims = JSONWriter()
        claims.object { claims in
            claims.text("sub", userID.value)
            claims.text("username", username)
            claims.text("iss", issuer)
            claims.text("aud", audience)
            claims.member("iat", issuedAt)
            claims.member("exp", issuedAt + lifetime.components.seconds)
        }
        return sign(claims.bytes)
    }

    private func sign(_ claims: [UInt8]) -> String {
        var header = JSONWriter()
        header.object { header in
            header.text("alg", TokenAlgorithm.hmac(function).name)
            header.text("typ", "JWT")
        }
        let signed = Base64URL.encode(header.bytes) + "." + Base64URL.encode(claims)
        let code = HMAC.code(function, key: secret, message: Array(signed.utf8))
        return signed + "." + Base64URL.encode(code)
    }
}

extension JSONWriter {
    fileprivate mutating func text(_ name: StaticString, _ value: String?) {
        guard let value else { return }
        key(name)
        string(value)
    }
}
