import ChatDomain
import RedisLink
import TestSupport
import Testing

@testable import PersistenceRedis

/// Random sequences of sessions, failures and time, after which Redis, the instances and their handlers must agree.
@Suite struct DirectoryMachineModelTests {
    private static let users = ["alice", "bob", "carol"].map { UserID(unchecked: $0) }
    private static let rooms = ["den", "attic"]

    /// Instances around one Redis.
    private struct Fleet {
        var redis = ModelRedis(maximumSessions: 0)
        var members: [MachineUnderTest]
        let names: [InstanceID]
        private var isUp: [Bool]
        private var isSubscribed: [Bool]
        /// When a member's lease began to be held without a gap, as Redis saw it.
        private var heldSince: [Moment?]

        init(_ names: [String]) {
            self.names = names.map { InstanceID($0) }
            members = self.names.map { MachineUnderTest($0) }
            isUp = names.map { _ in false }
            isSubscribed = isUp
            heldSince = names.map { _ in nil }
        }

        mutating func setUp(_ member: Int, _ isUp: Bool) {
            guard self.isUp[member] != isUp else { return }
            self.isUp[member] = isUp
            if isUp { members[member].connectionChanged(isUp: true) } else { members[member].breakConnection() }
        }

        mutating func setSubscribed(_ member: Int, _ isSubscribed: Bool) {
            guard self.isSubscribed[member] != isSubscribed else { return }
            self.isSubscribed[member] = isSubscribed
            members[member].subscriptionChanged(isUp: isSubscribed)
        }

        /// Redis starts again without its data.
        mutating func restartRedis() {
            for member in members.indices { setUp(member, false) }
            redis.clear()
            heldSince = heldSince.map { _ in nil }
        }

        /// Redis executes the oldest requests of a member.
        mutating func execute(_ count: Int, of member: Int) {
            for _ in 0..<count {
                guard isUp[member], let request = members[member].pending.first else { return }
                watch(request, of: member)
                let answer = redis.execute(request, of: names[member], at: members[member].now)
                deliverNews()
                members[member].answer(answer)
                if case .publishMark(let mark) = request, isSubscribed[member] { members[member].receiveMark(mark) }
            }
        }

        /// A sweep is asked for only by an instance that held its lease for a full period.
        private mutating func watch(_ request: DirectoryRequest, of member: Int) {
            let now = members[member].now
            switch request {
            case .renewLease:
                if !redis.holdsLease(names[member], at: now) || heldSince[member] == nil { heldSince[member] = now }
            case .sweep(let ended, _) where !redis.holdsLease(ended, at: now) && !redis.sessions(of: ended).isEmpty:
                let held = heldSince[member].map { now - $0 >= DirectoryMachine.lease } ?? false
                #expect(held, "a sweep by an instance that may not judge")
            default: break
            }
        }

        private mutating func deliverNews() {
            for news in redis.takeNews() {
                for member in members.indices where isSubscribed[member] { members[member].receive(news) }
            }
        }

        mutating func advance(by span: Duration) {
            for member in members.indices { members[member].advance(by: span) }
        }

        /// Everything works for longer than any interval of the rules.
        mutating func heal() {
            for member in members.indices {
                setUp(member, true)
                setSubscribed(member, true)
            }
            for _ in 1...120 {
                for member in members.indices { execute(.max, of: member) }
                advance(by: .milliseconds(500))
            }
        }

        mutating func fail(_ random: inout SplitMix) {
            let member = Int.random(in: members.indices, using: &random)
            switch Int.random(in: 0..<12, using: &random) {
            case 0: setUp(member, false)
            case 1, 2: setUp(member, true)
            case 3: setSubscribed(member, false)
            case 4, 5: setSubscribed(member, true)
            case 6: if Int.random(in: 0..<8, using: &random) == 0 { restartRedis() }
            default: break
            }
            for member in members.indices { execute(Int.random(in: 0...6, using: &random), of: member) }
            if Int.random(in: 0..<4, using: &random) == 0 {
                advance(by: .milliseconds(Int64.random(in: 1...6000, using: &random)))
            }
        }
    }

    /// What a handler made of its events: how each user stands.
    private func board(_ events: [DirectoryEvent]) -> [UserID: UserPresence] {
        var board = PresenceBoard()
        for event in events { board.take(event) }
        return Self.users.reduce(into: [:]) { $0[$1] = board.presence(of: $1) }
    }

