/// The `.env` format: `NAME=value` lines with comments, quotes and an optional `export`.
///
/// `'…'` is literal; `"…"` knows `\n`, `\t`, `\"`, `\\` and `\$`; both may span lines. An unquoted value ends at the line's end or
/// at a `#` behind a blank. A name given twice: the last one counts. Problems name the line and never its content, which may be
/// a secret.
struct EnvironmentFile: Equatable {
    private(set) var values: [String: String] = [:]
    private(set) var problems: [String] = []

    init(parsing text: String) {
        var reader = Reader(text: Array(text.utf8))
        if reader.text.starts(with: [0xEF, 0xBB, 0xBF]) { reader.at = 3 }
        while !reader.isAtEnd {
            let line = reader.line
            do throws(Malformed) {
                if let (name, value) = try reader.assignment() { values[name] = value }
            } catch {
                problems.append("line \(line): \(error.reason)")
            }
            reader.skipLine()
        }
    }
}

private struct Malformed: Error {
    let reason: String
}

private struct Reader {
    let text: [UInt8]
    var at = 0
    var line = 1

    var isAtEnd: Bool { at >= text.count }
    private var current: UInt8? { isAtEnd ? nil : text[at] }
    private var isAtLineEnd: Bool { current == nil || current == 0x0A }

    /// The assignment on this line, nil on a blank or commented one. Stands behind it afterwards, on the same line.
    mutating func assignment() throws(Malformed) -> (name: String, value: String)? {
        skipBlanks()
        if isAtLineEnd || current == UInt8(ascii: "#") { return nil }
        var name = word()
        let blanks = skipBlanks()
        if name == "export", blanks, current != UInt8(ascii: "=") {
            name = word()
            skipBlanks()
        }
        guard !name.isEmpty else { throw Malformed(reason: "a name of letters, digits and _ is missing") }
        guard current == UInt8(ascii: "=") else { throw Malformed(reason: "= is missing behind the name") }
        at += 1
        skipBlanks()
        return (name, try value())
    }

    mutating func skipLine() {
        while !isAtLineEnd { at += 1 }
        if !isAtEnd {
            at += 1
            line += 1
        }
    }

    private mutating func value() throws(Malformed) -> String {
        guard let quote = current, quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else { return unquoted() }
        let value = try quoted(by: quote)
        skipBlanks()
        guard isAtLineEnd || current == UInt8(ascii: "#") else {
            throw Malformed(reason: "text behind the closing quote")
        }
        return value
    }

    private mutating func unquoted() -> String {
        let start = at
        while !isAtLineEnd {
            if current == UInt8(ascii: "#"), at == start || isBlank(text[at - 1]) { break }
            at += 1
        }
        var end = at
        while end > start, isBlank(text[end - 1]) { end -= 1 }
        return String(decoding: text[start..<end], as: UTF8.self)
    }

    private mutating func quoted(by quote: UInt8) throws(Malformed) -> String {
        at += 1
        var bytes: [UInt8] = []
        while let byte = current {
            at += 1
            if byte == quote { return String(decoding: bytes, as: UTF8.self) }
            if byte == 0x0A { line += 1 }
            guard byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\""), let escaped = current else {
                bytes.append(byte)
                continue
            }
            at += 1
            switch escaped {
            case UInt8(ascii: "n"): bytes.append(0x0A)
            case UInt8(ascii: "t"): bytes.append(0x09)
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "$"): bytes.append(escaped)
            default: bytes.append(contentsOf: [byte, escaped])
            }
        }
        throw Malformed(reason: "the closing quote is missing")
    }

    private mutating func word() -> String {
        let start = at
        while let byte = current, isNameByte(byte, first: at == start) { at += 1 }
        return String(decoding: text[start..<at], as: UTF8.self)
    }

    @discardableResult
    private mutating func skipBlanks() -> Bool {
        let start = at
        while let byte = current, isBlank(byte) { at += 1 }
        return at > start
    }

    /// A carriage return counts as a blank, so that files with CRLF lines read the same.
    private func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }

    private func isNameByte(_ byte: UInt8, first: Bool) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "_"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"): !first
        default: false
        }
    }
}
