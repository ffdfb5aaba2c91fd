internal import COpenSSL
internal import Synchronization

/// Verifies signatures with one public key, which it keeps open: opening costs more than verifying.
///
/// Any thread may use it. The key is open several times over, so that threads seldom wait for each other.
public final class SignatureVerifier: Sendable {
    public let key: PublicKey
    private let lanes: [Lane]

    /// - Parameter lanes: how many threads can verify at once.
    public init(_ key: PublicKey, lanes: Int = 8) {
        precondition(lanes > 0, "a verifier needs a lane")
        self.key = key
        self.lanes = (0..<lanes).map { _ in Lane(key) }
    }

    /// Whether `signature` is this key's for `message`. False as well for an algorithm the key is not for.
    ///
    /// - Parameter signature: as JSON Web Signatures carry it; for ES256 the two numbers of 32 bytes, one after the
    ///   other (RFC 7518 §3.4).
    public func isValid(_ signature: [UInt8], of message: [UInt8], algorithm: SignatureAlgorithm) -> Bool {
        guard algorithm.keyKind == key.kind else { return false }
        for lane in lanes {
            let verdict = lane.handle.withLockIfAvailable {
                $0.isValid(signature, of: message, algorithm: algorithm)
            }
            if let verdict { return verdict }
        }
        return lanes[0].handle.withLock { $0.isValid(signature, of: message, algorithm: algorithm) }
    }

    private final class Lane: Sendable {
        let handle: Mutex<PublicKeyHandle>

        init(_ key: PublicKey) {
            guard let handle = PublicKeyHandle(encoded: key.encoded) else { preconditionFailure("a key lost its form") }
            self.handle = Mutex(handle)
        }
    }
}

extension PublicKeyHandle {
    /// - Precondition: the algorithm is for keys of this kind.
    func isValid(_ signature: [UInt8], of message: [UInt8], algorithm: SignatureAlgorithm) -> Bool {
        defer { ERR_clear_error() }
        switch algorithm {
        case .rs256: return isValid(signature, of: message, digest: EVP_sha256())
        case .ps256: return isValid(signature, of: message, digest: EVP_sha256(), setUp: Self.useProbabilisticPadding)
        case .edDSA: return isValid(signature, of: message, digest: nil)
        case .es256:
            guard signature.count == 64 else { return false }
            let numbers = DER.sequence(DER.integer(signature.prefix(32)), DER.integer(signature.suffix(32)))
            return isValid(numbers, of: message, digest: EVP_sha256())
        }
    }

    private func isValid(
        _ signature: [UInt8], of message: [UInt8], digest: OpaquePointer?,
        setUp: (OpaquePointer?) -> Bool = { _ in true }
    ) -> Bool {
        guard let context = EVP_MD_CTX_new() else { return false }
        defer { EVP_MD_CTX_free(context) }
        var parameters: OpaquePointer?
        return EVP_DigestVerifyInit(context, &parameters, digest, nil, key) == 1
            && setUp(parameters)
            && EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
    }

    private static func useProbabilisticPadding(_ parameters: OpaquePointer?) -> Bool {
        EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1
            && EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1
    }
}
