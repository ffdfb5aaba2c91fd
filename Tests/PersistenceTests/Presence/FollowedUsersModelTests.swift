import ChatDomain
import TestSupport
import Testing

@testable import PersistenceRedis

/// News that is lost, late or doubled, answers that take their time, and reconnections leave no stale presence behind.
@Suite struct FollowedUsersModelTests {
    private static let users = ["alice", "bob", "carol", "dave"].map { UserID(unchecked: $0) }
    private static let other = InstanceID("i2")

    /// One instance that follows users, and another that acts on Redis directly.
    private struct World {
        var redis = ModelRedis(maximumSessions: 0)
        var test = MachineUnderTest()
        /// News on its way, and news that was on its way at any time.
        var channel: [PresenceCodec.News] = []
        var past: [PresenceCodec.News] = []
        /// Answers on their way.
        var answers: [DirectoryAnswer] = []
        var isSubscribed = false

        mutating func act(_ request: DirectoryRequest) {
            _ = redis.execute(.renewLease(began: test.now), of: other, at: test.now)
            _ = redis.execute(request, of: other, at: test.now)
            collectNews()
        }

        private mutating func collectNews() {
            let news = redis.takeNews()
            past += news
            if isSubscribed { channel += news }
        }

        mutating func execute() {
            guard answers.count < test.pending.count else { return }
            answers.append(redis.execute(test.pending[answers.count], of: MachineUnderTest.instance, at: test.now))
            collectNews()
        }

        mutating func answer() {
            guard !answers.isEmpty else { return }
            let answered = answers.removeFirst()
            let request = test.answer(answered)
            if case .publishMark(let mark)? = request, isSubscribed { test.receiveMark(mark) }
        }

        mutating func setSubscribed(_ isSubscribed: Bool) {
            guard self.isSubscribed != isSubscribed else { return }
            self.isSubscribed = isSubscribed
            channel = []
            test.subscriptionChanged(isUp: isSubscribed)
        }

        mutating func disturb(_ random: inout SplitMix) {
            switch Int.random(in: 0..<14, using: &random) {
            case 0 where !channel.isEmpty: channel.remove(at: Int.random(in: channel.indices, using: &random))
            case 1 where channel.count > 1: channel.shuffle(using: &random)
            case 2: if let late = past.randomElement(using: &random), isSubscribed { channel.append(late) }
            case 3: setSubscribed(false)
            case 4: setSubscribed(true)
            case 5 where Int.random(in: 0..<20, using: &random) == 0:
                // Redis loses its data, and numbers changes from the beginning.
                redis.clear()
                past = []
                channel = []
            case 6: test.advance(by: .milliseconds(Int64.random(in: 1...4000, using: &random)))
            case 7, 8: for _ in 0..<5 { execute() }
            case 9, 10: for _ in 0..<5 { answer() }
            default: if !channel.isEmpty { test.receive(channel.removeFirst()) }
            }
        }

        /// Everything works for longer than any interval of the rules.
        mutating func heal() {
            setSubscribed(true)
            while !channel.isEmpty { test.receive(channel.removeFirst()) }
            for _ in 1...160 {
                _ = redis.execute(.renewLease(began: test.now), of: other, at: test.now)
                while !test.pending.isEmpty {
                    execute()
                    answer()
                    while !channel.isEmpty { test.receive(channel.removeFirst()) }
                }
                test.advance(by: .milliseconds(500))
            }
        }
    }

    @Test(arguments: 0..<200)
    func theBoardIsAsRedisInTheEnd(_ seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        var world = World()
        var followers: [UserID: Int] = [:]
        var everybody = 0
        world.test.connectionChanged(isUp: true)
        world.heal()
        for step in 0..<300 {
            let user = Self.users.randomElement(using: &random)!
            let time = Timestamp(milliseconds: world.test.now.milliseconds)
            let session = SessionID("\(user)-\(Int.random(in: 0..<2, using: &random))")
            switch Int.random(in: 0..<8, using: &random) {
            case 0:
                followers[user, default: 0] += 1
                world.test.follow(user)
                world.test.load(user, ticket: UInt64(step))
            case 1 where followers[user] ?? 0 > 0:
                followers[user, default: 0] -= 1
                world.test.unfollow(user)
            case 2 where seed % 2 == 0:
                if everybody > 0 {
                    everybody -= 1
                    world.test.unfollowEverybody()
                } else {
                    everybody += 1
                    world.test.followEverybody()
                }
            case 3, 4:
                world.act(
                    .connect(record(session.value, of: user.value, at: time.milliseconds, on: "i2"), ticket: 0))
            case 5: world.act(.remove(session, of: user, at: time))
            default:
                let status = PresenceStatus.allCases.randomElement(using: &random)!
                world.act(.update(session, of: user, .requestedStatus(status), at: time))
            }
            world.disturb(&random)
        }
        world.heal()
        // What comes once more behind all that is old.
        for news in world.past.shuffled(using: &random) { world.test.receive(news) }

        let board = world.test.events.reduce(into: PresenceBoard()) { $0.take($1) }
        for user in Self.users {
            let isKept = everybody > 0 || followers[user] ?? 0 > 0
            let expected = isKept ? world.redis.table.presence(of: user) : nil
            #expect(board.presence(of: user)?.actualStatus == expected?.actualStatus, "\(user)")
            #expect(board.presence(of: user)?.sessions == expected?.sessions, "\(user)")
            if !isKept { #expect(!board.knows(user), "\(user)") }
        }
        #expect(board.count == world.test.machine.keptUsers)
    }
}
