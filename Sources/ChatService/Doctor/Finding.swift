import JSON

/// One thing that the doctor looked at.
struct Finding: Equatable, Sendable {
    enum Level: String, Sendable, Comparable {
        /// It is as it should be.
        case ok
        /// It could not be checked, or is worth knowing.
        case note
        /// It works, and may fail later or under load.
        case warning
        /// It does not work.
        case error

        static func < (a: Self, b: Self) -> Bool { a.rank < b.rank }

        private var rank: Int {
            switch self {
            case .ok: 0
            case .note: 1
            case .warning: 2
            case .error: 3
            }
        }
    }

    let check: String
    let level: Level
    let text: String
    /// What to do; nil where there is nothing to do.
    let advice: String?

    static func ok(_ check: String, _ text: String) -> Self { Self(check: check, level: .ok, text: text, advice: nil) }

    static func note(_ check: String, _ text: String, do advice: String? = nil) -> Self {
        Self(check: check, level: .note, text: text, advice: advice)
    }

    static func warning(_ check: String, _ text: String, do advice: String) -> Self {
        Self(check: check, level: .warning, text: text, advice: advice)
    }

    static func error(_ check: String, _ text: String, do advice: String) -> Self {
        Self(check: check, level: .error, text: text, advice: advice)
    }
}

/// All findings, as text or as JSON.
struct DoctorReport: Equatable, Sendable {
    private(set) var findings: [Finding] = []

    mutating func add(_ more: [Finding]) { findings += more }

    func count(_ level: Finding.Level) -> Int { findings.count { $0.level == level } }

    var text: String {
        let width = findings.map(\.check.count).max() ?? 0
        var lines: [String] = []
        for finding in findings {
            let level = finding.level.rawValue.padded(to: 9)
            lines.append("\(level)\(finding.check.padded(to: width + 2))\(finding.text)".oneLine)
            if let advice = finding.advice {
                lines.append(String(repeating: " ", count: width + 11) + "→ \(advice)".oneLine)
            }
        }
        lines.append("\(count(.error)) errors, \(count(.warning)) warnings")
        return lines.joined(separator: "\n")
    }

    var json: String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("healthy", count(.error) == 0)
            writer.member("errors", count(.error))
            writer.member("warnings", count(.warning))
            writer.key("findings")
            writer.array(findings) { writer, finding in
                writer.object { writer in
                    writer.member("check", finding.check)
                    writer.member("level", finding.level.rawValue)
                    writer.member("finding", finding.text)
                    if let advice = finding.advice { writer.member("advice", advice) }
                }
            }
        }
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }

    /// Reasons of servers may hold line breaks and escapes of terminals.
    fileprivate var oneLine: String {
        String(String.UnicodeScalarView(unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }))
    }
}
