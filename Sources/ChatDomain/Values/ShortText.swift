/// Texts by which clients name things: ids, display names, keys. Their length is counted in Unicode scalars, so that it
/// bounds their bytes too: what looks like one character may be a kilobyte of combining marks.
public enum ShortText {
    /// - Parameter field: the field's name in the contract, for the error's text.
    /// - Throws: `bad_request` when `text` has more scalars than `maximumCharacters` or holds a control character (U+0000 to
    ///   U+001F, U+007F to U+009F).
    public static func check(_ text: String, field: String, maximumCharacters: Int) throws(ChatError) {
        guard fits(text, maximumCharacters) else {
            throw .badRequest("\(field) must be at most \(maximumCharacters) characters")
        }
        guard !holdsControl(text) else { throw .badRequest("\(field) must not contain control characters") }
    }

    /// Whether `check` takes it.
    public static func isFit(_ text: String, maximumCharacters: Int) -> Bool {
        fits(text, maximumCharacters) && !holdsControl(text)
    }

    /// The first scalars of a text, for where a long one is cut rather than refused.
    public static func cut(_ text: String, maximumCharacters: Int) -> String {
        fits(text, maximumCharacters) ? text : String(text.unicodeScalars.prefix(maximumCharacters))
    }

    /// Counting scalars walks the text; the bytes alone decide most cases, and bound that walk.
    private static func fits(_ text: String, _ maximumCharacters: Int) -> Bool {
        let bytes = text.utf8.count
        return bytes <= maximumCharacters
            || bytes <= 4 * maximumCharacters && text.unicodeScalars.count <= maximumCharacters
    }

    private static func holdsControl(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            bytes.indices.contains { index in
                let byte = bytes[index]
                // In UTF-8 U+0080 to U+009F are this byte and one below 0xA0; it is never a text's last.
                return byte < 0x20 || byte == 0x7F || byte == 0xC2 && bytes[index + 1] < 0xA0
            }
        }
    }
}

extension String {
    /// Byte by byte: `==` takes canonically equivalent texts for equal.
    public func hasSameBytes(as other: String) -> Bool {
        var (a, b) = (self, other)
        return a.withUTF8 { a in b.withUTF8 { b in a.count == b.count && a.elementsEqual(b) } }
    }
}
