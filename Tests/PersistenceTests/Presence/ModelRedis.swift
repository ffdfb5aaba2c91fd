import ChatDomain

@testable import PersistenceRedis

/// Redis as the presence scripts see it, in memory and on manual time: sessions by the rules of `PresenceTable`, leases, and
/// what is kept under each instance's name.
struct ModelRedis {
    private(set) var table = PresenceTable()
    private(set) var places: [InstanceID: Set<RoomPlace>] = [:]
    /// The publications since the last time, in order.
    private(set) var news: [PresenceCodec.News] = []
    private var leases: [InstanceID: Moment] = [:]
    /// Of the last change of each user, and of the last of all; as the clock of Redis.
    private var versions: [UserID: Int64] = [:]
    private var version: Int64 = 0
    private let maximumSessions: Int

    init(maximumSessions: Int) { self.maximumSessions = maximumSessions }

    func sessions(of instance: InstanceID) -> [SessionRecord] { table.records.filter { $0.instance == instance } }
    func holdsLease(_ instance: InstanceID, at now: Moment) -> Bool { leases[instance].map { $0 >= now } ?? false }

    /// As after a restart without its data.
    mutating func clear() { self = Self(maximumSessions: maximumSessions) }

    mutating func takeNews() -> [PresenceCodec.News] {
        defer { news = [] }
        return news
    }

    mutating func execute(_ request: DirectoryRequest, of instance: InstanceID, at now: Moment) -> DirectoryAnswer {
        switch request {
        case .connect(let record, _):
            let limit = maximumSessions
            var evicted: [SessionRecord] = []
            change(record.user.userID, by: instance) {
                evicted = $0.connect(record, limit: limit, at: record.connectedAt).evicted
            }
            let known = table.records.first { $0.id == record.id }
            let presence = table.presence(of: record.user.userID).map(statement)
            return .connected(requestedStatus: known?.requestedStatus, presence: presence, evicted: evicted)
        case .update(let session, let user, let update, let time):
            guard owns(session, instance) else { return .done }
            change(user, by: instance) { _ = $0.update(session, of: user, update, at: time) }
        case .remove(let session, let user, let time):
            guard owns(session, instance) else { return .done }
            change(user, by: instance) { _ = $0.remove(session, of: user, at: time) }
        case .setPresent(let place, true): places[instance, default: []].insert(place)
        case .setPresent(let place, false): places[instance, default: []].remove(place)
        case .register(let records, let registered, let time, _):
            let users = Dictionary(grouping: records.filter { !isElsewhere($0) }, by: \.user.userID)
            for (user, records) in users { register(records, of: user, at: time) }
            places[instance, default: []].formUnion(registered)
        case .renewLease: return renew(instance, for: DirectoryMachine.lease, at: now)
        case .releaseLease: return renew(instance, for: .zero, at: now)
        case .sweep(let ended, let time): return sweep(ended, by: instance, at: now, time)
        case .renewKeys: break
        case .readInventory:
            let stored = sessions(of: instance).map { StoredSession(id: $0.id, user: $0.user.userID) }
            return .inventory(stored, Array(places[instance] ?? []))
        case .readUsers(let users, _):
            return .users(users.compactMap { table.presence(of: $0) }.map(statement), at: version, next: nil)
        case .scanUsers: return .users(table.all.map(statement), at: version, next: nil)
        case .countOnline: return .count(table.onlineCount)
        case .publishMark: return .published(listeners: 1)
        }
        return .done
    }

    private func statement(_ presence: UserPresence) -> PresenceStatement {
        PresenceStatement(presence: presence, version: versions[presence.user.userID])
    }

    private func owns(_ session: SessionID, _ instance: InstanceID) -> Bool {
        table.records.contains { $0.id == session && $0.instance == instance }
    }

    private func isElsewhere(_ record: SessionRecord) -> Bool {
        table.records.contains { $0.id == record.id && $0.instance != record.instance }
    }

    /// As the script does for an instance that was cut off: its records replace what was there.
    private mutating func register(_ records: [SessionRecord], of user: UserID, at time: Timestamp) {
        change(user, by: records[0].instance) { table in
            for record in records { _ = table.remove(record.id, of: user, at: time) }
            for record in records { _ = table.connect(record, limit: 0, at: time) }
            for record in records where !record.isDisconnected {
                _ = table.update(record.id, of: user, .requestedStatus(record.requestedStatus), at: time)
            }
        }
    }

    private mutating func renew(_ instance: InstanceID, for span: Duration, at now: Moment) -> DirectoryAnswer {
        let isHeld = holdsLease(instance, at: now)
        leases[instance] = now + span
        let others = leases.count { $0.key != instance && $0.value >= now }
        return .lease(isHeld: isHeld, others: others, ended: leases.filter { $0.value < now }.map(\.key))
    }

    private mutating func sweep(
        _ ended: InstanceID, by instance: InstanceID, at now: Moment, _ time: Timestamp
    ) -> DirectoryAnswer {
        guard !holdsLease(ended, at: now) else { return .swept(hasMore: false) }
        for session in sessions(of: ended).prefix(2) {
            let user = session.user.userID
            change(user, by: instance) { _ = $0.remove(session.id, of: user, at: time) }
        }
        places[ended] = nil
        guard sessions(of: ended).isEmpty else { return .swept(hasMore: true) }
        if leases.removeValue(forKey: ended) != nil { news.append(.lost(ended)) }
        return .swept(hasMore: false)
    }

    /// Announces what a change comes to, where it comes to anything.
    private mutating func change(
        _ user: UserID, by origin: InstanceID, _ body: (inout PresenceTable) -> Void
    ) {
        let before = table.presence(of: user)
        body(&table)
        let after = table.presence(of: user)
        guard before != after, var presence = after ?? before else { return }
        if after == nil { (presence.actualStatus, presence.sessions) = (.offline, 0) }
        version += 1
        versions[user] = version
        news.append(.changed(statement(presence), before: before?.actualStatus ?? .offline, origin: origin))
    }
}
