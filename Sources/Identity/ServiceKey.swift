import Crypto
internal import Synchronization

/// The secret by which other services authenticate. Only its digest is kept. Any thread may use it.
public final class ServiceKey: Sendable {
    /// The shortest key that may be configured, in bytes. Sixteen hexadecimal digits are 2^64 keys, too many to guess at one
    /// attempt a second and address.
    public static let minimumBytes = 16

    private let digest: Mutex<[UInt8]>

    public init(_ key: String) { digest = Mutex(Digest.sha256(key.utf8)) }

    /// Later calls of `matches` accept this key alone.
    public func replace(with key: String) {
        let new = Digest.sha256(key.utf8)
        digest.withLock { $0 = new }
    }

    /// Whether `other` is the key. The time it takes does not depend on where or by how much `other` differs.
    public func matches(_ other: String) -> Bool {
        ConstantTime.equal(digest.withLock { $0 }, Digest.sha256(other.utf8))
    }
}
