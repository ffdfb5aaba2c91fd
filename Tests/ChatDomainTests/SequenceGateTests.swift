import Testing

@testable import ChatDomain

@Suite struct SequenceGateTests {
    private static func permutations(of items: [SequenceNumber]) -> [[SequenceNumber]] {
        guard let first = items.first else { return [[]] }
        return permutations(of: Array(items.dropFirst())).flatMap { rest in
            (0...rest.count).map { place in Array(rest[..<place]) + [first] + Array(rest[place...]) }
        }
    }

    private static func admit(_ sequence: SequenceNumber, to gate: inout SequenceGate) -> [SequenceNumber] {
        gate.admit([.message(.number(sequence))]).map(\.sequence)
    }

    @Test func everyOrderOfSixMessagesComesOutInOrderAndOnce() {
        let orders = Self.permutations(of: Array(11...16))
        #expect(orders.count == 720)
        for order in orders {
            for echo in [false, true] {
                var gate = SequenceGate(delivered: 10)
                var out: [SequenceNumber] = []
                for sequence in order {
                    out += Self.admit(sequence, to: &gate)
                    // Each message comes twice, at once and again at the end, and with one from before.
                    if echo { out += Self.admit(sequence, to: &gate) + Self.admit(9, to: &gate) }
                }
                if echo { for sequence in order { out += Self.admit(sequence, to: &gate) } }
                guard out == Array(11...16), !gate.hasHole, gate.delivered == 16 else {
                    Issue.record("\(order) came out as \(out)")
                    return
                }
            }
        }
    }

    @Test func entriesComeInOrderHoweverTheyAreBatched() {
        for order in Self.permutations(of: Array(11...14)) {
            for split in 0...4 {
                var gate = SequenceGate(delivered: 10)
                gate.announce(12)
                let batches = [order.prefix(split), order.dropFirst(split), order[...]]
                let out = batches.flatMap { batch in gate.admit(batch.map { .message(.number($0)) }) }
                #expect(out.map(\.sequence) == Array(11...14), "\(order) in two at \(split)")
                #expect(gate.delivered == 14 && gate.newest == 14)
            }
        }
    }

    @Test func aMissingMessageIsAHoleUntilItComes() {
        var gate = SequenceGate(delivered: 0)
        #expect(!gate.hasHole)
        #expect(Self.admit(2, to: &gate) == [])
        #expect(gate.hasHole)
        #expect(Self.admit(4, to: &gate) == [])
        #expect(Self.admit(1, to: &gate) == [1, 2])
        #expect(gate.hasHole)
        #expect(Self.admit(3, to: &gate) == [3, 4])
        #expect(!gate.hasHole)
    }

    @Test func hearingOfMessagesIsAHoleToo() {
        var gate = SequenceGate(delivered: 5)
        gate.announce(5)
        gate.announce(3)
        #expect(!gate.hasHole)
        gate.announce(7)
        #expect(gate.hasHole)
        #expect(Self.admit(6, to: &gate) == [6])
        #expect(gate.hasHole)
        #expect(Self.admit(7, to: &gate) == [7])
        #expect(!gate.hasHole)
    }

    @Test func pastItsCapacityEarlyMessagesAreReadAgainLater() {
        var gate = SequenceGate(delivered: 0)
        let last = SequenceNumber(SequenceGate.capacity + 10)
        for sequence in 2...last { #expect(Self.admit(sequence, to: &gate).isEmpty) }
        // The first 1024 early ones were kept; those after them count as missing.
        let kept = SequenceNumber(SequenceGate.capacity + 1)
        #expect(Self.admit(1, to: &gate) == Array(1...kept))
        #expect(gate.hasHole)
        for sequence in (kept + 1)...last { #expect(Self.admit(sequence, to: &gate) == [sequence]) }
        #expect(!gate.hasHole)
    }
}
