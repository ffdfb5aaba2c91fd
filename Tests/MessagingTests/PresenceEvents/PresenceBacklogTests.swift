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

    @Test mutating func oneBatchIsSentAtATime() {
        _ = add("a", .online)
        #expect(send() == ["1 a online"])
        _ = add("a", .offline)
        #expect(send().isEmpty)
        #expect(receivedOutcome(1...1) == [.confirmed])
        #expect(send() == ["2 a offline"])
        #expect(receivedOutcome(2...2) == [.confirmed])
        #expect(backlog.count == 0)
    }

    @Test mutating func aRefusedEventIsSentAgainWithAllBehindIt() {
        for (user, status) in [("a", PresenceStatus.online), ("b", .online), ("a", .offline)] { _ = add(user, status) }
        #expect(send().count == 3)
        #expect(receivedOutcome(1...3, refused: [2]) == [.incomplete, .incomplete, .refused])
        #expect(send() == ["2 b online", "3 a offline"])
        backlog.didLoseConnection()
        #expect(send() == ["2 b online", "3 a offline"])
        #expect(receivedOutcome(2...3) == [.incomplete, .confirmed])
    }

    @Test mutating func pastItsBoundTheOldestUnsentEventIsDropped() {
        #expect(!add("sent", .online))
        #expect(send() == ["1 sent online"])
        for user in ["a", "b", "c", "d"] { #expect(!add(user, .online)) }
        #expect(add("e", .online))
        #expect(backlog.count == 5)
        #expect(receivedOutcome(1...1) == [.confirmed])
        #expect(send() == ["3 b online", "4 c online", "5 d online", "6 e online"])
    }

    @Test mutating func anEdgeOfAnotherInstanceIsRepeatedBehindOwnEvents() {
        _ = add("a", .offline)
        _ = add("b", .offline)
        _ = add("c", .offline)
        backlog.receivedEdgeElsewhere(presence("a", .online))
        backlog.receivedEdgeElsewhere(presence("b", .online))
        backlog.receivedEdgeElsewhere(presence("b", .offline))
        backlog.receivedEdgeElsewhere(presence("stranger", .online))
        #expect(send().count == 3)
        #expect(receivedOutcome(1...3).last == .confirmed)
        #expect(send() == ["4 a online"])
        #expect(receivedOutcome(4...4) == [.confirmed])
        #expect(send().isEmpty)
    }

    @Test mutating func anOwnNewerEventReplacesAnEdgeOfAnotherInstance() {
        _ = add("a", .offline)
        backlog.receivedEdgeElsewhere(presence("a", .online))
        _ = add("a", .offline)
        #expect(send().count == 2)
        #expect(receivedOutcome(1...2).last == .confirmed)
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
