/// The id of the room two users share: `direct:<a>:<b>`, ids sorted by bytes, `%` and `:` inside an id percent-encoded.
public enum DirectRoom {
    public static let prefix = "direct:"

    public static func id(of a: UserID, and b: UserID) -> RoomID {
        let pair = [a.value, b.value].sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        return RoomID(unchecked: prefix + escape(pair[0]) + ":" + escape(pair[1]))
    }

    public static func isDirect(_ id: RoomID) -> Bool { id.value.hasPrefix(prefix) }

    /// The two participants, or nil when `id` is not the canonical id of exactly two different users.
    public static func participants(of id: RoomID) -> (UserID, UserID)? {
        guard isDirect(id) else { return nil }
        let parts = id.value.dropFirst(prefix.count).split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let first = unescape(parts[0]), let second = unescape(parts[1]),
            !first.isEmpty, !second.isEmpty
        else { return nil }
        let pair = (UserID(unchecked: first), UserID(unchecked: second))
        return pair.0 != pair.1 && self.id(of: pair.0, and: pair.1) == id ? pair : nil
    }

    private static func escape(_ text: String) -> String {
        var out = ""
        for character in text.unicodeScalars {
            switch character {
            case "%": out += "%25"
            case ":": out += "%3A"
            default: out.unicodeScalars.append(character)
            }
        }
        return out
    }

    private static func unescape(_ text: Substring) -> String? {
        var out = ""
        var rest = text[...]
        while let mark = rest.firstIndex(of: "%") {
            out += rest[..<mark]
            switch rest[mark...].prefix(3) {
            case "%25": out += "%"
            case "%3A": out += ":"
            default: return nil
            }
            rest = rest[mark...].dropFirst(3)
        }
        return out + rest
    }
}
