#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// One named value of a line.
struct LogField: Sendable {
    let name: String
    let value: LogValue
}

/// One line before it becomes text; `time` in milliseconds since the Unix epoch.
struct LogEntry {
    let time: Int64
    let level: LogLevel
    let message: String
    let fields: [LogField]
}

/// How a line looks: for people, or for a log collector.
public enum LogFormat: Sendable, Equatable {
    /// `2026-01-02T03:04:05.678Z info    message key=value`, the level coloured where the terminal shows colours.
    case pretty(colours: Bool)
    /// One JSON object a line: `time`, `level`, `message`, then the fields.
    case json

    /// The longest that a single message or value may be in a line, in bytes; longer ones are cut.
    static let longestText = 4096

    /// The line as UTF-8, its newline included.
    func line(_ entry: LogEntry) -> [UInt8] {
        var out = LineBuffer()
        switch self {
        case .json: Self.json(entry, into: &out)
        case .pretty(let colours): Self.pretty(entry, colours: colours, into: &out)
        }
        out.append("\n")
        return out.bytes
    }

    private static func json(_ entry: LogEntry, into out: inout LineBuffer) {
        out.append("{\"time\":\"\(isoTime(entry.time))\",\"level\":\"\(entry.level.name)\",\"message\":")
        out.appendQuoted(visible(entry.message))
        for field in entry.fields where field.value != .absent {
            out.append(",")
            out.appendQuoted(field.name)
            out.append(":")
            switch field.value {
            case .string(let text): out.appendQuoted(visible(text))
            case .double(let number) where !number.isFinite: out.appendQuoted("\(number)")
            default: out.append(plain(field.value))
            }
        }
        out.append("}")
    }

    private static func pretty(_ entry: LogEntry, colours: Bool, into out: inout LineBuffer) {
        out.append(isoTime(entry.time))
        out.append(" ")
        if colours { out.append(colour(entry.level)) }
        out.append(entry.level.name)
        if colours { out.append("\u{1B}[0m") }
        for _ in entry.level.name.utf8.count..<8 { out.append(" ") }
        out.appendEscaped(visible(entry.message))
        for field in entry.fields where field.value != .absent {
            out.append(" ")
            out.appendEscaped(field.name)
            out.append("=")
            guard case .string(let text) = field.value else {
                out.append(plain(field.value))
                continue
            }
            let shown = visible(text)
            if shown.isEmpty || shown.utf8.contains(where: { $0 == 0x20 || $0 == 0x22 || $0 == 0x3D }) {
                out.appendQuoted(shown)
            } else {
                out.appendEscaped(shown)
            }
        }
    }

    /// The part of a text that may be shown: cut to its bound first, so that redaction costs no more than the bound.
    private static func visible(_ text: String) -> String {
        guard text.utf8.count > longestText else { return Redaction.redacting(text) }
        let cut = String(decoding: text.utf8.prefix(longestText), as: UTF8.self)
        return Redaction.redacting(cut) + "…"
    }

    private static func plain(_ value: LogValue) -> String {
        switch value {
        case .string(let text): text
        case .integer(let number): "\(number)"
        case .double(let number): "\(number)"
        case .bool(let flag): flag ? "true" : "false"
        case .absent: ""
        }
    }

    private static func colour(_ level: LogLevel) -> String {
        switch level {
        case .debug: "\u{1B}[90m"
        case .info: "\u{1B}[32m"
        case .notice: "\u{1B}[36m"
        case .warning: "\u{1B}[33m"
        case .error: "\u{1B}[31m"
        }
    }

    /// ISO 8601 in UTC with milliseconds. The calendar is the C library's; this target imports no other.
    private static func isoTime(_ milliseconds: Int64) -> String {
        var seconds = time_t(milliseconds / 1000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func padded(_ value: Int, _ width: Int) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
        }
        let date =
            "\(padded(Int(parts.tm_year) + 1900, 4))-\(padded(Int(parts.tm_mon) + 1, 2))-\(padded(Int(parts.tm_mday), 2))"
        let time = "\(padded(Int(parts.tm_hour), 2)):\(padded(Int(parts.tm_min), 2)):\(padded(Int(parts.tm_sec), 2))"
        return "\(date)T\(time).\(padded(Int(milliseconds % 1000), 3))Z"
    }
}
