import ChatDomain
import Testing

@testable import MessagingRabbitMQ

@Suite struct ConfirmTrackerTests {
    private func book(_ count: UInt64) -> ConfirmTracker {
        var book = ConfirmTracker()
        for tag in 1...count { book.published(tag: tag * 10, messageID: "m\(tag)") }
        return book
    }

    @Test func oneIsAnswered() {
        var book = book(3)
        let settled = book.answered(delivery: 2, multiple: false, taken: true)
        #expect(settled.map(\.tag) == [20] && settled.map(\.outcome) == [.confirmed])
        #expect(book.answered(delivery: 2, multiple: false, taken: true).isEmpty, "answered once already")
        #expect(book.answered(delivery: 3, multiple: true, taken: true).map(\.tag) == [10, 30])
        #expect(book.isEmpty)
    }

    @Test func eventsWhoseIDsOnlyLookAlikeAreTwo() {
        // To receivers whose ids are one text to Swift, and two to everybody else.
        var book = ConfirmTracker()
        book.published(tag: 1, messageID: "m:\u{E9}")
        book.published(tag: 2, messageID: "m:e\u{301}")
        book.returned(messageID: "m:e\u{301}")
        let settled = book.answered(delivery: 0, multiple: true, taken: true)
        #expect(settled.map(\.outcome) == [.confirmed, .returned])
    }

    @Test func manyAreAnsweredAtOnce() {
        var book = book(5)
        #expect(
            book.answered(delivery: 4, multiple: true, taken: false).map(\.outcome)
                == .init(repeating: .refused, count: 4))
        #expect(book.answered(delivery: 0, multiple: true, taken: true).map(\.tag) == [50], "0 means all")
    }

    @Test func aReturnedEventIsAcknowledgedWithoutBeingKept() {
        var book = book(2)
        book.returned(messageID: "m1")
        let settled = book.answered(delivery: 2, multiple: true, taken: true)
        #expect(settled.map(\.outcome) == [.returned, .confirmed])
    }

    @Test func whatWasNeverPublishedIsIgnored() {
        var book = book(1)
        book.returned(messageID: "made up")
        #expect(book.answered(delivery: 7, multiple: false, taken: true).isEmpty)
        #expect(book.answered(delivery: 1, multiple: false, taken: true).map(\.outcome) == [.confirmed])
    }

    @Test func aRepeatedMessageIDIsJudgedByItsOwnReturn() {
        var book = ConfirmTracker()
        book.published(tag: 1, messageID: "m")
        book.returned(messageID: "m")
        #expect(book.answered(delivery: 1, multiple: false, taken: true).map(\.outcome) == [.returned])
        book.published(tag: 2, messageID: "m")
        #expect(book.answered(delivery: 2, multiple: false, taken: true).map(\.outcome) == [.confirmed])
    }
}
