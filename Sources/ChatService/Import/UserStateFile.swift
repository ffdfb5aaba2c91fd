import ChatDomain
import JSON

/// The state file of an older presence service: users with the time they were last seen.
///
/// The file is an array of users, or an object keyed by user id; either may stand under `users`. Times are ISO 8601 or
/// milliseconds. A status in the file is ignored, as users are online by their connections alone.
struct UserStateFile {
    struct Entry: Equatable {
        var user: UserID
        var profile: Profile
    }

    struct Unreadable: Error, CustomStringConvertible {
        let description: String
    }

    let entries: [Entry]

    init(_ bytes: [UInt8]) throws(Unreadable) {
        let parser = JSONParser()
        let result = bytes.withUnsafeBytes { bytes in
            Result { () throws(Unreadable) in
                let root: JSONElement
                do throws(JSONError) { root = try parser.parse(bytes) } catch {
                    throw Unreadable(description: "the file is not JSON: \(error)")
                }
                return try Self.entries(root["users"] ?? root)
            }
        }
        entries = try result.get()
    }

    private static func entries(_ content: JSONElement) throws(Unreadable) -> [Entry] {
        var entries: [Entry] = []
        switch content.kind {
        case .array:
            for (index, element) in content.elements.enumerated() {
                let item = JSONValue(element)
                guard let id = Self.id(item["userId"] ?? item["id"]) else {
                    throw Unreadable(description: "entry \(index) has no userId")
                }
                entries.append(try Self.entry(id, item))
            }
        case .object:
            // Member by member: as keys of a dictionary, ids that differ in their scalars alone would be one.
            var members: [(id: String, item: JSONValue)] = []
            content.forEachMember { id, element in
                members.append((id, JSONValue(element)))
                return true
            }
            for (id, item) in members { entries.append(try Self.entry(id, item)) }
        default:
            throw Unreadable(description: "the file holds neither an array of users nor an object keyed by user id")
        }
        return entries
    }

    private static func id(_ value: JSONValue?) -> String? { value?.string ?? value?.integer.map { String($0) } }

    private static func entry(_ id: String, _ item: JSONValue) throws(Unreadable) -> Entry {
        let user: UserID
        do throws(ChatError) { user = try UserID(validating: id, field: "userId") } catch {
            throw Unreadable(description: "\(ShortText.cut(id, maximumCharacters: 64)): \(error.message)")
        }
        var profile = Profile(username: item["username"]?.string)
        if let seen = item["lastSeen"], !seen.isNull {
            guard
                let time = seen.integer.map({ Timestamp(milliseconds: $0) })
                    ?? seen.string.flatMap({ Timestamp(iso8601: $0) })
            else { throw Unreadable(description: "\(ShortText.cut(id, maximumCharacters: 64)): lastSeen is no time") }
            profile.lastSeen = time
        }
        return Entry(user: user, profile: profile)
    }
}
