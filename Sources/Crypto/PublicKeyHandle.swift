internal import COpenSSL

/// OpenSSL's form of a public key. Not thread safe.
final class PublicKeyHandle {
    let key: OpaquePointer

    init(owning key: OpaquePointer) { self.key = key }

    /// - Parameter encoded: SubjectPublicKeyInfo in DER.
    init?(encoded: [UInt8]) {
        let key = encoded.withUnsafeBufferPointer { bytes in
            var position = bytes.baseAddress
            return d2i_PUBKEY(nil, &position, bytes.count)
        }
        guard let key else { return nil }
        self.key = key
    }

    deinit { EVP_PKEY_free(key) }

    var bits: Int { Int(EVP_PKEY_get_bits(key)) }

    /// The kind of the key; nil for a kind that no supported algorithm uses.
    var kind: PublicKey.Kind? {
        switch EVP_PKEY_get_base_id(key) {
        case EVP_PKEY_RSA: .rsa
        case EVP_PKEY_ED25519: .ed25519
        case EVP_PKEY_EC where groupName == "prime256v1": .p256
        default: nil
        }
    }

    /// Whether its numbers are a valid key: a point lies on its curve, a modulus is not prime.
    var isConsistent: Bool {
        guard let context = EVP_PKEY_CTX_new(key, nil) else { return false }
        defer { EVP_PKEY_CTX_free(context) }
        return EVP_PKEY_public_check(context) == 1
    }

    /// SubjectPublicKeyInfo in DER.
    var encoded: [UInt8] {
        let count = Int(max(0, i2d_PUBKEY(key, nil)))
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            var position = buffer.baseAddress
            initialized = Int(max(0, i2d_PUBKEY(key, &position)))
        }
    }

    private var groupName: String {
        var name = [UInt8](repeating: 0, count: 64)
        var length = 0
        let found = name.withUnsafeMutableBytes { bytes in
            EVP_PKEY_get_group_name(key, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count, &length)
        }
        return found == 1 ? String(decoding: name.prefix(length), as: UTF8.self) : ""
    }
}
