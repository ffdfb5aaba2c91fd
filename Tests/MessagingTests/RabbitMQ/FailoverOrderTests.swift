import Testing

@testable import MessagingRabbitMQ

@Suite struct FailoverOrderTests {
    @Test func aSingleAddressIsTriedAgainAfterAPause() {
        var order = FailoverOrder(count: 1)
        for _ in 0..<3 {
            let mustPause = order.didFail()
            #expect(mustPause && order.current == 0)
        }
    }

    @Test func allAddressesAreTriedInOrderBeforeAPause() {
        var order = FailoverOrder(count: 3)
        var tried: [Int] = []
        var pauses: [Bool] = []
        for _ in 0..<6 {
            tried.append(order.current)
            pauses.append(order.didFail())
        }
        #expect(tried == [0, 1, 2, 0, 1, 2])
        #expect(pauses == [false, false, true, false, false, true])
    }

    @Test func afterALastingConnectionAllAddressesAreTriedAgain() {
        var order = FailoverOrder(count: 2)
        _ = order.didFail()
        #expect(order.current == 1)
        order.didSucceed()
        let mustPause = order.didFail()
        #expect(!mustPause && order.current == 0, "the other address is tried at once")
    }

    @Test func shortConnectionsDoNotAlternateWithoutAPause() {
        var order = FailoverOrder(count: 2)
        // Each address accepts a connection and loses it soon.
        let pauses = (0..<4).map { _ in order.didFail() }
        #expect(pauses == [false, true, false, true])
    }
}
