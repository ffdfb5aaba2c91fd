import Testing

@testable import ChatDomain

extension MessageTail {
    fileprivate var first: SequenceNumber? { messages.first?.sequence }
    fileprivate var last: SequenceNumber? { messages.last?.sequence }
}

@Suite struct MessageTailTests {
    private var tail = MessageTail(after: 0)

    private mutating func append(_ range: ClosedRange<SequenceNumber>, text: String? = nil) {
        for number in range { tail.append(.message(.number(number, text: text))) }
    }

    private func after(_ sequence: SequenceNumber, upTo last: SequenceNumber) -> [SequenceNumber]? {
        if sequence >= last { return [] }
        return sequence < tail.floor ? nil : tail.messages(after: sequence).map(\.sequence)
    }

    @Test mutating func anEmptyTailKnowsOnlyThatNothingIsMissing() {
        #expect(after(0, upTo: 0) == [])
        #expect(after(5, upTo: 5) == [])
        tail = MessageTail(after: 5)
        #expect(after(4, upTo: 5) == nil)
        #expect(after(5, upTo: 6) == [])
        #expect(tail.first == nil && tail.last == nil)
    }

    @Test mutating func answersWhatItHoldsAndNothingLess() {
        tail = MessageTail(after: 10)
        append(11...20)
        #expect(after(10, upTo: 20) == Array(11...20))
        #expect(after(15, upTo: 20) == Array(16...20))
        #expect(after(20, upTo: 20) == [])
        #expect(after(9, upTo: 20) == nil)
        #expect(tail.first == 11 && tail.last == 20)
    }

    @Test mutating func keepsBetweenOneAndTwoCapacities() throws {
        for last in SequenceNumber(1)...2000 {
            tail.append(.message(.number(last)))
            let kept = Int(last - (try #require(tail.first)) + 1)
            #expect(kept >= min(Int(last), MessageTail.capacity) && kept < 2 * MessageTail.capacity)
        }
        #expect(tail.last == 2000)
    }

    @Test mutating func longMessagesAreKeptByWeight() throws {
        let text = String(repeating: "x", count: 16_000)
        append(1...100, text: text)
        let kept = 100 - (try #require(tail.first)) + 1
        #expect(kept * 16_000 <= 2 * MessageTail.byteCapacity)
        #expect(kept * 16_000 >= MessageTail.byteCapacity - 16_200)
    }

    @Test mutating func oneMessageHeavierThanTheTailIsKeptAlone() {
        append(1...3)
        append(4...4, text: String(repeating: "x", count: 3 * MessageTail.byteCapacity))
        #expect(after(3, upTo: 4) == [4])
        #expect(after(2, upTo: 4) == nil)
        append(5...5)
        #expect(tail.last == 5)
    }

    @Test mutating func olderMessagesJoinInFrontOnlyWithoutAGap() {
        tail = MessageTail(after: 10)
        append(11...12)
        tail.prepend(Message.numbers(5...9), after: 4, upTo: 9)
        #expect(tail.first == 11)
        tail.prepend(Message.numbers(7...11), after: 6, upTo: 11)
        #expect(after(6, upTo: 12) == Array(7...12))
        tail.prepend(Message.numbers(7...12), after: 6, upTo: 12)
        tail.prepend([], after: 6, upTo: 12)
        #expect(after(6, upTo: 12) == Array(7...12))
    }

    @Test mutating func anEmptyTailTakesAPageAsItIs() {
        tail = MessageTail(after: 9)
        tail.prepend(Message.numbers(3...9), after: 2, upTo: 9)
        #expect(after(2, upTo: 9) == Array(3...9))
        append(10...10)
        #expect(tail.last == 10)
    }

    @Test mutating func aPageOfLongMessagesIsKeptByWeightToo() throws {
        tail = MessageTail(after: 128)
        let page = (1...128).map { Message.number($0, text: String(repeating: "x", count: 16_000)) }
        tail.prepend(page, after: 0, upTo: 128)
        let kept = 128 - (try #require(tail.first)) + 1
        #expect(kept * 16_000 <= 2 * MessageTail.byteCapacity)
        #expect(tail.last == 128)
    }

    @Test mutating func numbersThatWereErasedAreAHoleAndNoMore() {
        tail = MessageTail(after: 20)
        tail.prepend(Message.numbers(3...4) + Message.numbers(9...9), after: 1, upTo: 20)
        #expect(after(0, upTo: 20) == nil)
        #expect(after(1, upTo: 20) == [3, 4, 9])
        for inside in SequenceNumber(4)...8 { #expect(after(inside, upTo: 20) == [9]) }
        #expect(after(9, upTo: 20) == [] && after(15, upTo: 20) == [])
        append(21...21)
        append(25...25)
        #expect(after(8, upTo: 25) == [9, 21, 25])
        #expect(after(22, upTo: 25) == [25])
    }

    @Test mutating func aMessageIsFoundByItsNumberBehindAHole() {
        append(1...3)
        append(7...9)
        for number in SequenceNumber(0)...10 {
            let isKept = [1, 2, 3, 7, 8, 9].contains(number)
            #expect(tail.message(number)?.sequence == (isKept ? number : nil))
        }
        #expect(tail.message(.min) == nil && tail.message(.max) == nil)
    }

    @Test mutating func messagesThatAreNotNewerAreIgnored() {
        append(5...6)
        append(2...6)
        #expect(after(0, upTo: 6) == [5, 6])
    }

    @Test mutating func afterTrimmingNothingIsClaimedThatWentWithIt() throws {
        for number in stride(from: SequenceNumber(3), through: 3000, by: 3) {
            tail.append(.message(.number(number)))
        }
        let first = try #require(tail.first)
        #expect(after(first - 4, upTo: 3000) == nil)
        #expect(after(first - 3, upTo: 3000)?.first == first)
        #expect(after(first - 1, upTo: 3000)?.first == first)
    }
}
