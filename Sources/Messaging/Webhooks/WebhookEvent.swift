import ChatDomain
import ChatProtocol
import JSON

/// The kinds of events that an operator may choose.
public enum WebhookEventKind: String, CaseIterable, Hashable, Sendable {
    case messages, changes, rooms, members, flags, presence
}

/// Events as their receivers read them: `{"type", "timestamp", "data"}`.
enum WebhookEvent {
    /// Participants that `room.created` lists, at most.
    private static let listedParticipants = RoomInfo.participantLimit

    // MARK: Messages and their changes

    static func type(of entry: RoomLogEntry) -> String {
        switch entry {
        case .message: "message.sent"
        case .change(let change):
            switch change.kind {
            case .edited: "message.edited"
            case .deleted: "message.deleted"
            case .reaction: "message.reaction"
            case .pinned: "message.pinned"
            }
        }
    }

    static func kind(of entry: RoomLogEntry) -> WebhookEventKind { entry.change == nil ? .messages : .changes }

    /// What is sent of a delivery; nil where nothing is left to send: the message was deleted or erased meanwhile.
    static func body(of due: DueDelivery) -> [UInt8]? {
        if case .body(let text, _) = due.delivery.content { return text.isEmpty ? nil : Array(text.utf8) }
        // The edit of a message that was deleted is read as a deletion; that has an event of its own.
        guard let entry = due.entry, type(of: entry) == due.delivery.type, entry.message?.isDeleted != true else {
            return nil
        }
        return envelope(due.delivery.type, at: entry.timestamp) { out in
            switch entry {
            case .message(let message): MessageJSON.encode(message, into: &out)
            case .change(let change): out.raw(ChangeJSON.encode(change))
            }
        }
    }

    // MARK: Rooms and their users

    /// An event with its own body.
    struct Occurrence: Hashable, Sendable {
        var kind: WebhookEventKind
        var type: String
        /// The user that it names first, if it names one.
        var user: UserID?
        var body: [UInt8]
    }

    /// nil for what has no event: what concerns instances alone, and blocks, which are between two users.
    static func make(_ occurrence: RoomOccurrence, at now: Timestamp) -> Occurrence? {
        switch occurrence {
        case .created(let room, let participants):
            return event(.rooms, "room.created", room.id, about: room.owner, at: now) { out in
                out.member("type", room.kind.rawValue)
                out.member("private", room.isPrivate)
                out.member("name", room.name)
                out.member("owner", room.owner?.value)
                out.key("participants")
                out.array(participants.prefix(listedParticipants)) { $0.string($1.value) }
            }
        case .joined(let room, let user): return member("joined", user, of: room, at: now)
        case .flagged(let room, let flag):
            return event(.flags, "message.flagged", room, about: flag.user, at: now) { out in
                out.member("messageId", flag.message.description)
                out.member("userId", flag.user.value)
            }
        case .flagsSettled(let room, let message):
            return event(.flags, "message.flags_settled", room, at: now) {
                $0.member("messageId", message.description)
            }
        case .changed(let room, let change): return make(change, of: room, at: now)
        }
    }

    private static func make(_ change: RoomChange, of room: RoomID, at now: Timestamp) -> Occurrence? {
        switch change {
        case .revised(let revision, _):
            event(.rooms, "room.changed", room, about: revision.owner, at: now) { $0.write(revision) }
        case .deleted: event(.rooms, "room.deleted", room, at: now)
        case .admitted(let user): member("added", user, of: room, at: now)
        case .expelled(let user): member("removed", user, of: room, at: now)
        case .standing(.set(let kind, let user, let until)):
            member(name(of: kind, isSet: true), user, of: room, until: until, at: now)
        case .standing(.cleared(let kind, let user)):
            member(name(of: kind, isSet: false), user, of: room, at: now)
        case .standing(.blocked), .standing(.unblocked), .contentErased, .unspecified: nil
        }
    }

    private static func name(of kind: RoomStanding.Kind, isSet: Bool) -> String {
        switch kind {
        case .ban: isSet ? "banned" : "unbanned"
        case .mute: isSet ? "muted" : "unmuted"
        case .moderator: isSet ? "promoted" : "demoted"
        }
    }

    private static func member(
        _ name: String, _ user: UserID, of room: RoomID, until: Timestamp? = nil, at now: Timestamp
    ) -> Occurrence {
        event(.members, "member.\(name)", room, about: user, at: now) { out in
            out.member("userId", user.value)
            if let until { out.member("until", until.milliseconds) }
        }
    }

    private static func event(
        _ kind: WebhookEventKind, _ type: String, _ room: RoomID, about user: UserID? = nil, at now: Timestamp,
        _ members: (inout JSONWriter) -> Void = { _ in }
    ) -> Occurrence {
        let body = envelope(type, at: now) { out in
            out.object { out in
                out.member("roomId", room.value)
                members(&out)
            }
        }
        return Occurrence(kind: kind, type: type, user: user, body: body)
    }

    // MARK: Presence

    /// Users that came online or went offline, as they are now.
    static func presence(_ users: [UserPresence], at now: Timestamp) -> [UInt8] {
        envelope("presence.changed", at: now) { out in
            out.object { out in
                out.key("users")
                out.array(users) { out, presence in
                    out.object { out in
                        out.member("userId", presence.user.userID.value)
                        out.member("username", presence.user.username)
                        out.member("status", presence.status.rawValue)
                        out.member("lastSeen", presence.lastSeen.iso8601)
                    }
                }
            }
        }
    }

    private static func envelope(
        _ type: String, at time: Timestamp, data: (inout JSONWriter) -> Void
    ) -> [UInt8] {
        var out = JSONWriter()
        out.object { out in
            out.member("type", type)
            out.member("timestamp", time.iso8601)
            out.key("data")
            data(&out)
        }
        return out.bytes
    }
}

extension JSONWriter {
    /// The members of a room that were changed.
    fileprivate mutating func write(_ revision: RoomRevision) {
        if let name = revision.name { member("name", name) }
        if let isPrivate = revision.isPrivate { member("private", isPrivate) }
        if let isReadOnly = revision.isReadOnly { member("readOnly", isReadOnly) }
        if let seconds = revision.slowModeSeconds { member("slowModeSeconds", seconds) }
        if let owner = revision.owner { member("owner", owner.value) }
        if let days = revision.retentionDays {
            key("retentionDays")
            if let days { integer(days) } else { null() }
        }
    }
}
