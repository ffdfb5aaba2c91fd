import ChatDomain
import ChatTestSupport
import Testing

@testable import ChatCore

@Suite struct DirectDeliveryTests {
    @Test func aDirectMessageNamesTheUsersItReached() {
        var delivery = DirectDelivery(timestamp: Timestamp(milliseconds: 0))
        #expect(delivery.json.text.hasPrefix(#"{"status":"error","recipients":{"total":0,"sent":[],"failed":[]}"#))
        delivery.note(UserID(unchecked: "a"), isReached: true)
        delivery.note(UserID(unchecked: "b"), isReached: false)
        #expect(delivery.json.text.hasPrefix(#"{"status":"sent","recipients":{"total":2,"sent":["a"],"failed":["b"]}"#))
    }
}
