import Testing

@testable import RedisLink

@Suite struct SubscriptionTrackerTests {
    private let a: [UInt8] = Array("a".utf8)
    private let b: [UInt8] = Array("b".utf8)

    @Test func aSubscriptionIsSentOnceAndAnsweredWhenConfirmed() {
        var tracker = SubscriptionTracker()
        tracker.want(a)
        tracker.want(a)
        tracker.want(b)
        #expect(tracker.takeChanges() == .init(subscribe: [a, b]))
        #expect(tracker.takeChanges() == .init())
        #expect(tracker.confirmed(a) == true)
        #expect(tracker.confirmed(a) == false)
        #expect(tracker.confirmed(b) == true)
    }

    @Test func changesThatCancelOutAreNotSent() {
        var tracker = SubscriptionTracker()
        tracker.want(a)
        tracker.unwant(a)
        #expect(tracker.takeChanges() == .init())
        #expect(tracker.count == 0)

        tracker.want(a)
        #expect(tracker.takeChanges() == .init(subscribe: [a]))
        #expect(tracker.confirmed(a) == true)
        tracker.unwant(a)
        tracker.want(a)
        #expect(tracker.takeChanges() == .init(confirmed: [a]))
    }

    @Test func subscribingAgainIsAnsweredAtOnce() {
        var tracker = SubscriptionTracker()
        tracker.want(a)
        _ = tracker.takeChanges()
        tracker.want(a)
        #expect(tracker.takeChanges() == .init(), "the first answer is still to come")
        #expect(tracker.confirmed(a) == true)
        tracker.want(a)
        #expect(tracker.takeChanges() == .init(confirmed: [a]))
    }

    @Test func onlyTheLastOfSeveralConfirmationsCounts() {
        var tracker = SubscriptionTracker()
        tracker.want(a)
        _ = tracker.takeChanges()
        tracker.unwant(a)
        #expect(tracker.takeChanges() == .init(unsubscribe: [a]))
        tracker.want(a)
        #expect(tracker.takeChanges() == .init(subscribe: [a]))
        #expect(tracker.confirmed(a) == false)
        #expect(tracker.confirmed(a) == false)
        #expect(tracker.confirmed(a) == true)
        #expect(tracker.isWanted(a))
    }

    @Test func unsubscribedChannelsAreForgotten() {
        var tracker = SubscriptionTracker()
        tracker.want(a)
        _ = tracker.takeChanges()
        _ = tracker.confirmed(a)
        tracker.unwant(a)
        #expect(!tracker.isWanted(a))
        _ = tracker.takeChanges()
        #expect(tracker.count == 1, "Redis has not confirmed")
        #expect(tracker.confirmed(a) == false)
        #expect(tracker.count == 0)
    }

    @Test func aNewConnectionSubscribesToAllThatIsWanted() {
        var tracker = SubscriptionTracker()
        tracker.want(a)
        _ = tracker.takeChanges()
        _ = tracker.confirmed(a)
        tracker.want(b)
        tracker.connectionLost()
        tracker.unwant(a)
        let changes = tracker.takeChanges()
        #expect(changes == .init(subscribe: [b]))
        #expect(tracker.confirmed(b) == true)
        #expect(tracker.count == 1)

        tracker.connectionLost()
        #expect(tracker.takeChanges() == .init(subscribe: [b]))
        #expect(tracker.confirmed(b) == false, "no caller waits for a restored one")
    }

    @Test func unexpectedConfirmationsAreIgnored() {
        var tracker = SubscriptionTracker()
        #expect(tracker.confirmed(a) == false)
        tracker.unwant(a)
        #expect(tracker.takeChanges() == .init())
        #expect(tracker.count == 0)
    }
}
