import Testing

@testable import ChatCore

@Suite struct TurnSlicesTests {
    /// Turns a test makes itself.
    private final class Turns {
        private var waiting: [() -> Void] = []
        private(set) lazy var slices = TurnSlices { [unowned self] in waiting.append($0) }
        private(set) var made: [[Int]] = [[]]

        /// Makes something of so many bytes when there is time for it.
        func make(_ number: Int, bytes: Int) {
            slices.run { [unowned self] in
                made[made.count - 1].append(number)
                slices.spend(bytes)
            }
        }

        func next() {
            slices.endTurn()
            made.append([])
            let waiting = waiting
            self.waiting = []
            for work in waiting { work() }
        }
    }

    @Test func aTurnMakesNoMoreThanItsShareAndOnePiece() {
        let turns = Turns()
        let page = 900 * 1024
        for number in 0..<5 { turns.make(number, bytes: page) }
        for _ in 0..<4 { turns.next() }
        #expect(turns.made == [[0], [1], [2], [3], [4]])
        turns.next()
        #expect(turns.made.last == [])
    }

    @Test func shortPiecesShareATurn() {
        let turns = Turns()
        let piece = TurnSlices.bytesPerTurn / 4
        for number in 0..<10 { turns.make(number, bytes: piece) }
        for _ in 0..<2 { turns.next() }
        #expect(turns.made == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]])
    }

    @Test func laterWorkWaitsBehindWaitingWork() {
        let turns = Turns()
        turns.make(0, bytes: TurnSlices.bytesPerTurn)
        turns.make(1, bytes: 1)
        #expect(turns.slices.isSpent)
        turns.next()
        turns.make(2, bytes: 1)
        #expect(turns.made == [[0], [1, 2]])
    }

    @Test func aTurnCompressesNoMoreThanItsShare() {
        let slices = TurnSlices { _ in }
        let part = TurnSlices.compressedPerTurn / 2
        #expect(slices.compress(part))
        #expect(slices.compress(part))
        #expect(!slices.compress(1))
        slices.endTurn()
        #expect(slices.compress(1))
    }
}
