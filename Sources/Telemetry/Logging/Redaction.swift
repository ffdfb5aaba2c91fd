/// Masks anything that looks like a secret in any text: `token=…` and its relatives, `Authorization` and `Cookie` headers,
/// `Bearer …`, anything shaped like a JWT, and the credentials of a URL.
///
/// It is the last net, applied to every string a logger writes; code still does not log secrets on purpose. It errs on the
/// side of masking.
public enum Redaction {
    /// The replacement of a secret.
    public static let mask = "[redacted]"

    /// The text without its secrets; the same text when there are none.
    public static func redacting(_ text: String) -> String {
        var scanner = Scanner(text: Array(text.utf8))
        return scanner.run() ? String(decoding: scanner.output, as: UTF8.self) : text
    }
}

extension Redaction {
    /// Words that a secret follows, behind `=` or `:`; a longer name may end with one of them.
    private static let keys: [[UInt8]] = [
        "token", "password", "passwd", "secret", "apikey", "api_key", "api-key", "servicekey", "service_key",
        "service-key",
        "service_api_key", "jwt",
    ].map { Array($0.utf8) }

    /// Headers whose whole value is a secret.
    private static let headers: [[UInt8]] = ["authorization", "cookie"].map { Array($0.utf8) }

    private static let bearer = Array("bearer".utf8)
    private static let percentEquals = Array("%3d".utf8)

    /// One pass over the text. At each place the longest secret that starts there is left out.
    private struct Scanner {
        let text: [UInt8]
        var output: [UInt8] = []

        init(text: [UInt8]) { self.text = text }

        /// Whether anything was masked; the text without it is in `output`.
        mutating func run() -> Bool {
            var copied = 0
            var at = 0
            while at < text.count {
                guard let secret = secret(at: at), !secret.isEmpty else {
                    at += 1
                    continue
                }
                output.append(contentsOf: text[copied..<secret.lowerBound])
                output.append(contentsOf: Redaction.mask.utf8)
                copied = secret.upperBound
                at = secret.upperBound
            }
            guard copied > 0 else { return false }
            output.append(contentsOf: text[copied...])
            return true
        }

        private func secret(at start: Int) -> Range<Int>? {
            switch text[start] | 0x20 {
            case UInt8(ascii: "e"): jwt(at: start)
            case UInt8(ascii: "b"): bearer(at: start)
            case UInt8(ascii: "/") | 0x20: credentials(at: start)
            case UInt8(ascii: "a"), UInt8(ascii: "c"), UInt8(ascii: "t"), UInt8(ascii: "p"), UInt8(ascii: "s"),
                UInt8(ascii: "j"):
                header(at: start) ?? keyed(at: start)
            default: nil
            }
        }

        /// `name=secret`, `name: secret`, `"name":"secret"`; the rest of a quoted or unquoted value.
        private func keyed(at start: Int) -> Range<Int>? {
            guard let key = Redaction.keys.first(where: { matches($0, at: start) }),
                let value = valueStart(after: start + key.count)
            else { return nil }
            return value..<end(from: value) { !Self.endsValue($0) }
        }

        private func header(at start: Int) -> Range<Int>? {
            guard let name = Redaction.headers.first(where: { matches($0, at: start) }),
                let value = valueStart(after: start + name.count)
            else { return nil }
            return value..<end(from: value) { $0 != 0x0A && $0 != 0x0D && $0 != 0x22 }
        }

        /// `Bearer secret`, and the WebSocket sub-protocol list `bearer, secret`.
        private func bearer(at start: Int) -> Range<Int>? {
            guard matches(Redaction.bearer, at: start) else { return nil }
            let gap = start + Redaction.bearer.count
            let value = end(from: gap) { $0 == 0x20 || $0 == 0x2C }
            guard value > gap else { return nil }
            return value..<end(from: value) { !Self.endsValue($0) }
        }

        /// Three parts of base64url with dots between them, the first of which starts as every JSON object does.
        private func jwt(at start: Int) -> Range<Int>? {
            guard start + 2 < text.count, text[start] == 0x65, text[start + 1] == 0x79, text[start + 2] == 0x4A else {
                return nil
            }
            let stop = end(from: start) { Self.isBase64URL($0) || $0 == 0x2E }
            let dots = text[start..<stop].count { $0 == 0x2E }
            return dots >= 1 && stop - start >= 16 ? start..<stop : nil
        }

        /// The `user:password` of `scheme://user:password@host`.
        private func credentials(at start: Int) -> Range<Int>? {
            guard start > 0, text[start - 1] == 0x3A, start + 1 < text.count, text[start] == 0x2F,
                text[start + 1] == 0x2F
            else { return nil }
            let value = start + 2
            let stop = end(from: value) { $0 > 0x20 && $0 != 0x2F && $0 != 0x22 && $0 != 0x3F && $0 != 0x23 }
            guard let at = text[value..<stop].lastIndex(of: 0x40) else { return nil }
            return value..<at
        }

        /// Behind a name: an optional quote, `=`, `:` or an encoded `=`, blanks, an optional quote.
        private func valueStart(after name: Int) -> Int? {
            var at = name
            if at < text.count, text[at] == 0x22 || text[at] == 0x5C { at = end(from: at) { $0 == 0x22 || $0 == 0x5C } }
            if matches(Redaction.percentEquals, at: at) { return at + Redaction.percentEquals.count }
            guard at < text.count, text[at] == 0x3D || text[at] == 0x3A else { return nil }
            return end(from: at + 1) { $0 == 0x20 || $0 == 0x22 || $0 == 0x27 || $0 == 0x5C }
        }

        private func matches(_ word: [UInt8], at start: Int) -> Bool {
            guard start + word.count <= text.count else { return false }
            for (offset, byte) in word.enumerated() {
                let found = text[start + offset]
                let lower = found >= 0x41 && found <= 0x5A ? found | 0x20 : found
                guard lower == byte else { return false }
            }
            return true
        }

        private func end(from start: Int, while belongs: (UInt8) -> Bool) -> Int {
            var at = start
            while at < text.count, belongs(text[at]) { at += 1 }
            return at
        }

        private static func endsValue(_ byte: UInt8) -> Bool {
            byte <= 0x20 || [0x22, 0x26, 0x27, 0x2C, 0x3B, 0x7D, 0x5D, 0x5C, 0x23].contains(byte)
        }

        private static func isBase64URL(_ byte: UInt8) -> Bool {
            (byte >= 0x30 && byte <= 0x39) || (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A) || byte == 0x2D
                || byte == 0x5F
        }
    }
}