    @Test(arguments: 0..<100)
    func anInstanceEndsLikeTheRulesWhateverFails(_ seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        var fleet = Fleet(["i1"])
        var rules = PresenceTable()
        var places: Set<RoomPlace> = []
        fleet.members[0].follow(Self.users[0], Self.users[1], Self.users[2])
        fleet.heal()
        for step in 0..<300 {
            let user = Self.users.randomElement(using: &random)!
            let id = "\(user)-\(Int.random(in: 0..<4, using: &random))"
            let time = Timestamp(milliseconds: fleet.members[0].now.milliseconds)
            switch Int.random(in: 0..<7, using: &random) {
            case 0, 1:
                let new = record(id, of: user.value, at: time.milliseconds)
                _ = rules.connect(new, limit: 0, at: time)
                fleet.members[0].connect(new, ticket: UInt64(step))
            case 2:
                _ = rules.remove(SessionID(id), of: user, at: time)
                fleet.members[0].remove(id, of: user)
            case 3:
                let room = Self.rooms.randomElement(using: &random)!
                let place = RoomPlace(room: RoomID(unchecked: room), user: user)
                let isPresent = Bool.random(using: &random)
                if isPresent { places.insert(place) } else { places.remove(place) }
                fleet.members[0].setPresent(user, in: room, isPresent)
            default:
                let update: SessionUpdate = [
                    .requestedStatus(PresenceStatus.allCases.randomElement(using: &random)!),
                    .idle(.random(using: &random)), .active, .renamed("name-\(step)"), .disconnected,
                ].randomElement(using: &random)!
                _ = rules.update(SessionID(id), of: user, update, at: time)
                fleet.members[0].update(id, of: user, update)
                // A session that breaks off beside others is removed, as after its grace period.
                if update == .disconnected, !rules.sessions(of: user).isEmpty {
                    _ = rules.remove(SessionID(id), of: user, at: time)
                    fleet.members[0].remove(id, of: user)
                }
            }
            fleet.fail(&random)
        }
        fleet.heal()

        let board = board(fleet.members[0].events)
        for user in Self.users {
            let expected = rules.presence(of: user)
            for (found, place) in [
                (fleet.members[0].machine.presence(of: user), "this instance"),
                (fleet.redis.table.presence(of: user), "Redis"),
                (board[user], "the handler"),
            ] {
                #expect(found?.actualStatus == expected?.actualStatus, "\(user) in \(place)")
                #expect(found?.sessions == expected?.sessions, "\(user) in \(place)")
            }
            #expect(
                Set(fleet.members[0].machine.sessions(of: user).map(\.id)) == Set(rules.sessions(of: user).map(\.id)))
        }
        #expect(fleet.redis.places[InstanceID("i1")] ?? [] == places)
        #expect(fleet.members[0].failures > 0, "something failed on the way")
    }

    /// Sessions move, instances are cut off and swept; no session is lost, none stays behind.
    @Test(arguments: 0..<100)
    func instancesKeepTheirSessionsAndNoOthers(_ seed: Int) {
        var random = SplitMix(seed: UInt64(1000 + seed))
        var fleet = Fleet(["i1", "i2"])
        /// On which instance each session is.
        var sessions: [String: Int] = [:]
        /// Where each session was last.
        var latest: [String: Int] = [:]
        // One follows each, the other follows all.
        for user in Self.users { fleet.members[0].follow(user) }
        fleet.members[1].followEverybody()
        fleet.heal()
        for step in 0..<300 {
            let user = Self.users.randomElement(using: &random)!
            let id = "\(user)-\(Int.random(in: 0..<4, using: &random))"
            let member = Int.random(in: 0...1, using: &random)
            let now = fleet.members[member].now.milliseconds
            switch Int.random(in: 0..<4, using: &random) {
            case 0, 1:
                let previous = latest[id]
                let moves = previous.map { $0 != member } ?? false
                if moves {
                    // A client that moves has been connected for longer than a request takes.
                    for member in 0...1 { fleet.execute(.max, of: member) }
                    guard fleet.members[member].machine.isSending else { continue }
                }
                fleet.members[member].connect(
                    record(id, of: user.value, at: now, on: fleet.names[member].value), ticket: UInt64(step))
                if moves { fleet.execute(.max, of: member) }
                // The connection at the instance that the session left ends later.
                if let previous, moves { fleet.members[previous].remove(id, of: user) }
                sessions[id] = member
                latest[id] = member
            case 2:
                guard let member = sessions.removeValue(forKey: id) else { continue }
                fleet.members[member].remove(id, of: user)
            default:
                guard let member = sessions[id] else { continue }
                fleet.members[member].update(id, of: user, .active)
            }
            fleet.fail(&random)
        }
        fleet.heal()

        for (member, name) in fleet.names.enumerated() {
            let expected = Set(sessions.filter { $0.value == member }.keys)
            #expect(Set(fleet.redis.sessions(of: name).map(\.id.value)) == expected, "\(name) in Redis")
            let here = Self.users.flatMap { fleet.members[member].machine.sessions(of: $0) }
            #expect(Set(here.map(\.id.value)) == expected, "\(name) by itself")
        }
        let boards = fleet.members.map { board($0.events) }
        for user in Self.users {
            let expected = fleet.redis.table.presence(of: user)
            #expect(boards.map { $0[user]?.actualStatus } == [expected?.actualStatus, expected?.actualStatus])
        }
    }
}

extension PresenceBoard {
    /// As the instance's board takes in an event.
    mutating func take(_ event: DirectoryEvent) {
        switch event {
        case .changed(let news, let isFirst):
            _ = apply(news.presence, before: isFirst ? news.before ?? .offline : .offline)
        case .learned(let users): learn(users)
        case .compared(let users): _ = compare(users, at: Timestamp(milliseconds: 0))
        case .forgotten(let users): forget(users)
        case .passed, .counted, .lost, .lapsed, .received: break
        }
    }
}
