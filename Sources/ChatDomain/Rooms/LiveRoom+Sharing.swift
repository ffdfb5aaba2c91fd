/// What instances tell each other about a room. Messages travel too, but their truth is the store's.
public enum RoomNews: Hashable, Sendable {
    case message(Message)
    /// A user's first session on the telling instance.
    case joined(RoomUser)
    /// A user's last session on the telling instance has gone.
    case left(UserID)
    case typing(RoomUser, isTyping: Bool)
    case read(RoomUser, SequenceNumber)
    /// The store has this user as a participant from now on.
    case participant(UserID)
    /// What the roster of the telling instance comes to. Told now and then: `joined` and `left` may have been lost.
    case present(RosterDigest)
    /// The store has nothing after this number any more.
    case rewound(to: SequenceNumber)
    /// All users on the telling instance that do not hide; the others are asked to answer likewise when `asks`.
    case roster([RoomUser], asks: Bool)
}

extension LiveRoom {
    /// How long instances have to speak up after contact was lost, in milliseconds.
    static let doubtMilliseconds: Int64 = 3000

    /// Takes what another instance tells.
    public mutating func receive(_ news: RoomNews, from instance: InstanceID, at now: Moment) -> [RoomEffect] {
        switch news {
        case .message(let message): return received([message], at: now)
        case .present(let digest):
            remote.spoke(instance)
            return remote.digest(of: instance) == digest ? [] : [.share(.roster(localRoster, asks: true))]
        case .rewound(let sequence): return rewind(to: sequence)
        case .joined(let user):
            return remote.add(user, of: instance) ? remoteChanged(joined: [user], at: now) : []
        case .left(let user):
            return remote.remove(user, of: instance).map { remoteChanged(left: [$0], at: now) } ?? []
        case .typing(let user, let isTyping):
            guard typists.set(user, isTyping: isTyping, at: now) else { return [] }
            return announceTyping(user, isTyping: isTyping, at: now)
        case .read(let user, let sequence):
            readMarks.note(ReadMark(userID: user.userID, sequence: sequence))
            return [.announce(.read(user, sequence), except: user.userID)]
        case .participant(let user):
            admit(user)
            return []
        case .roster(let users, let asks):
            let (gone, new) = remote.replace(users, of: instance)
            let effects = remoteChanged(joined: new, left: gone, at: now)
            return asks ? effects + [.share(.roster(localRoster, asks: false))] : effects
        }
    }

    /// The subscription to the others' traffic stands: they are told who is here and asked who is there.
    public mutating func contactMade(at now: Moment) -> [RoomEffect] {
        if !remote.isEmpty {
            remote.doubtEverybody()
            doubtDue = now + Self.doubtMilliseconds
        }
        return [.share(.roster(localRoster, asks: true))]
    }

    /// Tells the others what the users here come to, and gives up instances that have stopped to do so: their `left` was
    /// lost. To be called every half a minute.
    public mutating func compareRosters(at now: Moment) -> [RoomEffect] {
        let left = remoteChanged(left: remote.endRound(), at: now)
        guard !members.isEmpty else { return left }
        return left + [.share(.present(RosterDigest(localRoster.lazy.map(\.userID))))]
    }

    /// Another instance is dead; what it said of its users no longer holds.
    public mutating func lost(_ instance: InstanceID, at now: Moment) -> [RoomEffect] {
        remoteChanged(left: remote.drop(instance), at: now)
    }

    private var localRoster: [RoomUser] { members.list(limit: .max, except: hidden) }

    /// Users that came to or went from all other instances: those not here as well are news to everybody here.
    mutating func remoteChanged(joined: [RoomUser] = [], left: [RoomUser] = [], at now: Moment) -> [RoomEffect] {
        var effects: [RoomEffect] = []
        for user in joined {
            if members.contains(user.userID) {
                overlap += 1
            } else {
                effects += announcePresence(.joined(user), at: now)
            }
        }
        for user in left {
            if members.contains(user.userID) {
                overlap -= 1
            } else {
                effects += stopTyping(user, at: now) + announcePresence(.left(user), at: now)
            }
        }
        return effects
    }
}
