internal import COpenSSL

/// Comparison whose duration says nothing about where two secrets differ.
public enum ConstantTime {
    /// Texts of different length differ at once: lengths are not kept secret.
    public static func equal(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        a.count == b.count && CRYPTO_memcmp(a, b, a.count) == 0
    }
}
