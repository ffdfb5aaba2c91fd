import ChatDomain
import Synchronization

@testable import ChatCore

/// The sessions of the instances of a test, and the questions between instances. Everything is delivered at once, on the
/// thread that brings it about.
final class DirectoryExchange: Sendable {
    struct Sent {
        var from: InstanceID
        /// nil for all others.
        var to: InstanceID?
        var message: InstanceMessage?
    }

    /// What an instance keeps of users.
    private struct Kept {
        var everybody = 0
        var followers: [UserID: Int] = [:]
        var known: Set<UserID> = []
    }

    private struct State {
        var kept: [InstanceID: Kept] = [:]
        var handlers: [InstanceID: @Sendable (DirectoryEvent) -> Void] = [:]
        var table = PresenceTable()
        var sent: [Sent] = []
        var isLosing = false
        var isReachable = true
        var contact = Contact.always
        var friends: [UserID: Set<UserID>] = [:]
        var timesSent = 0
    }

    private let state = Mutex(State())

    // MARK: What tests say and see

    /// From now on what instances ask of each other is lost, or not any more.
    func lose(_ isLosing: Bool) { state.withLock { $0.isLosing = isLosing } }
    func setReachable(_ isReachable: Bool) { state.withLock { $0.isReachable = isReachable } }
    func setContact(_ contact: Contact) { state.withLock { $0.contact = contact } }
    /// The friends that another service keeps of a user.
    func setFriends(_ friends: [String], of user: String) {
        state.withLock { $0.friends[UserID(unchecked: user)] = Set(friends.map { UserID(unchecked: $0) }) }
    }

    func emit(_ event: DirectoryEvent, to instance: InstanceID) { state.withLock { $0.handlers[instance] }?(event) }

    var sent: [Sent] { state.withLock { $0.sent } }
    /// How often instances were told of departures.
    var timesSent: Int { state.withLock { $0.timesSent } }

    /// The connected sessions of a user.
    func sessions(of user: String) -> [SessionRecord] {
        state.withLock { $0.table.sessions(of: UserID(unchecked: user)) }
    }

    /// All sessions of a user, with those in their grace period.
    func records(of user: String) -> [SessionRecord] {
        state.withLock { $0.table.records }.filter { $0.user.userID.value == user }
    }

    // MARK: What directories do

    fileprivate func attach(_ instance: InstanceID, _ handler: @escaping @Sendable (DirectoryEvent) -> Void) {
        state.withLock { $0.handlers[instance] = handler }
    }

    fileprivate func detach(_ instance: InstanceID) { state.withLock { $0.handlers[instance] = nil } }

    fileprivate func change(_ user: UserID, from instance: InstanceID, _ body: (inout PresenceTable) -> UserPresence?) {
        let events = state.withLock { state -> [(InstanceID, [DirectoryEvent])] in
            let (before, online) = (state.table.presence(of: user)?.actualStatus ?? .offline, state.table.onlineCount)
            guard let presence = body(&state.table) else { return [] }
            let news = PresenceNews(presence, before: before, origin: instance)
            return state.handlers.keys.map { other in
                var events = Self.events(of: news, to: other, &state)
                if state.table.onlineCount != online { events.append(.counted(online: state.table.onlineCount)) }
                return (other, events)
            }
        }
        for (other, events) in events { for event in events { emit(event, to: other) } }
    }

    private static func events(of news: PresenceNews, to instance: InstanceID, _ state: inout State) -> [DirectoryEvent]
    {
        let user = news.presence.user.userID
        guard isKept(user, by: instance, state) || state.kept[instance]?.known.contains(user) == true else {
            return [.passed(news)]
        }
        let isFirst = state.kept[instance, default: Kept()].known.insert(user).inserted
        return [.changed(news, isFirst: isFirst)] + forget([user], by: instance, &state)
    }

    private static func isKept(_ user: UserID, by instance: InstanceID, _ state: State) -> Bool {
        if let kept = state.kept[instance], kept.everybody > 0 || kept.followers[user] ?? 0 > 0 { return true }
        return state.table.records.contains { $0.user.userID == user && $0.instance == instance }
    }

    /// Has an instance forget those of these users that it need not keep.
    private static func forget(_ users: [UserID], by instance: InstanceID, _ state: inout State) -> [DirectoryEvent] {
        let forgotten = users.filter { !isKept($0, by: instance, state) }
        guard !forgotten.isEmpty else { return [] }
        state.kept[instance]?.known.subtract(forgotten)
        return [.forgotten(forgotten)]
    }

    fileprivate func follow(_ users: [UserID], by instance: InstanceID) {
        state.withLock { state in
            for user in users { state.kept[instance, default: Kept()].followers[user, default: 0] += 1 }
        }
    }

    fileprivate func unfollow(_ users: [UserID], by instance: InstanceID) {
        let events = state.withLock { state in
            for user in users { state.kept[instance]?.followers[user, default: 0] -= 1 }
            return Self.forget(users, by: instance, &state)
        }
        for event in events { emit(event, to: instance) }
    }

    fileprivate func followEverybody(by instance: InstanceID, _ count: Int) {
        state.withLock { $0.kept[instance, default: Kept()].everybody += count }
        if count > 0 { load(state.withLock { $0.table.all }.map(\.user.userID), for: instance) }
    }

    /// How many users an instance follows.
    func followed(by instance: InstanceID) -> Int {
        state.withLock { $0.kept[instance]?.followers.count { $0.value > 0 } ?? 0 }
    }

