internal import COpenSSL

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// OpenSSL's reasons for failures on the current thread.
enum OpenSSLReason {
    /// Empties the thread's error queue. Returns its reasons as one text, the first cause first.
    static func take() -> String {
        var reasons: [String] = []
        while case let code = ERR_get_error(), code != 0 {
            let reason = text(of: code)
            if !reasons.contains(reason), reasons.count < 3 { reasons.append(reason) }
        }
        return reasons.isEmpty ? "no reason given" : reasons.joined(separator: "; ")
    }

    /// Whether the latest failure is a private key of another certificate. Leaves the queue unchanged.
    static var isKeyMismatch: Bool { ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH }

    private static func text(of code: UInt) -> String {
        if let reason = ERR_reason_error_string(code) { return String(cString: reason) }
        // Failures of system calls carry errno in place of a reason.
        return String(cString: strerror(ERR_GET_REASON(code)))
    }
}
