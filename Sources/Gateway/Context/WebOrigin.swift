import EventLoop
import WireProtocols

/// A web origin (RFC 6454): scheme, host and port, compared as browsers compare them.
///
/// `ws` counts as `http` and `wss` as `https`, whose default ports need not be written. Apps have origins too:
/// `capacitor://localhost`, `ionic://localhost`, `file://`.
public struct WebOrigin: Hashable, Sendable {
    /// In lower case; `http` for `ws`, `https` for `wss`.
    public let scheme: String
    /// In lower case, an IPv6 address without brackets; empty where the scheme knows no hosts.
    public let host: String
    /// nil where the scheme has no default port and none was written.
    public let port: Int?

    /// nil for what is no origin: `null`, a path or credentials in it, `*` for a host.
    public init?(_ text: some StringProtocol) {
        guard let mark = text.firstRange(of: "://") else { return nil }
        let name = text[..<mark.lowerBound].lowercased()
        guard name.utf8.first.map(Self.isLetter) == true, name.utf8.allSatisfy(Self.isOfScheme) else { return nil }
        scheme = ["ws": "http", "wss": "https"][name] ?? name
        let rest = text[mark.upperBound...]
        guard !rest.isEmpty else {
            guard Self.defaultPort(of: scheme) == nil else { return nil }
            (host, port) = ("", nil)
            return
        }
        guard let authority = Authority(rest) else { return nil }
        host = authority.host
        port = authority.port ?? Self.defaultPort(of: scheme)
    }

    /// Whether `Host` names the server that serves this origin's pages. Its port may be left out where it is the default of
    /// the origin's scheme; the scheme itself is not compared, as a proxy in front may have ended TLS.
    func isServed(by host: Authority) -> Bool {
        guard let standard = Self.defaultPort(of: scheme) else { return false }
        return self.host == host.host && port == host.port ?? standard
    }

    private static func defaultPort(of scheme: String) -> Int? {
        switch scheme {
        case "http": 80
        case "https": 443
        default: nil
        }
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }

    private static func isOfScheme(_ byte: UInt8) -> Bool {
        isLetter(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "+-.".utf8.contains(byte)
    }
}

/// `host[:port]`, as it is written in an origin and in `Host` (RFC 3986 §3.2).
struct Authority: Hashable, Sendable {
    /// In lower case, an IPv6 address without brackets.
    let host: String
    let port: Int?

    init?(_ text: some StringProtocol) {
        // By bytes: finding characters takes ten times as long, and every request has a host.
        let text = Substring(text).utf8
        let name: Substring.UTF8View
        let tail: Substring.UTF8View
        if text.first == UInt8(ascii: "["), let end = text.firstIndex(of: UInt8(ascii: "]")) {
            name = text[..<end].dropFirst()
            tail = text[end...].dropFirst()
            guard name.contains(UInt8(ascii: ":")), IPAddress(Substring(name)) != nil else { return nil }
        } else {
            name = text.prefix { $0 != UInt8(ascii: ":") }
            tail = text[name.endIndex...]
            guard !name.isEmpty, name.allSatisfy(Self.isOfHost) else { return nil }
        }
        host = Substring(name).lowercased()
        guard let colon = tail.first else {
            port = nil
            return
        }
        guard colon == UInt8(ascii: ":") else { return nil }
        let digits = tail.dropFirst()
        guard !digits.isEmpty else {
            port = nil
            return
        }
        guard digits.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(Substring(digits)),
            (1...65_535).contains(number)
        else { return nil }
        port = number
    }

    /// Whether only this machine is called so: `localhost` and names under it (RFC 6761 §6.3), addresses of loopback.
    var isLoopback: Bool {
        let name = host.utf8.last == UInt8(ascii: ".") ? host.utf8.dropLast() : host.utf8[...]
        if let address = IPAddress(Substring(name)) { return address.isLoopback }
        return name.elementsEqual("localhost".utf8) || name.suffix(10).elementsEqual(".localhost".utf8)
    }

    private static func isOfHost(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "*"), UInt8(ascii: "["), UInt8(ascii: "]"): false
        default: HTTPSyntax.isAuthorityCharacter(byte)
        }
    }
}
