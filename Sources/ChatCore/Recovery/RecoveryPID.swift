import Crypto

/// The secret by which a client resumes its session; only the client knows it, and it must not reach a log.
package struct RecoveryPID: Hashable, Sendable {
    private let id: RandomID

    package static func random() -> Self { Self(id: .make()) }

    private init(id: RandomID) { self.id = id }

    /// nil for what cannot be one of ours.
    package init?(_ text: String) {
        guard let id = RandomID(text) else { return nil }
        self.init(id: id)
    }

    package var text: String { id.text }

    package var key: RecoveryKey { RecoveryKey(of: self) }
}

/// The digest of a pid, by which stores and other instances know the session; the pid cannot be found from it.
package struct RecoveryKey: Hashable, Sendable {
    private let id: RandomID

    fileprivate init(of pid: RecoveryPID) { id = RandomID(digestOf: pid.text) }

    package init?(_ text: String) {
        guard let id = RandomID(text) else { return nil }
        self.id = id
    }

    package var text: String { id.text }
}
