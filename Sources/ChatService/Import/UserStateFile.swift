import ChatDomain
import JSON

/// What an older who-is-online service kept in its state file: users with the time they were last seen.
///
/// Taken as an array of users, or as an object keyed by user id; either may stand under `users`. Times are ISO 8601 or
/// milliseconds. Nobody is online by a file, so a status in it is passed over.
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
        let root: JSONValue
        do throws(JSONError) { root = try JSONValue(parsing: bytes) } catch {
            throw Unreadable(description: "the file is not JSON: \(error)")
        }
        let content = root["users"] ?? root
        var entries: [Entry] = []
        if let list = content.array {
            for (index, item) in list.enumerated() {
                guard let id = Self.id(item["userId"] ?? item["id"]) else {
                    throw Unreadable(description: "entry \(index) has no userId")
                }
                entries.append(try Self.entry(id, item))
            }
        } else if let members = content.object {
            for (id, item) in members.sorted(by: { $0.key < $1.key }) { entries.append(try Self.entry(id, item)) }
        } else {
            throw Unreadable(description: "the file holds neither an array of users nor an object keyed by user id")
        }
        self.entries = entries
    }

    private static func id(_ value: JSONValue?) -> String? { value?.string ?? value?.integer.map { String($0) } }

    private static func entry(_ id: String, _ item: JSONValue) throws(Unreadable) -> Entry {
        let user: UserID
        do throws(ChatError) { user = try UserID(validating: id, field: "userId") } catch {
            throw Unreadable(description: "\(id.prefix(64)): \(error.message)")
        }
        var profile = Profile(username: item["username"]?.string)
        if let seen = item["lastSeen"], !seen.isNull {
            guard
                let time = seen.integer.map({ Timestamp(milliseconds: $0) })
                    ?? seen.string.flatMap({ Timestamp(iso8601: $0) })
            else { throw Unreadable(description: "\(id.prefix(64)): lastSeen is no time") }
            profile.lastSeen = time
        }
        return Entry(user: user, profile: profile)
    }
}
