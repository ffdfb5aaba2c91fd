import ChatDomain
import Testing

@testable import MessagingRabbitMQ

@Suite struct ConfirmTrackerTests {
    private func tracker(_ count: UInt64) -> ConfirmTracker {
        var tracker = ConfirmTracker()
        for tag in 1...count { tracker.didPublish(tag: tag * 10, messageID: "m\(tag)") }
        return tracker
    }

    @Test func oneEventIsAnswered() {
        var tracker = tracker(3)
        let answers = tracker.receivedAnswer(delivery: 2, multiple: false, isAcknowledged: true)
        #expect(answers.map(\.tag) == [20] && answers.map(\.outcome) == [.confirmed])
        #expect(
            tracker.receivedAnswer(delivery: 2, multiple: false, isAcknowledged: true).isEmpty, "answered once already")
        #expect(tracker.receivedAnswer(delivery: 3, multiple: true, isAcknowledged: true).map(\.tag) == [10, 30])
        #expect(tracker.isEmpty)
    }

    @Test func canonicallyEquivalentIDsAreTwoEvents() {
        var tracker = ConfirmTracker()
        tracker.didPublish(tag: 1, messageID: "m:\u{E9}")
        tracker.didPublish(tag: 2, messageID: "m:e\u{301}")
        tracker.receivedReturn(messageID: "m:e\u{301}")
        let answers = tracker.receivedAnswer(delivery: 0, multiple: true, isAcknowledged: true)
        #expect(answers.map(\.outcome) == [.confirmed, .returned])
    }

    @Test func manyEventsAreAnsweredAtOnce() {
        var tracker = tracker(5)
        #expect(
            tracker.receivedAnswer(delivery: 4, multiple: true, isAcknowledged: false).map(\.outcome)
                == .init(repeating: .refused, count: 4))
        #expect(
            tracker.receivedAnswer(delivery: 0, multiple: true, isAcknowledged: true).map(\.tag) == [50], "0 means all")
    }

    @Test func anAcknowledgedEventThatWasReturnedIsNotConfirmed() {
        var tracker = tracker(2)
        tracker.receivedReturn(messageID: "m1")
        let answers = tracker.receivedAnswer(delivery: 2, multiple: true, isAcknowledged: true)
        #expect(answers.map(\.outcome) == [.returned, .confirmed])
    }

    @Test func unknownEventsAreIgnored() {
        var tracker = tracker(1)
        tracker.receivedReturn(messageID: "made up")
        #expect(tracker.receivedAnswer(delivery: 7, multiple: false, isAcknowledged: true).isEmpty)
        #expect(
            tracker.receivedAnswer(delivery: 1, multiple: false, isAcknowledged: true).map(\.outcome) == [.confirmed])
    }

    @Test func aReturnCountsForOnePublicationOfARepeatedID() {
        var tracker = ConfirmTracker()
        tracker.didPublish(tag: 1, messageID: "m")
        tracker.receivedReturn(messageID: "m")
        #expect(
            tracker.receivedAnswer(delivery: 1, multiple: false, isAcknowledged: true).map(\.outcome) == [.returned])
        tracker.didPublish(tag: 2, messageID: "m")
        #expect(
            tracker.receivedAnswer(delivery: 2, multiple: false, isAcknowledged: true).map(\.outcome) == [.confirmed])
    }
}
