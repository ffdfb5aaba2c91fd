/// The users that a text mentions as `<@userId>`.
public enum Mentions {
    /// Users that one message may mention; the others in its text are passed over.
    public static let limit = 50

    /// The users named in a request, then those in the text, each once.
    public static func users(named: [UserID], in text: String) -> [UserID] {
        var users: [UserID] = []
        func add(_ user: UserID) -> Bool {
            if users.count < limit, !users.contains(user) { users.append(user) }
            return users.count < limit
        }
        guard named.allSatisfy(add) else { return users }
        var text = text
        text.withUTF8 { bytes in scan(bytes, add) }
        return users
    }

    /// - Parameter found: takes a user, and says whether to look for more.
    private static func scan(_ bytes: UnsafeBufferPointer<UInt8>, _ found: (UserID) -> Bool) {
        let mark = UInt8(ascii: "<")
        var rest = bytes[...]
        while let start = rest.firstIndex(of: mark) {
            rest = rest[(start + 1)...]
            guard rest.first == UInt8(ascii: "@") else { continue }
            // Up to the next mark, so that a text full of marks is walked once.
            guard let end = rest.firstIndex(where: { $0 == UInt8(ascii: ">") || $0 == mark }) else { return }
            let name = rest[rest.startIndex + 1..<end]
            guard rest[end] != mark, name.count <= 4 * UserID.maximumCharacters else { continue }
            let user = try? UserID(validating: String(decoding: name, as: UTF8.self), field: "mentions")
            if let user, !found(user) { return }
        }
    }
}