    fileprivate func load(_ users: [UserID], for instance: InstanceID) {
        let learned = state.withLock { state in
            users.filter {
                Self.isKept($0, by: instance, state)
                    && state.kept[instance, default: Kept()].known.insert($0).inserted
            }
            .map { state.table.presence(of: $0) ?? .gone($0) }
        }
        if !learned.isEmpty { emit(.learned(learned), to: instance) }
    }

    fileprivate func presence(of users: [UserID]) -> [UserID: UserPresence] {
        state.withLock { state in users.reduce(into: [:]) { $0[$1] = state.table.presence(of: $1) } }
    }

    fileprivate func online(after cursor: UserID?, limit: Int) -> OnlineSlice {
        state.withLock { $0.table.online(after: cursor, limit: limit) }
    }

    fileprivate func send(_ payload: [UInt8], from instance: InstanceID, to receiver: InstanceID?) {
        let handlers = state.withLock { state in
            state.sent.append(Sent(from: instance, to: receiver, message: InstanceMessage(decoding: payload)))
            guard !state.isLosing else { return [@Sendable (DirectoryEvent) -> Void]() }
            return state.handlers.filter { $0.key != instance && $0.key == receiver ?? $0.key }.map(\.value)
        }
        for handler in handlers { handler(.received(payload: payload)) }
    }

    fileprivate func others(than instance: InstanceID) -> Set<InstanceID>? {
        state.withLock { $0.isReachable ? Set($0.handlers.keys).subtracting([instance]) : nil }
    }

    fileprivate func sharedFriends(of users: [UserID]) -> [UserID: Set<UserID>]? {
        state.withLock { state in state.isReachable ? state.friends.filter { users.contains($0.key) } : nil }
    }

    fileprivate func noteSending() { state.withLock { $0.timesSent += 1 } }

    fileprivate var contact: Contact { state.withLock { $0.contact } }
}

/// One instance's directory.
final class DirectoryDouble: SessionDirectory {
    private let instance: InstanceID
    private let exchange: DirectoryExchange
    private let maximumSessions: Int
    private let own = Mutex(PresenceTable())
    let isAlone: Bool

    init(_ instance: InstanceID, on exchange: DirectoryExchange, maximumSessions: Int = 0, isAlone: Bool = false) {
        self.isAlone = isAlone
        self.instance = instance
        self.exchange = exchange
        self.maximumSessions = maximumSessions
    }

    func start(_ handler: @escaping @Sendable (DirectoryEvent) -> Void) { exchange.attach(instance, handler) }

    func connect(_ record: SessionRecord, completion: @escaping @Sendable ([SessionRecord]) -> Void) {
        _ = own.withLock { $0.connect(record, limit: maximumSessions, at: record.connectedAt) }
        var evicted: [SessionRecord] = []
        exchange.change(record.user.userID, from: instance) { table in
            let outcome = table.connect(record, limit: maximumSessions, at: record.connectedAt)
            evicted = outcome.evicted
            return outcome.change
        }
        completion(evicted)
    }

    func update(_ session: SessionID, of user: UserID, _ update: SessionUpdate, at now: Timestamp) {
        _ = own.withLock { $0.update(session, of: user, update, at: now) }
        exchange.change(user, from: instance) { $0.update(session, of: user, update, at: now) }
    }

    func remove(_ session: SessionID, of user: UserID, at now: Timestamp) {
        _ = own.withLock { $0.remove(session, of: user, at: now) }
        exchange.change(user, from: instance) { $0.remove(session, of: user, at: now) }
    }

    func sendDepartures() { exchange.noteSending() }

    func follow(_ users: [UserID]) { exchange.follow(users, by: instance) }
    func unfollow(_ users: [UserID]) { exchange.unfollow(users, by: instance) }
    func followEverybody() { exchange.followEverybody(by: instance, 1) }
    func unfollowEverybody() { exchange.followEverybody(by: instance, -1) }
    func load(_ users: [UserID], completion: @escaping @Sendable () -> Void) {
        exchange.load(users, for: instance)
        completion()
    }
    func presence(of users: [UserID]) async -> [UserID: UserPresence] { exchange.presence(of: users) }
    func online(after cursor: UserID?, limit: Int) async -> OnlineSlice { exchange.online(after: cursor, limit: limit) }
    func onlineCount() async -> Int { exchange.online(after: nil, limit: 0).count }

    func see(_ user: UserID, at now: Timestamp) { own.withLock { $0.see(user, at: now) } }
    func ownPresence(of user: UserID) -> UserPresence? { own.withLock { $0.presence(of: user) } }

    func sessions(of users: [UserID]) async -> [UserID: [SessionRecord]] {
        var found: [UserID: [SessionRecord]] = [:]
        for user in users {
            let sessions = exchange.sessions(of: user.value)
            if !sessions.isEmpty { found[user] = sessions }
        }
        return found
    }

    func isAlive(_ instance: InstanceID) async -> Bool {
        exchange.others(than: self.instance)?.contains(instance) ?? true
    }
    var otherInstances: Int { exchange.others(than: instance)?.count ?? 0 }
    func sharedFriends(of users: [UserID]) async -> [UserID: Set<UserID>]? { exchange.sharedFriends(of: users) }
    func setPresent(_ user: UserID, in room: RoomID, _ isPresent: Bool) {}
    func send(_ payload: [UInt8], to instance: InstanceID?) {
        exchange.send(payload, from: self.instance, to: instance)
    }
    var contact: Contact { exchange.contact }
    func others() async -> Set<InstanceID>? { exchange.others(than: instance) }
    func close() async { exchange.detach(instance) }
}
