import ChatProtocol
import ChatDomain
import JSON

/// The user that asks for presence, and the users it may see.
package struct PresenceViewer: Sendable {
    package var user: UserID?
    /// The only users that exist for this viewer; nil for all.
    package var visible: Set<UserID>?
    /// Users that block the viewer, and so are offline to the viewer. None of them is in `visible`.
    package var hidden: Set<UserID> = []

    /// The users that rooms may show, the viewer too, as users are visible to their own devices.
    package var visibleUsers: VisibleUsers { VisibleUsers(only: visible, except: hidden).with(user) }

    /// Whether a list of online users may hold another.
    func lists(_ other: UserID) -> Bool {
        !hidden.contains(other) && visible.map { $0.contains(other) && other != user } ?? true
    }

    package func sees(_ other: UserID) -> Bool { other == user || visibleUsers.contains(other) }
}

/// The presence of one user as one viewer sees it.
package struct PresenceView: Sendable {
    package var user: RoomUser
    package var status: PresenceStatus
    /// nil where it was never known, or is not for this viewer.
    package var lastSeen: Timestamp?
    package var sessions = 0

    package var isOnline: Bool { status.isOnline }

    /// - Parameter viewer: sees their own true status.
    package init(_ presence: UserPresence, for viewer: UserID?) {
        user = presence.user
        status = presence.user.userID == viewer ? presence.actualStatus : presence.status
        lastSeen = presence.lastSeen
        sessions = presence.status.isOnline || presence.user.userID == viewer ? presence.sessions : 0
    }

    /// Bytes of its JSON in a list, at most; with whatever of it a list repeats.
    package var encodedBytes: Int { 200 + 2 * user.userID.value.jsonBytes + 2 * user.username.jsonBytes }

    /// A user that is offline.
    package init(absent user: RoomUser, lastSeen: Timestamp? = nil) {
        self.user = user
        status = .offline
        self.lastSeen = lastSeen
    }
}

extension JSONWriter {
    /// `userId`, `username`, `status`, `lastSeen`.
    package mutating func presence(_ view: PresenceView) {
        user(view.user)
        summary(view)
    }

    /// `status`, `lastSeen`.
    package mutating func summary(_ view: PresenceView) {
        member("status", view.status.rawValue)
        key("lastSeen")
        time(view.lastSeen)
    }

    package mutating func time(_ time: Timestamp?) {
        if let time { string(time.iso8601) } else { null() }
    }

    package mutating func stamp(_ now: Timestamp) {
        member("timestamp", now.iso8601)
    }
}

extension EventJSON {
    package static func change(_ view: PresenceView, at now: Timestamp) -> [UInt8] {
        object { out in
            out.presence(view)
            out.stamp(now)
        }
    }

    package static func userID(_ user: UserID) -> [UInt8] {
        object { out in
            out.member("userId", user.value)
        }
    }

    package static func onlineList(_ page: OnlinePage, at now: Timestamp) -> [UInt8] {
        object { out in
            out.key("users")
            out.array(page.views) { out, view in out.object { $0.presence(view) } }
            out.member("count", page.count)
            out.stamp(now)
        }
    }

    package static func views(_ views: [PresenceView]) -> [UInt8] {
        var out = JSONWriter(reserving: views.count * 100 + 16)
        out.array(views) { out, view in out.object { $0.presence(view) } }
        return out.bytes
    }
}
