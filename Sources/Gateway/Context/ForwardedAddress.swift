import Engine
import EventLoop
import WireProtocols

/// The addresses that proxies say a request came from.
enum ForwardedAddress {
    /// The client's address: the last one a trusted proxy saw that is not a trusted proxy itself; nil when none was said.
    ///
    /// `X-Forwarded-For` counts where there is one, else `Forwarded` (RFC 7239 §4). Entries before one
    /// that is no address may be forged, and are ignored.
    static func client(of headers: HTTPHeaders, isTrusted: (IPAddress) -> Bool) -> IPAddress? {
        let hops =
            headers.contains(name: "X-Forwarded-For")
            ? headers.listMembers(of: "X-Forwarded-For").map { address(in: $0) }
            : headers.listMembers(of: "Forwarded").map { element in node(of: element).flatMap { address(in: $0) } }
        var nearest: IPAddress?
        for hop in hops.reversed() {
            guard let hop else { break }
            nearest = hop
            if !isTrusted(hop) { break }
        }
        return nearest
    }

    /// The value of `for` in one element of `Forwarded`.
    private static func node(of element: String) -> Substring? {
        for pair in element.split(separator: ";") {
            let parts = pair.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, parts[0].drop(while: { $0 == " " }).lowercased() == "for" else { continue }
            return parts[1]
        }
        return nil
    }

    /// `1.2.3.4`, `1.2.3.4:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`, each also in quotes.
    static func address(in text: some StringProtocol) -> IPAddress? {
        var text = Substring(text)
        while text.last == " " { text = text.dropLast() }
        if text.count >= 2, text.first == "\"", text.last == "\"" { text = text.dropFirst().dropLast() }
        if text.first == "[" {
            guard let end = text.firstIndex(of: "]") else { return nil }
            return IPAddress(text[text.index(after: text.startIndex)..<end].prefix { $0 != "%" })
        }
        // One colon is a port's; an IPv6 address has more.
        if text.count(where: { $0 == ":" }) == 1 { text = text.prefix { $0 != ":" } }
        return IPAddress(text.prefix { $0 != "%" })
    }
}
