import ChatDomain
import Testing

@testable import MessagingOutbox

private func presence(_ user: String, _ status: PresenceStatus) -> UserPresence {
    UserPresence(
        user: RoomUser(userID: UserID(unchecked: user), username: user), actualStatus: status,
        lastSeen: Timestamp(milliseconds: 1), sessions: status == .offline ? 0 : 1)
}

@Suite struct PresenceBacklogTests {
    private let now = Timestamp(milliseconds: 5)
    private var backlog = PresenceBacklog(capacity: 4)

    private mutating func add(_ user: String, _ status: PresenceStatus) -> Bool {
        backlog.add(presence(user, status), at: now)
    }

    private mutating func send() -> [String] {
        backlog.next().map { "\($0.tag) \($0.presence.user.userID) \($0.presence.status)" }
    }

    private mutating func receivedOutcome(_ tags: ClosedRange<UInt64>, refused: Set<UInt64> = []) -> [PresenceBacklog
        .Outcome]
    {
        tags.map { backlog.receivedOutcome($0, isConfirmed: !refused.contains($0), at: now) }
    }

    @Test mutating func oneBatchIsUnderWayAtATime() {
        _ = add("a", .online)
        #expect(send() == ["1 a online"])
        _ = add("a", .offline)
        #expect(send().isEmpty)
        #expect(receivedOutcome(1...1) == [.done])
        #expect(send() == ["2 a offline"])
        #expect(receivedOutcome(2...2) == [.done])
        #expect(backlog.count == 0)
    }

    @Test mutating func whatWasNotTakenGoesAgainWithAllBehindIt() {
        for (user, status) in [("a", PresenceStatus.online), ("b", .online), ("a", .offline)] { _ = add(user, status) }
        #expect(send().count == 3)
        #expect(receivedOutcome(1...3, refused: [2]) == [.underWay, .underWay, .refused])
        #expect(send() == ["2 b online", "3 a offline"])
        backlog.lose()
        #expect(send() == ["2 b online", "3 a offline"])
        #expect(receivedOutcome(2...3) == [.underWay, .done])
    }

    @Test mutating func pastItsBoundTheOldestGoesButNotWhatIsUnderWay() {
        #expect(!add("under way", .online))
        #expect(send() == ["1 under way online"])
        for user in ["a", "b", "c", "d"] { #expect(!add(user, .online)) }
        #expect(add("e", .online))
        #expect(backlog.count == 5)
        #expect(receivedOutcome(1...1) == [.done])
        #expect(send() == ["3 b online", "4 c online", "5 d online", "6 e online"])
    }

    @Test mutating func whatAnotherInstanceToldMeanwhileIsToldAgainBehind() {
        _ = add("a", .offline)
        _ = add("b", .offline)
        _ = add("c", .offline)
        backlog.hear(presence("a", .online))
        backlog.hear(presence("b", .online))
        backlog.hear(presence("b", .offline))
        backlog.hear(presence("stranger", .online))
        #expect(send().count == 3)
        #expect(receivedOutcome(1...3).last == .done)
        #expect(send() == ["4 a online"])
        #expect(receivedOutcome(4...4) == [.done])
        #expect(send().isEmpty)
    }

    @Test mutating func onesOwnNewerEventIsTheLastWord() {
        _ = add("a", .offline)
        backlog.hear(presence("a", .online))
        _ = add("a", .offline)
        #expect(send().count == 2)
        #expect(receivedOutcome(1...2).last == .done)
        #expect(send().isEmpty)
    }

    @Test mutating func longQueuesKeepTheirOrder() {
        var backlog = PresenceBacklog(capacity: 10_000)
        var sent: [UInt64] = []
        for number in 0..<5000 { _ = backlog.add(presence("u\(number % 70)", .online), at: now) }
        while backlog.count > 0 {
            let batch = backlog.next()
            #expect(batch.count <= PresenceBacklog.batchSize)
            sent += batch.map(\.tag)
            for entry in batch { _ = backlog.receivedOutcome(entry.tag, isConfirmed: true, at: now) }
            if sent.count == 512 { _ = backlog.add(presence("late", .online), at: now) }
        }
        #expect(sent == Array(1...5001))
    }
}
