/// Finds a member of an object in text that no parser takes: nested too deep, cut off, or malformed somewhere else.
public enum JSONMemberScan {
    /// The value of the outermost object's first member of that name, as it stands in the text, when it is a text or a
    /// number; nil when there is none or it is something else.
    ///
    /// - Parameter name: is found only where it is written without escapes.
    public static func scalar(_ name: StaticString, in text: UnsafeRawBufferPointer) -> Range<Int>? {
        var scan = Scan(text: text)
        return scan.find(name)
    }

    private struct Scan {
        let text: UnsafeRawBufferPointer
        var position = 0
        var depth = 0

        mutating func find(_ name: StaticString) -> Range<Int>? {
            /// Whether a name may stand here, and not a value.
            var isAtName = false
            while position < text.count {
                switch text[position] {
                case UInt8(ascii: "{"), UInt8(ascii: "["):
                    isAtName = depth == 0 && text[position] == UInt8(ascii: "{")
                    // Elements of an array are no members of the outermost object.
                    if depth == 0, !isAtName { return nil }
                    depth += 1
                    position += 1
                case UInt8(ascii: "}"), UInt8(ascii: "]"):
                    depth -= 1
                    position += 1
                    if depth <= 0 { return nil }
                case UInt8(ascii: ","):
                    isAtName = depth == 1
                    position += 1
                case UInt8(ascii: "\""):
                    let found = string()
                    guard isAtName, let found else { continue }
                    isAtName = false
                    if matches(found, name), take(UInt8(ascii: ":")) { return scalar() }
                default: position += 1
                }
            }
            return nil
        }

        private func matches(_ range: Range<Int>, _ name: StaticString) -> Bool {
            range.count == name.utf8CodeUnitCount + 2
                && text[range].dropFirst().dropLast()
                    .elementsEqual(UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
        }

        private mutating func skipBlanks() {
            while position < text.count, [0x20, 0x09, 0x0A, 0x0D].contains(text[position]) { position += 1 }
        }

        private mutating func take(_ byte: UInt8) -> Bool {
            skipBlanks()
            guard position < text.count, text[position] == byte else { return false }
            position += 1
            return true
        }

        /// The string that begins here, with its quotes; nil when it does not end.
        private mutating func string() -> Range<Int>? {
            let start = position
            position += 1
            while position < text.count {
                switch text[position] {
                case UInt8(ascii: "\""):
                    position += 1
                    return start..<position
                case UInt8(ascii: "\\"): position += 2
                default: position += 1
                }
            }
            return nil
        }

        private mutating func scalar() -> Range<Int>? {
            skipBlanks()
            guard position < text.count else { return nil }
            if text[position] == UInt8(ascii: "\"") { return string() }
            let start = position
            let ends = Array(",}] \t\r\n".utf8)
            while position < text.count, !ends.contains(text[position]) { position += 1 }
            return start..<position
        }
    }
}
