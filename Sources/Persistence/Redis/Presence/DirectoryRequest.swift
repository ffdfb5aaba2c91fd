import ChatDomain
import RedisLink

/// What the directory asks of Redis. Requests take effect in the order they are sent.
enum DirectoryRequest: Hashable, Sendable {
    /// Adds a session. `ticket` names the caller that waits for the sessions that must give way.
    case connect(SessionRecord, ticket: UInt64)
    case update(SessionID, of: UserID, SessionUpdate, at: Timestamp)
    case remove(SessionID, of: UserID, at: Timestamp)
    case setPresent(RoomPlace, Bool)
    /// Adds sessions and places in rooms again that Redis may have lost. `attempt` names the registration.
    case register([SessionRecord], [RoomPlace], at: Timestamp, attempt: UInt64)
    case renewLease(began: Moment)
    /// Leaves this instance's users in sight for the grace period, for an instance that ends.
    case releaseLease
    /// Removes a slice of what an instance left.
    case sweep(InstanceID, at: Timestamp)
    /// Gives the derived keys of users another lifetime.
    case renewKeys([UserID])
    /// Reads what Redis has under this instance's name.
    case readInventory
    /// Reads how users stand, for the question of this number.
    case readUsers([UserID], number: UInt64)
    /// Reads a page of all users with sessions, for the question of this number.
    case scanUsers(cursor: String, number: UInt64)
    /// Reads how many users others see online.
    case countOnline
    /// Sends a mark to this instance itself, over the channel on which payloads come.
    case publishMark(UInt64)
}

extension DirectoryRequest {
    /// Whether it reads the keys of users that were named.
    var isReading: Bool { if case .readUsers = self { true } else { false } }

    /// Whether it is one command that changes a session.
    var isSessionChange: Bool {
        switch self {
        case .connect, .update, .remove: true
        default: false
        }
    }

    /// The only user that it concerns; nil for one that has to keep its place among all others.
    var user: UserID? {
        switch self {
        case .connect(let record, ticket: _): record.user.userID
        case .update(_, of: let user, _, at: _), .remove(_, of: let user, at: _): user
        case .setPresent(let place, _): place.user
        default: nil
        }
    }

    /// Whether a session leaves by it.
    var isDeparture: Bool {
        switch self {
        case .update(_, of: _, .disconnected, at: _), .remove: true
        default: false
        }
    }

    /// Sessions that leave by one command, so that it does not hold up Redis.
    static let departuresAtOnce = 50

    /// Requests in their order, those together that one command can carry.
    static func groups(of requests: [DirectoryRequest]) -> [[DirectoryRequest]] {
        var groups: [[DirectoryRequest]] = []
        for request in requests {
            if request.isDeparture, let last = groups.last, last.count < departuresAtOnce, last[0].isDeparture {
                groups[groups.count - 1].append(request)
            } else {
                groups.append([request])
            }
        }
        return groups
    }

    /// Users whose answer a loop reads between other work.
    private static let fewUsers = 16

    /// Whether the answer takes long to read.
    var hasLongAnswer: Bool {
        switch self {
        case .readUsers(let users, _): users.count > Self.fewUsers
        case .scanUsers, .readInventory: true
        default: false
        }
    }
}

/// What Redis answers to a request.
enum DirectoryAnswer: Hashable, Sendable {
    case done
    /// - Parameters:
    ///   - requestedStatus: what the user's other sessions make of the session's status.
    ///   - presence: how the user stands with the session; nil where Redis gave nothing that can be read.
    ///   - evicted: sessions that must give way, the oldest first.
    case connected(requestedStatus: PresenceStatus?, presence: PresenceStatement? = nil, evicted: [SessionRecord])
    /// - Parameters:
    ///   - isHeld: whether the lease still held when it was renewed.
    ///   - others: how many other instances hold a lease.
    ///   - ended: instances whose leases have ended.
    case lease(isHeld: Bool, others: Int, ended: [InstanceID])
    case swept(hasMore: Bool)
    case inventory([StoredSession], [RoomPlace])
    /// - Parameters:
    ///   - at: a version that is not newer than what was read. A user without a statement was gone then.
    ///   - next: the cursor of the next page; nil after the last one, and where users were named.
    case users([PresenceStatement], at: Int64, next: String?)
    case count(Int)
    case published(listeners: Int64)
    case failed(RedisError)
    /// Redis answered with something that is not an answer to this request.
    case malformed
}

/// A session that Redis lists under an instance.
struct StoredSession: Hashable, Sendable {
    let id: SessionID
    let user: UserID
}

/// A user's presence in a room on one instance.
struct RoomPlace: Hashable, Sendable {
    let room: RoomID
    let user: UserID

    init(room: RoomID, user: UserID) {
        self.room = room
        self.user = user
    }

    /// Reads the form in which the scripts write it: the room, a zero byte, the user.
    init?(_ text: String) {
        let parts = text.utf8.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let room = try? RoomID(validating: String(Substring(parts[0])), field: "roomId"),
            let user = try? UserID(validating: String(Substring(parts[1])), field: "userId")
        else { return nil }
        self.init(room: room, user: user)
    }
}
