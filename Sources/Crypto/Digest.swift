internal import COpenSSL

/// Message digests (FIPS 180-4).
public enum Digest {
    /// 20 bytes. For the WebSocket handshake (RFC 6455 §4.2.2) only; SHA-1 gives no security.
    public static func sha1(_ message: some Sequence<UInt8>) -> [UInt8] { digest(Array(message), EVP_sha1()) }

    /// 32 bytes.
    public static func sha256(_ message: some Sequence<UInt8>) -> [UInt8] { digest(Array(message), EVP_sha256()) }

    private static func digest(_ message: [UInt8], _ function: OpaquePointer?) -> [UInt8] {
        var length: UInt32 = 0
        let result = [UInt8](unsafeUninitializedCapacity: Int(EVP_MAX_MD_SIZE)) { buffer, count in
            guard EVP_Digest(message, message.count, buffer.baseAddress, &length, function, nil) == 1 else { return }
            count = Int(length)
        }
        precondition(!result.isEmpty, "OpenSSL offers no such digest")
        return result
    }
}

/// Keyed message authentication (RFC 2104) over the SHA-2 family.
public enum HMAC {
    public enum Function: Sendable, CaseIterable {
        case sha256, sha384, sha512

        /// The length of a code, in bytes.
        public var byteCount: Int {
            switch self {
            case .sha256: 32
            case .sha384: 48
            case .sha512: 64
            }
        }

        fileprivate var implementation: OpaquePointer? {
            switch self {
            case .sha256: EVP_sha256()
            case .sha384: EVP_sha384()
            case .sha512: EVP_sha512()
            }
        }
    }

    /// The code of `message` under `key`, `function.byteCount` bytes.
    public static func code(_ function: Function, key: [UInt8], message: [UInt8]) -> [UInt8] {
        // OpenSSL reads a null key as the key of the previous call, so an empty key needs an address.
        let key = key.isEmpty ? [0] : key
        var length: UInt32 = 0
        let code = [UInt8](unsafeUninitializedCapacity: function.byteCount) { buffer, count in
            let done = COpenSSL.HMAC(
                function.implementation, key, Int32(key.count), message, message.count, buffer.baseAddress, &length)
            count = done == nil ? 0 : Int(length)
        }
        precondition(code.count == function.byteCount, "OpenSSL offers no such digest")
        return code
    }

    /// Whether `code` is the message's, compared in constant time.
    public static func isValid(_ code: [UInt8], _ function: Function, key: [UInt8], message: [UInt8]) -> Bool {
        ConstantTime.equal(code, self.code(function, key: key, message: message))
    }
}

/// SHA-256 of a message that comes in parts.
public final class StreamedSHA256 {
    private let context: OpaquePointer?

    public init() {
        context = EVP_MD_CTX_new()
        precondition(EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1, "OpenSSL offers no such digest")
    }

    deinit { EVP_MD_CTX_free(context) }

    public func update(_ part: [UInt8]) {
        precondition(EVP_DigestUpdate(context, part, part.count) == 1, "the digest failed")
    }

    /// The digest, 32 bytes. Called once, behind all parts.
    public func finish() -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: Int(EVP_MAX_MD_SIZE)) { buffer, count in
            var length: UInt32 = 0
            precondition(EVP_DigestFinal_ex(context, buffer.baseAddress, &length) == 1, "the digest failed")
            count = Int(length)
        }
    }
}
