import Testing

@testable import ChatDomain

@Suite struct BatchLimitTests {
    private var limit = BatchLimit(timeout: .seconds(4))

    @Test func holdsEverythingAtFirst() {
        #expect(limit.drafts == BatchLimit.maximum)
        #expect(limit.wait(behind: 10_000) == .zero)
    }

    @Test mutating func halvesAfterASlowWrite() {
        limit.didWrite(400, in: .milliseconds(1001))
        #expect(limit.drafts == 200)
        limit.didWrite(200, in: .milliseconds(1000))
        #expect(limit.drafts == 200, "a second is not slow where senders wait four")
        limit.didWrite(200, in: .seconds(3))
        #expect(limit.drafts == 100)
    }

    @Test mutating func isNeverBelowAMinimum() {
        for _ in 0..<20 { limit.didWrite(limit.drafts, in: .seconds(9)) }
        #expect(limit.drafts == BatchLimit.minimum)
        limit.didWrite(0, in: .seconds(9))
        #expect(limit.drafts == BatchLimit.minimum)
    }

    @Test mutating func doublesAfterAFastWriteThatWasFull() {
        limit.didWrite(400, in: .seconds(2))
        limit.didWrite(199, in: .milliseconds(10))
        #expect(limit.drafts == 200, "a small write says nothing about a large one")
        limit.didWrite(200, in: .milliseconds(249))
        #expect(limit.drafts == 400)
        for _ in 0..<20 { limit.didWrite(limit.drafts, in: .milliseconds(10)) }
        #expect(limit.drafts == BatchLimit.maximum)
    }

    @Test mutating func tellsHowLongADraftWaits() {
        limit.didWrite(400, in: .seconds(3))
        #expect(limit.wait(behind: 1000) == .zero, "one slow write says nothing about the next")
        limit.didWrite(200, in: .seconds(2))
        #expect(limit.wait(behind: 0) == .seconds(2))
        #expect(limit.wait(behind: 99) == .seconds(2))
        #expect(limit.wait(behind: 250) == .seconds(6))
    }
}

/// Senders that wait five seconds, then send again, over a store whose time grows with the size of a write.
@Suite struct BurstTests {
    private static let timeout: Int64 = 5000

    private var queue = WriteQueue(timeout: .milliseconds(Self.timeout))
    private var now: Int64 = 0
    /// When the write in flight is answered.
    private var answerDue: Int64?
    /// When refused senders come again.
    private var returns: [(due: Int64, sender: Int)] = []
    private var stored = 0
    private var refused = 0

    private mutating func send(_ sender: Int) {
        let deadline = Moment.at(now + Self.timeout)
        guard queue.canStore(by: deadline, at: .at(now)) else { return refuse(sender) }
        queue.add(.init(draft: .message(.sample(sender)), origin: .request(sender), deadline: deadline))
    }

    private mutating func refuse(_ sender: Int) {
        refused += 1
        returns.append((now + 1000, sender))
    }

    private mutating func passTime(costOfDraft: Int64) {
        now += 10
        if let due = answerDue, due <= now {
            answerDue = nil
            for draft in queue.finish(at: .at(now)).drafts where draft.origin != nil {
                stored += 1
                send(Int(draft.draft.id.low))
            }
        }
        for origin in queue.expire(at: .at(now)) {
            if case .session(_, let sender) = origin { refuse(Int(sender)) }
        }
        let due = returns.filter { $0.due <= now }
        returns.removeAll { $0.due <= now }
        for (_, sender) in due { send(sender) }
        if let write = queue.next(in: "room", lastKnown: 0, at: .at(now)) {
            answerDue = now + 20 + Int64(write.drafts.count) * costOfDraft
        }
    }

    @Test mutating func aBurstOnASlowStoreEnds() {
        // One write of all takes four seconds, so that those behind it wait eight.
        for sender in 1...200 { send(sender) }
        while now < 60_000 { passTime(costOfDraft: 20) }
        let (refusedAtFirst, storedAtFirst) = (refused, stored)
        while now < 120_000 { passTime(costOfDraft: 20) }
        #expect(refused == refusedAtFirst, "refusals end")
        #expect(stored - storedAtFirst > 60 * 40, "the store is used for what its senders still wait for")
    }
}
