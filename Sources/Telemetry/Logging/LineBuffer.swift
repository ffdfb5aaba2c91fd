/// A line being put together, as UTF-8.
struct LineBuffer {
    private(set) var bytes: [UInt8] = []

    init() { bytes.reserveCapacity(256) }

    mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

    /// A JSON string (RFC 8259, section 7).
    mutating func appendQuoted(_ text: String) {
        bytes.append(0x22)
        appendEscaped(text, quotes: true)
        bytes.append(0x22)
    }

    /// The text with nothing in it that could end the line, move a terminal's cursor or turn the reading direction.
    mutating func appendEscaped(_ text: String, quotes: Bool = false) {
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x22 where quotes, 0x5C:
                bytes.append(0x5C)
                bytes.append(UInt8(scalar.value))
            case 0x0A: append("\\n")
            case 0x0D: append("\\r")
            case 0x09: append("\\t")
            case 0x20..<0x7F: bytes.append(UInt8(scalar.value))
            default:
                if Self.mayBeShown(scalar) {
                    bytes.append(contentsOf: UTF8.encode(scalar).map(Array.init) ?? [])
                } else {
                    appendEscape(scalar)
                }
            }
        }
    }

    private static func mayBeShown(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: false
        default: true
        }
    }

    private mutating func appendEscape(_ scalar: Unicode.Scalar) {
        for unit in String(scalar).utf16 {
            let digits = String(unit, radix: 16)
            append("\\u")
            append(String(repeating: "0", count: 4 - digits.utf8.count))
            append(digits)
        }
    }
}
