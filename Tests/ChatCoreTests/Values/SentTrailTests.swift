import ChatDomain
import TestSupport
import Testing

@testable import ChatCore

@Suite struct SentTrailTests {
    private func rooms(_ names: String...) -> SmallSet<RoomID> {
        var set = SmallSet<RoomID>()
        for name in names { set.insert(room(name)) }
        return set
    }

    private func sent(_ name: String, _ numbers: ClosedRange<SequenceNumber>) -> RecoverableSession.Sent {
        .init(room: room(name), numbers: numbers)
    }

    @Test func itGivesWhatWentToTheRoomsInOrder() {
        var trail = SentTrail()
        trail.note(room("a"), 1...2)
        trail.note(room("b"), 1...1)
        trail.note(room("a"), 3...3)
        let (sent, isAll) = trail.sent(to: rooms("a"), from: 0, limit: 10)
        #expect(sent == [self.sent("a", 1...2), self.sent("a", 3...3)] && isAll)
        #expect(
            trail.sent(to: rooms("a", "b"), from: 1, limit: 10).sent == [self.sent("b", 1...1), self.sent("a", 3...3)])
        #expect(trail.sent(to: rooms("c"), from: 0, limit: 10).sent.isEmpty)
    }

    @Test func pastTheLimitTheNewestAreGivenAndSaidNotToBeAll() {
        var trail = SentTrail()
        for number in SequenceNumber(1)...5 { trail.note(room("a"), number...number) }
        let (sent, isAll) = trail.sent(to: rooms("a"), from: 0, limit: 2)
        #expect(sent == [self.sent("a", 4...4), self.sent("a", 5...5)] && !isAll)
        #expect(trail.sent(to: rooms("a"), from: 3, limit: 2).isAll)
    }

    @Test func aPositionThatWasOverwrittenIsNotAll() {
        var trail = SentTrail()
        for number in SequenceNumber(1)...4096 { trail.note(room("a"), number...number) }
        #expect(trail.sent(to: rooms("a"), from: 0, limit: 5000).isAll)
        trail.note(room("b"), 1...1)
        let (sent, isAll) = trail.sent(to: rooms("a"), from: 0, limit: 5000)
        #expect(sent.count == 4095 && sent.first == self.sent("a", 2...2) && !isAll)
        #expect(trail.sent(to: rooms("a"), from: 1, limit: 5000).isAll)
    }

    @Test(arguments: UInt64(1)...3) func itIsWhatAListOfAllWouldSay(_ seed: UInt64) {
        var random = SplitMix(seed: seed)
        var trail = SentTrail()
        var all: [RecoverableSession.Sent] = []
        for number in SequenceNumber(1)...6000 {
            let entry = sent(["a", "b", "c"][Int.random(in: 0..<3, using: &random)], number...number)
            trail.note(entry.room, entry.numbers)
            all.append(entry)
            guard random.chance(1, in: 100) else { continue }
            let from = Int.random(in: 0...all.count, using: &random)
            let wanted = all[from...].filter { $0.room != room("c") }
            let (found, isAll) = trail.sent(to: rooms("a", "b"), from: from, limit: 100_000)
            #expect(isAll == (from >= all.count - 4096))
            #expect(isAll ? found == Array(wanted) : wanted.suffix(found.count) == found[...])
        }
    }
}
