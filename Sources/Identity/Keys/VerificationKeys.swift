public import Crypto

/// The keys that tokens are verified with, and the algorithms of each.
public struct VerificationKeys: Sendable {
    struct Key: Sendable {
        enum Material: Sendable {
            case secret([UInt8])
            case publicKey(SignatureVerifier)
        }

        /// nil for a key without an id. Such a key is tried for every `kid`.
        var id: String?
        var material: Material
        /// The algorithms that the key may be used with. A token can only choose among these (RFC 8725 §3.1).
        var algorithms: Set<TokenAlgorithm>
    }

    private(set) var keys: [Key]
    /// Keys of a set that cannot verify a token, each with the reason, for the log.
    public internal(set) var ignored: [String] = []

    /// No key: verifies nothing.
    public static let none = Self([])

    public var count: Int { keys.count }
    public var isEmpty: Bool { keys.isEmpty }

    init(_ keys: [Key]) { self.keys = keys }

    /// A secret shared with the issuer, for HS256, HS384 and HS512. An empty secret counts as no key.
    public init(secret: [UInt8]) {
        let algorithms: Set<TokenAlgorithm> = Set(HMAC.Function.allCases.map(TokenAlgorithm.hmac))
        keys = secret.isEmpty ? [] : [Key(material: .secret(secret), algorithms: algorithms)]
    }

    /// The issuer's public key in PEM, for every algorithm of its kind.
    public init(publicKeyPEM: [UInt8]) throws(PublicKey.Refusal) {
        keys = [Key(try PublicKey(pem: publicKeyPEM))]
    }

    public func adding(_ others: VerificationKeys) -> VerificationKeys {
        var all = self
        all.keys += others.keys
        all.ignored += others.ignored
        return all
    }

    func check(_ token: JSONWebToken) throws(TokenRefusal) {
        guard let algorithm = token.algorithm else { throw .algorithmNotAllowed }
        let fitting = keys.filter { $0.algorithms.contains(algorithm) }
        guard !fitting.isEmpty else { throw .algorithmNotAllowed }
        let named = fitting.filter { $0.id == nil || token.keyID == nil || $0.id == token.keyID }
        guard !named.isEmpty else { throw .unknownKey }
        guard named.contains(where: { $0.secures(token, by: algorithm) }) else { throw .badSignature }
    }

    /// Whether a key of the token's algorithm has the token's `kid`, or the token has none.
    func decide(about token: JSONWebToken) -> Bool {
        guard let algorithm = token.algorithm else { return false }
        return keys.contains { key in
            key.algorithms.contains(algorithm) && (token.keyID == nil || key.id == token.keyID)
        }
    }
}

extension VerificationKeys.Key {
    init(_ key: PublicKey, id: String? = nil) {
        let algorithms = SignatureAlgorithm.allCases.filter { $0.keyKind == key.kind }
        self.init(
            id: id, material: .publicKey(SignatureVerifier(key)),
            algorithms: Set(algorithms.map(TokenAlgorithm.signature)))
    }

    /// Whether this key verifies the token, by an algorithm that the key may be used with.
    func secures(_ token: JSONWebToken, by algorithm: TokenAlgorithm) -> Bool {
        guard algorithms.contains(algorithm) else { return false }
        return switch (material, algorithm) {
        case (.secret(let secret), .hmac(let function)):
            HMAC.isValid(token.signature, function, key: secret, message: token.signedBytes)
        case (.publicKey(let verifier), .signature(let algorithm)):
            verifier.isValid(token.signature, of: token.signedBytes, algorithm: algorithm)
        default: false
        }
    }
}
