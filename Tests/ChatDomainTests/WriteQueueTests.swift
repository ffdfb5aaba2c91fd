import Testing

@testable import ChatDomain

@Suite struct WriteQueueTests {
    private var queue = WriteQueue(timeout: .seconds(5))

    private mutating func add(_ number: Int, deadline: Int64 = 5000, text: String? = nil) {
        queue.add(
            WriteQueue.Draft(
                draft: .message(.sample(number, text: text)), origin: .request(number), deadline: .at(deadline)))
    }

    private mutating func mark(_ number: Int, deadline: Int64 = 5000) {
        queue.add(
            WriteQueue.Mark(
                mark: ReadMark(userID: "ann", sequence: SequenceNumber(number)), user: .ann, origin: .request(number),
                deadline: .at(deadline)))
    }

    private mutating func next() -> RoomWrite? { queue.next(in: "room", lastKnown: 7, at: .at(0)) }

    @Test mutating func isIdleWithNothingToDo() {
        #expect(queue.isIdle)
        #expect(next() == nil)
        #expect(queue.finish(at: .at(0)).drafts.isEmpty)
        #expect(queue.nextDeadline == nil)
        #expect(queue.expire(at: .at(1_000_000)).isEmpty)
    }

    @Test mutating func gathersWhileOneWriteIsInFlight() throws {
        add(1)
        queue.add(WriteQueue.Enrolment(user: "ann", origin: .request(9), deadline: .at(5000)))
        mark(2)
        let first = try #require(next())
        #expect(first.lastKnown == 7)
        #expect(first.drafts.map(\.id.low) == [1])
        #expect(first.newParticipants == ["ann"])
        #expect(first.readMarks.map(\.sequence) == [2])
        add(3)
        add(4)
        #expect(next() == nil)
        let finished = queue.finish(at: .at(0))
        #expect(finished.drafts.map(\.origin) == [.request(1)])
        #expect(finished.marks.map(\.origin) == [.request(2)])
        #expect(next()?.drafts.map(\.id.low) == [3, 4])
        _ = queue.finish(at: .at(0))
        #expect(queue.isIdle)
    }

    @Test mutating func countsBytesUntilTheyAreWrittenOrDropped() {
        for number in 1...3 { add(number, text: String(repeating: "x", count: number * 1000)) }
        let all = queue.bytes
        #expect(all >= 6000)
        _ = next()
        #expect(queue.bytes == all)
        add(4)
        #expect(queue.bytes > all)
        _ = queue.finish(at: .at(0))
        #expect(queue.bytes > 0 && queue.bytes < 1000)
        #expect(queue.expire(at: .at(5000)) == [.request(4)])
        #expect(queue.bytes == 0)
    }

    @Test mutating func whatWaitsTooLongIsDropped() {
        add(1, deadline: 100)
        mark(2, deadline: 150)
        add(3, deadline: 200)
        #expect(queue.nextDeadline == .at(100))
        #expect(queue.expire(at: .at(99)).isEmpty)
        #expect(queue.expire(at: .at(150)) == [.request(1), .request(2)])
        #expect(queue.nextDeadline == .at(200))
        #expect(next()?.drafts.map(\.id.low) == [3])
    }

    @Test mutating func writesInFlightAreAbandonedAndMayStillBeStored() {
        add(1, deadline: 100)
        mark(2, deadline: 100)
        _ = next()
        #expect(queue.nextDeadline == .at(100))
        #expect(Set(queue.expire(at: .at(100))) == [.request(1), .request(2)])
        #expect(queue.expire(at: .at(200)).isEmpty)
        #expect(queue.nextDeadline == nil)
        #expect(!queue.isIdle)
        let finished = queue.finish(at: .at(0))
        #expect(finished.drafts.map(\.draft.id.low) == [1])
        #expect(finished.drafts.map(\.origin) == [nil])
        #expect(queue.isIdle)
        #expect(queue.bytes == 0)
    }

    @Test mutating func theEarliestDeadlineInFlightOrWaitingCounts() {
        add(1, deadline: 300)
        _ = next()
        add(2, deadline: 400)
        #expect(queue.nextDeadline == .at(300))
        _ = queue.expire(at: .at(300))
        #expect(queue.nextDeadline == .at(400))
        _ = queue.finish(at: .at(0))
        #expect(queue.nextDeadline == .at(400))
    }

    @Test mutating func deadlinesNeedNotComeInOrder() {
        add(1, deadline: 300)
        add(2, deadline: 100)
        add(3, deadline: 200)
        #expect(queue.nextDeadline == .at(100))
        #expect(queue.expire(at: .at(100)) == [.request(2)])
        #expect(queue.nextDeadline == .at(200))
        _ = next()
        add(4, deadline: 250)
        #expect(queue.nextDeadline == .at(200), "those in flight wait too")
        #expect(queue.expire(at: .at(260)) == [.request(3), .request(4)])
        #expect(queue.nextDeadline == .at(300))
        _ = queue.finish(at: .at(0))
        #expect(queue.nextDeadline == nil)
    }
}
