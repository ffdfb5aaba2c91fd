/// The id of the room two users share: `direct:<a>:<b>`, ids sorted by bytes, `%` and `:` inside an id percent-encoded.
///
/// It is put together and taken apart by bytes: as characters, a mark at the beginning of a user's id would merge with the
/// colon before it.
public enum DirectRoom {
    public static let prefix = "direct:"
    private static let colon = UInt8(ascii: ":")
    private static let percent = UInt8(ascii: "%")

    public static func id(of a: UserID, and b: UserID) -> RoomID {
        let (first, second) = a < b ? (a, b) : (b, a)
        let bytes = Array(prefix.utf8) + escape(first) + [colon] + escape(second)
        return RoomID(unchecked: String(decoding: bytes, as: UTF8.self))
    }

    public static func isDirect(_ id: RoomID) -> Bool { id.value.utf8.starts(with: prefix.utf8) }

    /// The two participants, or nil when `id` is not the canonical id of exactly two different users.
    public static func participants(of id: RoomID) -> (UserID, UserID)? {
        guard isDirect(id) else { return nil }
        let parts = Array(id.value.utf8).dropFirst(prefix.utf8.count)
            .split(separator: colon, omittingEmptySubsequences: false)
        guard parts.count == 2, let first = unescape(parts[0]), let second = unescape(parts[1]),
            !first.isEmpty, !second.isEmpty
        else { return nil }
        let pair = (UserID(unchecked: first), UserID(unchecked: second))
        return pair.0 != pair.1 && self.id(of: pair.0, and: pair.1) == id ? pair : nil
    }

    /// The other user of the direct room; nil where `user` is not one of its two.
    public static func partner(of user: UserID, in id: RoomID) -> UserID? {
        guard let (a, b) = participants(of: id) else { return nil }
        return user == a ? b : user == b ? a : nil
    }

    private static func escape(_ user: UserID) -> [UInt8] {
        user.value.utf8.flatMap { byte -> [UInt8] in
            switch byte {
            case percent: Array("%25".utf8)
            case colon: Array("%3A".utf8)
            default: [byte]
            }
        }
    }

    private static func unescape(_ text: ArraySlice<UInt8>) -> String? {
        var out: [UInt8] = []
        var rest = text
        while let mark = rest.firstIndex(of: percent) {
            out += rest[..<mark]
            let code = rest[mark...].prefix(3)
            if code.elementsEqual("%25".utf8) {
                out.append(percent)
            } else if code.elementsEqual("%3A".utf8) {
                out.append(colon)
            } else {
                return nil
            }
            rest = rest[mark...].dropFirst(3)
        }
        return String(decoding: out + rest, as: UTF8.self)
    }
}
