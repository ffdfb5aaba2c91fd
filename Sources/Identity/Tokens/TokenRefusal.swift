/// Why a token is refused, for the log and for `token check`. Clients never see it, and it holds no part of the token.
public enum TokenRefusal: String, Error, Hashable, Sendable, CaseIterable, CustomStringConvertible {
    case tooLong = "longer than 8 KiB"
    case notThreeParts = "not three parts with a dot between them"
    case badEncoding = "a part is not base64url"
    case malformedHeader = "the header is not a JSON object with alg and, if any, kid as texts"
    case criticalExtension = "the header demands an extension (crit)"
    case algorithmNotAllowed = "no configured key is for the header's algorithm"
    case unknownKey = "no configured key has the header's kid"
    case badSignature = "the signature does not match"
    case malformedClaims = "the payload is not a JSON object with exp, nbf and iat as numbers"
    case missingUser = "no sub, userId or id of 1 to 128 characters"
    case expired = "expired (exp)"
    case notYetValid = "not valid yet (nbf)"
    case wrongIssuer = "from another issuer (iss)"
    case wrongAudience = "for another audience (aud)"
    case refusedByAuthService = "the Auth Service does not accept it"

    public var description: String { rawValue }
}
