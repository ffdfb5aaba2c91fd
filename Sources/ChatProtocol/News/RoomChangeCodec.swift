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
            self = .revised(RoomRevision(root), at: Timestamp(milliseconds: time))
        case "admitted":
            guard let user = user() else { return nil }
            self = .admitted(user)
        case "expelled":
            guard let user = user() else { return nil }
            self = .expelled(user)
        case "standing":
            guard let user = user(), let change = StandingChange(root, about: user) else { return nil }
            self = .standing(change)
        case "deleted": self = .deleted
        case "contentErased":
            guard let needsResync = root["resync"]?.bool else { return nil }
            self = .contentErased(needsResync: needsResync)
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
            self.revision(revision)
            member("updatedAt", time.milliseconds)
        case .admitted(let user):
            member("change", "admitted")
            member("userId", user.value)
        case .expelled(let user):
            member("change", "expelled")
            member("userId", user.value)
        case .standing(let change):
            member("change", "standing")
            standing(change)
        case .deleted: member("change", "deleted")
        case .contentErased(let needsResync):
            member("change", "contentErased")
            member("resync", needsResync)
        case .unspecified: member("change", "unspecified")
        }
    }
}

extension RoomRevision {
    fileprivate init(_ root: JSONValue) {
        func number(_ name: String, in range: ClosedRange<Int64>) -> Int? {
            root[name]?.exactInteger.flatMap { range.contains($0) ? Int(exactly: $0) : nil }
        }
        self.init(
            name: root["name"].map(\.string), isPrivate: root["private"]?.bool, isReadOnly: root["readOnly"]?.bool,
            slowModeSeconds: number("slowModeSeconds", in: Self.slowModes),
            owner: root["owner"]?.string.flatMap { try? UserID(validating: $0, field: "owner") },
            retentionDays: root["retentionDays"].map { _ in number("retentionDays", in: Self.retentions) })
    }
}

extension StandingChange {
    fileprivate init?(_ root: JSONValue, about user: UserID) {
        let kind = root["standing"]?.string.flatMap(RoomStanding.Kind.init)
        switch (root["does"]?.string, kind) {
        case ("set", let kind?):
            let until = root["until"].flatMap { $0.isNull ? nil : $0.integer }
            // A time that cannot be read is no reason to let the user in.
            self = .set(kind, user, until: until.map { Timestamp(milliseconds: $0) })
        case ("cleared", let kind?): self = .cleared(kind, user)
        case ("blocked", _): self = .blocked(user)
        case ("unblocked", _): self = .unblocked(user)
        default: return nil
        }
    }
}

extension JSONWriter {
    fileprivate mutating func revision(_ revision: RoomRevision) {
        if let name = revision.name { member("name", name) }
        if let isPrivate = revision.isPrivate { member("private", isPrivate) }
        if let isReadOnly = revision.isReadOnly { member("readOnly", isReadOnly) }
        if let seconds = revision.slowModeSeconds { member("slowModeSeconds", Int64(seconds)) }
        if let owner = revision.owner { member("owner", owner.value) }
        if let days = revision.retentionDays {
            key("retentionDays")
            if let days { integer(Int64(days)) } else { null() }
        }
    }

    fileprivate mutating func standing(_ change: StandingChange) {
        let (does, kind, user, until): (String, RoomStanding.Kind?, UserID, Timestamp?) =
            switch change {
            case .set(let kind, let user, let until): ("set", kind, user, until)
            case .cleared(let kind, let user): ("cleared", kind, user, nil)
            case .blocked(let user): ("blocked", nil, user, nil)
            case .unblocked(let user): ("unblocked", nil, user, nil)
            }
        member("does", does)
        if let kind { member("standing", kind.rawValue) }
        member("userId", user.value)
        if let until { member("until", until.milliseconds) }
    }
}
