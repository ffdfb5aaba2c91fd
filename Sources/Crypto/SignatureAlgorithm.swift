/// A digital signature scheme as JSON Web Signatures name it (RFC 7518 §3.1, RFC 8037 §3.1).
public enum SignatureAlgorithm: String, Sendable, CaseIterable {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    case rs256 = "RS256"
    /// RSASSA-PSS with SHA-256, and a salt as long as its digest.
    case ps256 = "PS256"
    /// ECDSA on P-256 with SHA-256.
    case es256 = "ES256"
    /// Ed25519.
    case edDSA = "EdDSA"

    public var keyKind: PublicKey.Kind {
        switch self {
        case .rs256, .ps256: .rsa
        case .es256: .p256
        case .edDSA: .ed25519
        }
    }
}
