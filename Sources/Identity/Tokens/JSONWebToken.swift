import Crypto
import JSON

/// A signed token in its compact form (RFC 7515 §3.1), taken apart and not yet believed.
struct JSONWebToken {
    /// The longest token looked at, in bytes.
    static let maximumBytes = 8192

    /// What the header says of the algorithm; nil for one that is not taken, `none` among them.
    let algorithm: TokenAlgorithm?
    /// Compared with the ids of configured keys, and nothing else.
    let keyID: String?
    /// What the signature is over: the header and payload as they came.
    let signedBytes: [UInt8]
    let payload: [UInt8]
    let signature: [UInt8]

    init(parsing text: String) throws(TokenRefusal) {
        guard text.utf8.count <= Self.maximumBytes else { throw .tooLong }
        let bytes = Array(text.utf8)
        let dot = UInt8(ascii: ".")
        let parts = bytes.split(separator: dot, maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 3 else { throw .notThreeParts }
        guard let header = Base64URL.decode(parts[0]), let payload = Base64URL.decode(parts[1]),
            let signature = Base64URL.decode(parts[2])
        else { throw .badEncoding }
        (algorithm, keyID) = try Self.readHeader(header)
        signedBytes = Array(bytes[..<parts[1].endIndex])
        self.payload = payload
        self.signature = signature
    }

    /// `jku`, `x5u`, `jwk` and `x5c`, which would bring the token's own key, are not looked at (RFC 7515 §4.1).
    private static func readHeader(_ bytes: [UInt8]) throws(TokenRefusal) -> (TokenAlgorithm?, keyID: String?) {
        guard let header = try? JSONValue(parsing: bytes), header.object != nil,
            let algorithm = header["alg"]?.string
        else { throw .malformedHeader }
        guard header["crit"] == nil else { throw .criticalExtension }
        guard let keyID = header["kid"] else { return (TokenAlgorithm(name: algorithm), nil) }
        guard let keyID = keyID.string else { throw .malformedHeader }
        return (TokenAlgorithm(name: algorithm), keyID)
    }
}
