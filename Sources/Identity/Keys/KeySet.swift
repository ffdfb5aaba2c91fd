import Crypto
import JSON

/// Why a key set cannot be used.
public enum KeySetError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Not a JSON object with an array `keys`.
    case malformed
    /// More keys than `VerificationKeys.maximumSetKeys`.
    case tooManyKeys(Int)
    /// No key of the set can verify a token; the reasons, key by key.
    case noUsableKey([String])

    public var description: String {
        switch self {
        case .malformed: "it is not a JSON Web Key Set, an object with an array \"keys\""
        case .tooManyKeys(let count): "it holds \(count) keys; the limit is \(VerificationKeys.maximumSetKeys)"
        case .noUsableKey(let reasons) where reasons.isEmpty: "it holds no key"
        case .noUsableKey(let reasons): "it holds no key that can verify a token: \(reasons.joined(separator: "; "))"
        }
    }
}

extension VerificationKeys {
    public static let maximumSetKeys = 100

    /// A JSON Web Key Set (RFC 7517 §5). Keys that cannot verify a token are listed in `ignored`.
    public init(jwks: [UInt8]) throws(KeySetError) {
        guard let set = try? JSONValue(parsing: jwks), let entries = set["keys"]?.array else { throw .malformed }
        guard entries.count <= Self.maximumSetKeys else { throw .tooManyKeys(entries.count) }
        var keys: [Key] = []
        var ignored: [String] = []
        for (index, entry) in entries.enumerated() {
            do throws(KeyRefusal) {
                keys.append(try Key(jwk: entry))
            } catch {
                ignored.append("key \(index + 1): \(error.reason)")
            }
        }
        guard !keys.isEmpty else { throw .noUsableKey(ignored) }
        self.init(keys)
        self.ignored = ignored
    }
}

/// Why one key of a set is ignored.
private struct KeyRefusal: Error {
    var reason: String
}

extension VerificationKeys.Key {
    /// A public key by its parameters (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2).
    fileprivate init(jwk: JSONValue) throws(KeyRefusal) {
        if let id = jwk["kid"], id.string == nil { throw KeyRefusal(reason: "kid is not a text") }
        if let use = jwk["use"], use.string != "sig" { throw KeyRefusal(reason: "its use is not sig") }
        if let operations = jwk["key_ops"], operations.array?.contains(.string("verify")) != true {
            throw KeyRefusal(reason: "its key_ops do not include verify")
        }
        self.init(try Self.publicKey(jwk), id: jwk["kid"]?.string)
        guard let name = jwk["alg"] else { return }
        guard let algorithm = name.string.flatMap(TokenAlgorithm.init(name:)), algorithms.contains(algorithm) else {
            throw KeyRefusal(reason: "its alg is not one taken for its kind")
        }
        algorithms = [algorithm]
    }

    private static func publicKey(_ jwk: JSONValue) throws(KeyRefusal) -> PublicKey {
        do throws(PublicKey.Refusal) {
            switch (jwk["kty"]?.string, jwk["crv"]?.string) {
            case ("RSA", _):
                return try PublicKey(rsaModulus: bytes(jwk["n"]), exponent: bytes(jwk["e"]))
            case ("EC", "P-256"):
                return try PublicKey(p256X: bytes(jwk["x"]), y: bytes(jwk["y"]))
            case ("OKP", "Ed25519"):
                return try PublicKey(ed25519: bytes(jwk["x"]))
            default: throw .unsupportedKind
            }
        } catch { throw KeyRefusal(reason: error.description) }
    }

    private static func bytes(_ parameter: JSONValue?) throws(PublicKey.Refusal) -> [UInt8] {
        guard let text = parameter?.string, let bytes = Base64URL.decode(Array(text.utf8)), !bytes.isEmpty else {
            throw .unreadable("a parameter is missing or is not base64url")
        }
        return bytes
    }
}
