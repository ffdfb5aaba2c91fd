import Testing

@testable import ChatDomain

@Suite struct StoreComparisonTests {
    private var comparison = StoreComparison(failures: 3)

    private mutating func begin(failures: UInt64 = 4, at now: Int64 = 0) -> Int? {
        comparison.begin(failures: failures, delivered: 10, timeout: .seconds(5), at: .at(now))
    }

    @Test mutating func aRoomIsNotWrittenToSinceTheStoreFailed() {
        #expect(comparison.isCurrent(failures: 3) && !comparison.isCurrent(failures: 4))
        #expect(begin() == 1)
        #expect(begin() == nil && comparison.isPending && !comparison.isCurrent(failures: 3))
        #expect(comparison.didRead(number: 1, newest: 12, at: .at(1)) == .complete(newest: 12))
        #expect(comparison.isCurrent(failures: 4) && !comparison.isPending && comparison.deadline == nil)
    }

    @Test mutating func aStoreThatHasLessIsRecognized() {
        _ = begin()
        #expect(comparison.didRead(number: 1, newest: 9, at: .at(1)) == .rewound(to: 9))
        #expect(comparison.didRead(number: 1, newest: 9, at: .at(1)) == nil, "an answer that comes twice")
    }

    @Test mutating func aFailureIsTriedAgainAfterAPause() {
        _ = begin()
        #expect(comparison.didRead(number: 1, newest: nil, at: .at(100)) == nil)
        #expect(comparison.isPending && begin() == nil && comparison.deadline == .at(350))
        comparison.tick(at: .at(349))
        #expect(comparison.isPending)
        comparison.tick(at: .at(350))
        #expect(!comparison.isPending && !comparison.isCurrent(failures: 4))
        #expect(begin(at: 350) == 2)
        #expect(comparison.didRead(number: 1, newest: 10, at: .at(351)) == nil, "an answer that comes late")
        #expect(comparison.didRead(number: 2, newest: 10, at: .at(351)) == .complete(newest: 10))
    }

    @Test mutating func anAnswerThatDoesNotComeIsGivenUp() {
        _ = begin()
        #expect(comparison.deadline == .at(5000))
        comparison.tick(at: .at(5000))
        #expect(!comparison.isPending && begin(at: 5000) == 2)
    }
}
