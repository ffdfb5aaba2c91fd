import Crypto
import JSON

/// A signed token in its compact form (RFC 7515 §3.1), parsed but not verified.
struct JSONWebToken {
    /// The longest token that is parsed, in bytes.
    static let maximumBytes = 8192

    /// The header's algorithm; nil for one that is not supported, such as `none`.
    let algorithm: TokenAlgorithm?
    /// Used only for comparison with the ids of configured keys.
    let keyID: String?
    /// The signed bytes: the header and payload as they were received.
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

    /// Ignores `jku`, `x5u`, `jwk` and `x5c`, by which a token would bring its own key (RFC 7515 §4.1).
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
