import ChatDomain
import RedisLink

@testable import PersistenceRedis

/// A directory's machine on manual time, with the requests that wait for an answer.
struct MachineUnderTest {
    static let instance = InstanceID("i1")

    private let instance: InstanceID
    private(set) var machine: DirectoryMachine
    private(set) var now: Moment
    /// Requests without an answer, the oldest first.
    private(set) var pending: [DirectoryRequest] = []
    /// Those that may be sent together with others.
    private(set) var patient: [DirectoryRequest] = []
    private(set) var events: [DirectoryEvent] = []
    private(set) var completed: [UInt64: [SessionID]] = [:]
    private(set) var loaded: Set<UInt64> = []
    private(set) var contact = Contact()
    private(set) var failures = 0
    private(set) var timesClosed = 0

    /// What Redis answers to `answerAll`.
    var isLeaseHeld = true
    var others = 0
    var ended: [InstanceID] = []
    var storedUsers: [PresenceStatement] = []
    /// Redis's clock, in microseconds.
    var redisTime: Int64 = 1
    var returnsMarks = true
    var listeners: Int64 = 1

    init(
        _ instance: InstanceID = Self.instance, maximumSessions: Int = 0,
        at now: Moment = Moment(milliseconds: 1_000_000)
    ) {
        machine = DirectoryMachine(instance: instance, grace: .seconds(5), maximumSessions: maximumSessions)
        self.instance = instance
        self.now = now
        input { $0.start(at: $1) }
    }

    /// Connected, subscribed, registered, and compared with Redis.
    static func ready(_ instance: InstanceID = Self.instance, maximumSessions: Int = 0) -> Self {
        var test = Self(instance, maximumSessions: maximumSessions)
        test.connectionChanged(isUp: true)
        test.subscriptionChanged(isUp: true)
        test.answerAll()
        return test
    }

    private var clock: Now { Now(wall: Timestamp(milliseconds: now.milliseconds), monotonic: now) }

    // MARK: Inputs

    mutating func input(_ body: (inout DirectoryMachine, Now) -> [DirectoryMachine.Action]) {
        for action in body(&machine, clock) {
            switch action {
            case .send(let request): pending.append(request)
            case .sendSoon(let request):
                pending.append(request)
                patient.append(request)
            case .deliver(let event): events.append(event)
            case .completeConnect(let ticket, let evicted): completed[ticket] = evicted.map(\.id)
            case .completeLoad(let tickets): loaded.formUnion(tickets)
            case .setContact(let contact): self.contact = contact
            case .warn: failures += 1
            case .finishClosing: timesClosed += 1
            }
        }
    }

    mutating func connectionChanged(isUp: Bool) { input { $0.connectionChanged(isUp: isUp, at: $1) } }
    mutating func subscriptionChanged(isUp: Bool) { input { $0.subscriptionChanged(isUp: isUp, at: $1) } }
    mutating func connect(_ record: SessionRecord, ticket: UInt64 = 1) {
        input { machine, _ in machine.connect(record, ticket: ticket) }
    }
    mutating func update(_ session: String, of user: UserID, _ update: SessionUpdate) {
        input { $0.update(SessionID(session), of: user, update, at: $1.wall) }
    }
    mutating func remove(_ session: String, of user: UserID) {
        input { $0.remove(SessionID(session), of: user, at: $1.wall) }
    }
    mutating func setPresent(_ user: UserID, in room: String, _ isPresent: Bool) {
        let place = RoomPlace(room: RoomID(unchecked: room), user: user)
        input { machine, _ in machine.setPresent(place, isPresent) }
    }
    mutating func follow(_ users: UserID...) { input { machine, _ in machine.follow(users) } }
    mutating func unfollow(_ users: UserID...) { input { machine, _ in machine.unfollow(users) } }
    mutating func followEverybody() { input { $0.followEverybody(at: $1) } }
    mutating func unfollowEverybody() { input { $0.unfollowEverybody(at: $1) } }
    mutating func load(_ users: UserID..., ticket: UInt64) {
        input { machine, _ in machine.load(users, ticket: ticket) }
    }
    mutating func receive(_ news: PresenceCodec.News) { input { $0.received(news, at: $1) } }
    mutating func receiveMark(_ mark: UInt64) {
        let sender = Array(instance.value.utf8)
        input { $0.received(Array(String(mark).utf8), from: sender[...], at: $1) }
    }

    /// The time passes, and the machine is asked whenever it wants to be.
    mutating func advance(by span: Duration) {
        let end = now + span
        while let due = machine.deadline, due <= end {
            now = max(now, due)
            input { $0.tick(at: $1) }
        }
        now = end
    }

