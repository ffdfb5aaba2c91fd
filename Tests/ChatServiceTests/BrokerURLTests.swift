import Testing

@testable import ChatService

/// RABBITMQ_URL with several hosts.
@Suite struct BrokerURLTests {
    private let type = ValueType<[ServerURL]>.amqpURLs

    @Test func eachHostHasAnAddressInItsOrder() throws {
        let urls = try #require(type.parse("amqps://u:p%2C1@one,[fd00::1]:5673,three:1/v?heartbeat=5"))
        #expect(urls.map(\.host) == ["one", "fd00::1", "three"])
        #expect(urls.map(\.port) == [nil, 5673, 1])
        for url in urls {
            #expect(url.scheme == "amqps" && url.user == "u" && url.password == Secret("p,1"))
            #expect(url.path == "v" && url.query == "heartbeat=5")
        }
        #expect(type.parse("amqp://one")?.map(\.host) == ["one"])
        #expect(type.parse("amqp://u:a,b@one,two")?.map(\.password) == [Secret("a,b"), Secret("a,b")])
    }

    @Test(arguments: [
        "amqp://", "amqp://,", "amqp://one,", "amqp://one,,two", "amqp://one:0,two", "amqp://one,two:x",
        "http://one,two",
        "amqp://u:p@one,u:p@two", "amqp://one,amqp://two",
    ])
    func unreadableLists(_ text: String) { #expect(type.parse(text) == nil) }

    @Test func theNumberOfHostsIsBounded() {
        func list(_ count: Int) -> String { "amqp://" + (1...count).map { "h\($0)" }.joined(separator: ",") }
        #expect(type.parse(list(16))?.count == 16)
        #expect(type.parse(list(17)) == nil)
    }
}
