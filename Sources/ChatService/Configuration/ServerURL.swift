/// The parts of a `scheme://user:password@host:port/path?query` address of a server (RFC 3986), credentials decoded.
struct ServerURL: Hashable, Sendable {
    let scheme: String
    let user: String?
    let password: Secret?
    let host: String
    let port: Int?
    /// Without its leading `/`, decoded; nil where there is none.
    let path: String?
    let query: String?

    /// Ends the sentence "allowed: …" about a URL that may hold a password.
    static let encoding = "special characters of a password percent-encoded"

    /// Whether the text behind the scheme can be read in one way only, so that masking `user:password@` masks the whole
    /// password. Some readers end a password at a bare `/`, `?`, `#`, quote or blank.
    static func hidesCredentials(_ rest: some StringProtocol) -> Bool {
        let isPlain = rest.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F && !"\"#\\".utf8.contains($0) }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        return isPlain && !rest[authority.endIndex...].contains("@")
    }

    init?(_ text: String) {
        guard let colon = text.firstRange(of: "://") else { return nil }
        scheme = text[..<colon.lowerBound].lowercased()
        let rest = text[colon.upperBound...]
        guard !scheme.isEmpty, Self.hidesCredentials(rest) else { return nil }

        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        let hostAndPort: Substring
        if let at = authority.lastIndex(of: "@") {
            let credentials = authority[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard let user = Self.decoded(credentials[0]) else { return nil }
            self.user = user.isEmpty ? nil : user
            guard let password = Self.decoded(credentials.count == 2 ? credentials[1] : "") else { return nil }
            self.password = password.isEmpty ? nil : Secret(password)
            hostAndPort = authority[authority.index(after: at)...]
        } else {
            (user, password) = (nil, nil)
            hostAndPort = authority
        }
        guard let (host, port) = Self.hostAndPort(hostAndPort) else { return nil }
        (self.host, self.port) = (host, port)

        let tail = rest[authority.endIndex...]
        let pathText = tail.prefix { $0 != "?" }
        guard let path = Self.decoded(pathText.dropFirst()) else { return nil }
        self.path = pathText.isEmpty ? nil : path
        query = tail.contains("?") ? String(tail[pathText.endIndex...].dropFirst()) : nil
    }

    /// The addresses that a URL with several hosts stands for, which have all else in common:
    /// `scheme://user:password@host:port,host:port/path`. nil when one of them cannot be read, or there are too many.
    static func forEachHost(_ text: String) -> [Self]? {
        guard let colon = text.firstRange(of: "://") else { return nil }
        let rest = text[colon.upperBound...]
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        // With credentials before each host, the password would reach up to the last of them.
        if authority.contains(","), authority.count(where: { $0 == "@" }) > 1 { return nil }
        let hosts = authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] } ?? authority
        let head = text[..<hosts.startIndex]
        let tail = text[hosts.endIndex...]
        let names = hosts.split(separator: ",", omittingEmptySubsequences: false)
        let urls = names.compactMap { Self("\(head)\($0)\(tail)") }
        return urls.count == names.count && urls.count <= maximumHosts ? urls : nil
    }

    private static let maximumHosts = 16

    /// The parameters of the query, decoded; nil when one has no value or is not among the known ones.
    func parameters(known: Set<String>) -> [String: String]? {
        var parameters: [String: String] = [:]
        for part in (query ?? "").split(separator: "&") {
            let pair = part.split(separator: "=", maxSplits: 1)
            guard pair.count == 2, known.contains(String(pair[0])), let value = Self.decoded(pair[1]) else {
                return nil
            }
            parameters[String(pair[0])] = value
        }
        return parameters
    }

    private static func hostAndPort(_ text: Substring) -> (String, Int?)? {
        let host: Substring
        let tail: Substring
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            host = text[text.index(after: text.startIndex)..<end]
            tail = text[text.index(after: end)...]
        } else {
            host = text.prefix { $0 != ":" }
            tail = text[host.endIndex...]
        }
        guard !host.isEmpty else { return nil }
        guard !tail.isEmpty else { return (String(host), nil) }
        guard tail.hasPrefix(":"), let port = Int(tail.dropFirst()), (1...65_535).contains(port) else { return nil }
        return (String(host), port)
    }

    /// The text with its percent-escapes resolved (RFC 3986, section 2.1); nil when one is malformed.
    static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let digits = String(rest.prefix(2)), digits.count == 2, digits.allSatisfy(\.isHexDigit),
                let value = UInt8(digits, radix: 16)
            else { return nil }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
