import Testing

@testable import RedisLink

@Suite struct SubscriptionTrackerTests {
    private let a: [UInt8] = Array("a".utf8)
    private let b: [UInt8] = Array("b".utf8)

    @Test func whatIsWantedIsAskedOnceAndStandsWhenConfirmed() {
        var book = SubscriptionTracker()
        book.want(a)
        book.want(a)
        book.want(b)
        #expect(book.takeChanges() == .init(subscribe: [a, b]))
        #expect(book.takeChanges() == .init())
        #expect(book.confirmed(a) == true)
        #expect(book.confirmed(a) == false)
        #expect(book.confirmed(b) == true)
    }

    @Test func toAndFroInOneTurnCostsNothing() {
        var book = SubscriptionTracker()
        book.want(a)
        book.unwant(a)
        #expect(book.takeChanges() == .init())
        #expect(book.count == 0)

        book.want(a)
        #expect(book.takeChanges() == .init(subscribe: [a]))
        #expect(book.confirmed(a) == true)
        book.unwant(a)
        book.want(a)
        #expect(book.takeChanges() == .init(confirmed: [a]))
    }

    @Test func askingAgainForWhatStandsIsAnsweredAtOnce() {
        var book = SubscriptionTracker()
        book.want(a)
        _ = book.takeChanges()
        book.want(a)
        #expect(book.takeChanges() == .init(), "the first answer is still to come")
        #expect(book.confirmed(a) == true)
        book.want(a)
        #expect(book.takeChanges() == .init(confirmed: [a]))
    }

    @Test func onlyTheLastOfSeveralConfirmationsCounts() {
        var book = SubscriptionTracker()
        book.want(a)
        _ = book.takeChanges()
        book.unwant(a)
        #expect(book.takeChanges() == .init(unsubscribe: [a]))
        book.want(a)
        #expect(book.takeChanges() == .init(subscribe: [a]))
        #expect(book.confirmed(a) == false)
        #expect(book.confirmed(a) == false)
        #expect(book.confirmed(a) == true)
        #expect(book.isWanted(a))
    }

    @Test func nothingIsKeptOfWhatIsLetGo() {
        var book = SubscriptionTracker()
        book.want(a)
        _ = book.takeChanges()
        _ = book.confirmed(a)
        book.unwant(a)
        #expect(!book.isWanted(a))
        _ = book.takeChanges()
        #expect(book.count == 1, "Redis has not confirmed")
        #expect(book.confirmed(a) == false)
        #expect(book.count == 0)
    }

    @Test func aNewConnectionIsToldAllThatIsWanted() {
        var book = SubscriptionTracker()
        book.want(a)
        _ = book.takeChanges()
        _ = book.confirmed(a)
        book.want(b)
        book.connectionLost()
        book.unwant(a)
        let changes = book.takeChanges()
        #expect(changes == .init(subscribe: [b]))
        #expect(book.confirmed(b) == true)
        #expect(book.count == 1)

        book.connectionLost()
        #expect(book.takeChanges() == .init(subscribe: [b]))
        #expect(book.confirmed(b) == false, "nobody waits to hear of a restored one")
    }

    @Test func confirmationsNobodyAskedForDoNothing() {
        var book = SubscriptionTracker()
        #expect(book.confirmed(a) == false)
        book.unwant(a)
        #expect(book.takeChanges() == .init())
        #expect(book.count == 0)
    }
}
