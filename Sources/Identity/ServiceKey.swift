import Crypto

/// The secret by which other services show that they are ours. Its digest is kept, not the key.
public struct ServiceKey: Sendable {
    /// The shortest key to configure, in bytes: at a guess a second and address, even the 2^64 keys of eight random bytes, in
    /// hexadecimal sixteen, are out of reach.
    public static let minimumBytes = 16

    private let digest: [UInt8]

    public init(_ key: String) { digest = Digest.sha256(key.utf8) }

    /// Takes the same time wherever `other` differs, and whatever its length is.
    public func matches(_ other: String) -> Bool { ConstantTime.equal(digest, Digest.sha256(other.utf8)) }
}
