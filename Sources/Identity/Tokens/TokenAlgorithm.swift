public import Crypto

/// How a token is signed (RFC 7518 §3.1, RFC 8037 §3.1). There is no `none`.
public enum TokenAlgorithm: Hashable, Sendable {
    case hmac(HMAC.Function)
    case signature(SignatureAlgorithm)

    /// - Parameter name: the `alg` of a header or key. The result is nil for an algorithm that is not supported.
    public init?(name: String) {
        switch name {
        case "HS256": self = .hmac(.sha256)
        case "HS384": self = .hmac(.sha384)
        case "HS512": self = .hmac(.sha512)
        default:
            guard let algorithm = SignatureAlgorithm(rawValue: name) else { return nil }
            self = .signature(algorithm)
        }
    }

    public var name: String {
        switch self {
        case .hmac(.sha256): "HS256"
        case .hmac(.sha384): "HS384"
        case .hmac(.sha512): "HS512"
        case .signature(let algorithm): algorithm.rawValue
        }
    }
}
