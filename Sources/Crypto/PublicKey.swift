internal import COpenSSL

/// A public key that was read and can verify signatures. A value: any thread may use it.
public struct PublicKey: Hashable, Sendable {
    public enum Kind: Sendable, CaseIterable {
        case rsa, p256, ed25519
    }

    /// Why a key is refused.
    public enum Refusal: Error, Hashable, Sendable, CustomStringConvertible {
        /// With OpenSSL's reason.
        case unreadable(String)
        /// The file holds a private key, which a verifier must not have.
        case isPrivate
        case unsupportedKind
        /// An Ed25519 key of small order: for every message there is a signature that needs no private key.
        case smallOrder
        /// The modulus has fewer bits than `minimumRSABits`.
        case tooShort(bits: Int)

        public var description: String {
            switch self {
            case .unreadable(let reason): "it cannot be read as a public key: \(reason)"
            case .isPrivate: "it is a private key; give the public one"
            case .unsupportedKind: "it is neither RSA nor P-256 nor Ed25519"
            case .smallOrder: "it is a point of small order, for which signatures need no private key"
            case .tooShort(let bits):
                "an RSA key of \(bits) bits is too short; the minimum is \(PublicKey.minimumRSABits)"
            }
        }
    }

    /// The shortest RSA modulus that is accepted, in bits (RFC 7518 §3.3).
    public static let minimumRSABits = 2048

    public let kind: Kind
    /// SubjectPublicKeyInfo (RFC 5280 §4.1) in DER.
    let encoded: [UInt8]

    /// Reads a PEM file's bytes: a public key, in either of its two usual forms, or a certificate.
    public init(pem: [UInt8]) throws(Refusal) {
        guard !String(decoding: pem, as: UTF8.self).contains("PRIVATE KEY-----") else { throw .isPrivate }
        ERR_clear_error()
        guard let handle = Self.readKey(pem) ?? Self.readCertificate(pem) else {
            throw .unreadable(OpenSSLReason.take())
        }
        try self.init(checking: handle)
    }

    /// An RSA key of its modulus and exponent, both big-endian (RFC 7518 §6.3.1).
    public init(rsaModulus modulus: [UInt8], exponent: [UInt8]) throws(Refusal) {
        try self.init(
            algorithm: DER.sequence(DER.ObjectIdentifier.rsaEncryption, DER.null),
            key: DER.sequence(DER.integer(modulus), DER.integer(exponent)))
    }

    /// A point on the curve P-256 by its coordinates, of 32 bytes each (RFC 7518 §6.2.1).
    public init(p256X x: [UInt8], y: [UInt8]) throws(Refusal) {
        guard x.count == 32, y.count == 32 else { throw .unreadable("a coordinate on P-256 has 32 bytes") }
        try self.init(
            algorithm: DER.sequence(DER.ObjectIdentifier.ellipticCurveKey, DER.ObjectIdentifier.p256),
            // The uncompressed form of a point (SEC 1 §2.3.3).
            key: [0x04] + x + y)
    }

    /// An Ed25519 key of its 32 bytes (RFC 8032 §5.1.5, RFC 8037 §2).
    public init(ed25519 key: [UInt8]) throws(Refusal) {
        guard key.count == 32 else { throw .unreadable("an Ed25519 key has 32 bytes") }
        try self.init(algorithm: DER.sequence(DER.ObjectIdentifier.ed25519), key: key)
    }

    private init(algorithm: [UInt8], key: [UInt8]) throws(Refusal) {
        ERR_clear_error()
        guard let handle = PublicKeyHandle(encoded: DER.sequence(algorithm, DER.bitString(key))) else {
            throw .unreadable(OpenSSLReason.take())
        }
        try self.init(checking: handle)
    }

    private init(checking handle: PublicKeyHandle) throws(Refusal) {
        guard let kind = handle.kind else { throw .unsupportedKind }
        if kind == .rsa, handle.bits < Self.minimumRSABits { throw .tooShort(bits: handle.bits) }
        guard handle.isConsistent else { throw .unreadable(OpenSSLReason.take()) }
        self.kind = kind
        encoded = handle.encoded
        if kind == .ed25519, SmallOrderPoints.contain(encoded.suffix(32)) { throw .smallOrder }
    }
}

extension PublicKey {
    private static func readKey(_ pem: [UInt8]) -> PublicKeyHandle? {
        PEM.withStream(over: pem) { PEM_read_bio_PUBKEY($0, nil, refusePassword, nil) }
            .map(PublicKeyHandle.init(owning:))
    }

    private static func readCertificate(_ pem: [UInt8]) -> PublicKeyHandle? {
        guard
            let certificate = PEM.withStream(over: pem, { PEM_read_bio_X509($0, nil, refusePassword, nil) })
        else { return nil }
        defer { X509_free(certificate) }
        return X509_get_pubkey(certificate).map(PublicKeyHandle.init(owning:))
    }
}
