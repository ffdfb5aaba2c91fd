import Crypto

/// Under what a client may take its session up again; known to it alone, and must not reach a log.
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

/// What everybody but the client knows a pid by: nobody finds the pid from it.
package struct RecoveryKey: Hashable, Sendable {
    private let id: RandomID

    fileprivate init(of pid: RecoveryPID) { id = RandomID(digestOf: pid.text) }

    package init?(_ text: String) {
        guard let id = RandomID(text) else { return nil }
        self.id = id
    }

    package var text: String { id.text }
}
