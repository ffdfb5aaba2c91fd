import Crypto

/// Under what a client may take its session up again; known to it alone, and must not reach a log.
struct RecoveryPID: Hashable, Sendable {
    private let value: UInt128

    static func random() -> Self { Self(value: UInt128(SecureRandom.uint64()) << 64 | UInt128(SecureRandom.uint64())) }

    private init(value: UInt128) { self.value = value }

    /// nil for what cannot be one of ours.
    init?(_ text: String) {
        guard let value = UInt128(hexDigits: text) else { return nil }
        self.value = value
    }

    var text: String { value.hexDigits }

    var key: RecoveryKey { RecoveryKey(of: self) }
}

/// What everybody but the client knows a pid by: nobody finds the pid from it.
struct RecoveryKey: Hashable, Sendable {
    private let value: UInt128

    fileprivate init(of pid: RecoveryPID) {
        value = Digest.sha256(pid.text.utf8).prefix(16).reduce(0) { $0 << 8 | UInt128($1) }
    }

    init?(_ text: String) {
        guard let value = UInt128(hexDigits: text) else { return nil }
        self.value = value
    }

    var text: String { value.hexDigits }
}

extension UInt128 {
    /// 32 digits, in lower case.
    fileprivate var hexDigits: String {
        let digits = String(self, radix: 16)
        return String(repeating: "0", count: 32 - digits.count) + digits
    }

    fileprivate init?(hexDigits text: String) {
        guard text.utf8.count == 32, let value = UInt128(text, radix: 16), value.hexDigits == text else { return nil }
        self = value
    }
}