    /// The time passes in steps shorter than a heartbeat, and Redis answers everything after each.
    mutating func live(for span: Duration) {
        let end = now + span
        while now < end {
            advance(by: .milliseconds(min(500, end.milliseconds - now.milliseconds)))
            answerAll()
        }
    }

    // MARK: Answers

    /// Answers the oldest request that `matches`, and returns it; nil when there is none.
    @discardableResult
    mutating func answer(
        _ answer: DirectoryAnswer, where matches: (DirectoryRequest) -> Bool = { _ in true }
    ) -> DirectoryRequest? {
        guard let index = pending.firstIndex(where: matches) else { return nil }
        let request = pending.remove(at: index)
        input { $0.receivedAnswer(answer, to: request, at: $1) }
        return request
    }

    /// Answers every request, and those that follow from the answers, as a Redis in order does.
    mutating func answerAll() {
        while let request = pending.first {
            answer(usualAnswer(to: request))
            if case .publishMark(let mark) = request, returnsMarks { receiveMark(mark) }
        }
    }

    /// The connection breaks: no request is answered.
    mutating func breakConnection() {
        connectionChanged(isUp: false)
        while !pending.isEmpty { answer(.failed(.interrupted(reason: "test"))) }
    }

    private func usualAnswer(to request: DirectoryRequest) -> DirectoryAnswer {
        switch request {
        case .connect(let record, _): .connected(requestedStatus: record.requestedStatus, evicted: [])
        case .update, .remove, .setPresent, .register, .renewKeys: .done
        case .renewLease, .releaseLease: .lease(isHeld: isLeaseHeld, others: others, ended: ended)
        case .sweep: .swept(hasMore: false)
        case .readInventory: .inventory([], [])
        case .readUsers(let users, _):
            .users(storedUsers.filter { users.contains($0.presence.user.userID) }, at: redisTime, next: nil)
        case .scanUsers: .users(storedUsers, at: redisTime, next: nil)
        case .countOnline: .count(storedUsers.count)
        case .publishMark: .published(listeners: listeners)
        }
    }

    // MARK: Looking

    mutating func clearEvents() { events = [] }

    /// The changes delivered of a user, the newest last.
    func changes(of user: UserID) -> [UserPresence] {
        events.compactMap {
            if case .changed(let news, _) = $0, news.presence.user.userID == user { news.presence } else { nil }
        }
    }

    /// News of a user that was not delivered as a change.
    func passed(of user: UserID) -> [UserPresence] {
        events.compactMap {
            if case .passed(let news) = $0, news.presence.user.userID == user { news.presence } else { nil }
        }
    }

    var learned: [UserPresence] {
        events.flatMap { event -> [UserPresence] in if case .learned(let users) = event { users } else { [] } }
    }
    var compared: [UserPresence] {
        events.flatMap { event -> [UserPresence] in if case .compared(let users) = event { users } else { [] } }
    }
    var forgotten: [UserID] {
        events.flatMap { event -> [UserID] in if case .forgotten(let users) = event { users } else { [] } }
    }

    var lapses: Int { events.count { if case .lapsed = $0 { true } else { false } } }
    var renewals: Int { pending.count(where: \.isRenewal) }
    var sweeps: [InstanceID] { pending.compactMap { if case .sweep(let ended, _) = $0 { ended } else { nil } } }
    var marks: [UInt64] { pending.compactMap { if case .publishMark(let mark) = $0 { mark } else { nil } } }
    var registration: DirectoryRequest? { pending.first(where: \.isRegistration) }
    /// The question to Redis that waits for an answer.
    var question: DirectoryRequest? { pending.first(where: \.isQuestion) }
    /// The users that Redis is asked about.
    var asked: [UserID] {
        if case .readUsers(let users, _)? = question { users } else { [] }
    }
    /// Ids of the sessions that are being registered.
    var registered: [String] {
        pending.flatMap { request -> [String] in
            if case .register(let records, _, _, _) = request { records.map(\.id.value) } else { [] }
        }
    }
    var registeredPlaces: [RoomPlace] {
        pending.flatMap { request -> [RoomPlace] in
            if case .register(_, let places, _, _) = request { places } else { [] }
        }
    }
}

extension DirectoryRequest {
    var isRenewal: Bool { if case .renewLease = self { true } else { false } }
    var isRegistration: Bool { if case .register = self { true } else { false } }
    var isQuestion: Bool {
        switch self {
        case .readUsers, .scanUsers: true
        default: false
        }
    }
    var isMark: Bool { if case .publishMark = self { true } else { false } }
    var isSweep: Bool { if case .sweep = self { true } else { false } }
}
