/// The users that are typing in a room, and the announcements of it: at once, but in a big room together with all other changes
/// within a second.
struct RoomTyping: Sendable {
    private var typists = TypingBoard()
    private var news = TypingNews()

    /// No user is typing.
    var isEmpty: Bool { typists.isEmpty }
    var deadline: Moment? { typists.nextExpiry.orEarlier(news.due) }

    /// The announcements to the members here; nil where the user was shown like this already.
    mutating func set(_ user: RoomUser, isTyping: Bool, isBig: Bool, at now: Moment) -> [RoomEffect]? {
        guard typists.set(user, isTyping: isTyping, at: now) else { return nil }
        return announce(user, isTyping: isTyping, isBig: isBig, at: now)
    }

    private mutating func announce(_ user: RoomUser, isTyping: Bool, isBig: Bool, at now: Moment) -> [RoomEffect] {
        guard isBig || !news.isEmpty else {
            return [.announce(.typing(user, isTyping: isTyping), except: user.userID)]
        }
        news.note(user, isTyping: isTyping, at: now)
        return []
    }

    /// Ends the typing of users whose clients forgot to end it, and announces the changes that are due.
    mutating func tick(isBig: Bool, at now: Moment) -> [RoomEffect] {
        var effects: [RoomEffect] = []
        for user in typists.expire(at: now) { effects += announce(user, isTyping: false, isBig: isBig, at: now) }
        for (user, isTyping) in news.take(at: now) {
            effects.append(.announce(.typing(user, isTyping: isTyping), except: user.userID))
        }
        return effects
    }
}

/// When a big room's members are sent its state: once a second, while anything changes.
struct StateNews: Sendable {
    static let interval: Duration = .seconds(1)

    private(set) var due: Moment?
    private var last: Moment?

    mutating func noteChange(at now: Moment) {
        if due == nil { due = last.map { max(now, $0 + Self.interval) } ?? now }
    }

    /// Whether the state is to be sent now.
    mutating func take(at now: Moment) -> Bool {
        guard let due, due <= now else { return false }
        self.due = nil
        last = now
        return true
    }
}
