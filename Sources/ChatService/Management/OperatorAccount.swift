#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The account and the host that a command runs on. The server adds them to its audit trail.
enum OperatorAccount {
    private static let maximumBytes = 63

    /// `account@host`. Behind `sudo` it is the account that called it.
    ///
    /// - Parameter environment: that of the process.
    static func current(environment: [String: String]) -> String {
        let isRoot = geteuid() == 0
        let caller = isRoot ? environment["SUDO_USER"].flatMap { $0.isEmpty ? nil : $0 } : nil
        return name(account: caller ?? account(geteuid()), host: host())
    }

    /// Characters that a header field does not take become question marks.
    static func name(account: String, host: String) -> String { "\(plain(account))@\(plain(host))" }

    private static func plain(_ text: String) -> String {
        String(text.unicodeScalars.prefix(maximumBytes).map { 0x21...0x7E ~= $0.value ? Character($0) : "?" })
    }

    /// The account's name, or its number where it has none, as in a container.
    private static func account(_ id: uid_t) -> String {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16_384)
        guard getpwuid_r(id, &entry, &buffer, buffer.count, &found) == 0, found != nil, let name = entry.pw_name
        else { return "uid-\(id)" }
        return String(cString: name)
    }

    private static func host() -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "unknown" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
