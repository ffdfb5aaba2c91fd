/// The names of files as clients give them, made harmless: what is stored, shown and sent back.
public enum FileName {
    /// Bytes of UTF-8 of a name, as file systems take them.
    public static let maximumBytes = 255
    /// Unicode scalars of a name, which is a segment of the file's address.
    public static let maximumCharacters = 128
    /// The name of a file whose given name has nothing to keep.
    public static let fallback = "file"

    /// The last part of a path, without characters that control a terminal, a header or the direction of text, and without
    /// blanks and dots at its beginning and blanks at its end.
    public static func sanitized(_ given: String) -> String {
        let parts = given.unicodeScalars.split(omittingEmptySubsequences: true) { $0 == "/" || $0 == "\\" }
        var kept = String.UnicodeScalarView()
        var bytes = 0
        for scalar in parts.last ?? Substring.UnicodeScalarView() where !isDropped(scalar) {
            if kept.isEmpty, scalar == "." || scalar.properties.isWhitespace { continue }
            bytes += UTF8.width(scalar)
            guard bytes <= maximumBytes, kept.count < maximumCharacters else { break }
            kept.append(scalar)
        }
        while let end = kept.last, end.properties.isWhitespace { kept.removeLast() }
        return kept.isEmpty ? fallback : String(kept)
    }

    /// Control and format characters (direction marks are such), line separators, and what is no character.
    private static func isDropped(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned: true
        default: scalar == "\u{FFFD}"
        }
    }
}

/// The media types of files as clients give them.
public enum MediaType {
    /// The type of a file about which nothing is known.
    public static let unknown = "application/octet-stream"
    private static let maximumBytes = 127

    /// `type/subtype` in lower case, without parameters; `unknown` for anything else.
    public static func sanitized(_ given: String?) -> String {
        guard let given else { return unknown }
        let type = given.prefix { $0 != ";" }.trimmingSpaces().lowercased()
        let halves = type.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard type.utf8.count <= maximumBytes, halves.count == 2, halves.allSatisfy({ isToken($0) }) else {
            return unknown
        }
        return type
    }

    private static func isToken(_ bytes: some Collection<UInt8>) -> Bool {
        !bytes.isEmpty
            && bytes.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte) || "!#$&-^_.+".utf8.contains(byte)
            }
    }
}

extension Substring {
    fileprivate func trimmingSpaces() -> Substring {
        var text = drop { $0 == " " || $0 == "\t" }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return text
    }
}
