import ChatDomain
import JSON

/// A change of a room as instances send it to each other: members of one JSON object.
extension RoomChange {
    /// nil for anything this server would not have written.
    package init?(_ root: JSONValue) {
        func user() -> UserID? { root["userId"]?.string.flatMap { try? UserID(validating: $0, field: "userId") } }
        switch root["change"]?.string {
        case "revised":
            guard let time = root["updatedAt"]?.integer else { return nil }
            let revision = RoomRevision(name: root["name"].map(\.string), isPrivate: root["private"]?.bool)
            self = .revised(revision, at: Timestamp(milliseconds: time))
        case "admitted":
            guard let user = user() else { return nil }
            self = .admitted(user)
        case "expelled":
            guard let user = user() else { return nil }
            self = .expelled(user)
        case "deleted": self = .deleted
        case "unspecified": self = .unspecified
        default: return nil
        }
    }
}

extension JSONWriter {
    package mutating func change(_ change: RoomChange) {
        switch change {
        case .revised(let revision, let time):
            member("change", "revised")
            if let name = revision.name { member("name", name) }
            if let isPrivate = revision.isPrivate { member("private", isPrivate) }
            member("updatedAt", time.milliseconds)
        case .admitted(let user):
            member("change", "admitted")
            member("userId", user.value)
        case .expelled(let user):
            member("change", "expelled")
            member("userId", user.value)
        case .deleted: member("change", "deleted")
        case .unspecified: member("change", "unspecified")
        }
    }
}
