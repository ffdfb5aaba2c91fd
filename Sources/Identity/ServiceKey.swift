import Crypto

/// The secret by which other services show that they are ours. Its digest is kept, not the key.
public struct ServiceKey: Sendable {
    private let digest: [UInt8]

    public init(_ key: String) { digest = Digest.sha256(key.utf8) }

    /// Takes the same time wherever `other` differs, and whatever its length is.
    public func matches(_ other: String) -> Bool { ConstantTime.equal(digest, Digest.sha256(other.utf8)) }
}
