import Testing

@testable import EventLoop
@testable import RedisLink

/// The order in which an attempt to connect goes through servers and their addresses, and when it is begun again.
@Suite struct ServerSearchTests {
    private let one = ServerCandidate(endpoint: RedisEndpoint(host: "one", port: 1), label: "server one")
    private let two = ServerCandidate(endpoint: RedisEndpoint(host: "two", port: 2), label: "server two")
    private let first = IPAddress(high: 0, low: 0xFFFF_0A00_0001)
    private let second = IPAddress(high: 0, low: 0xFFFF_0A00_0002)

    @Test func everyAddressOfEveryServerIsTriedInOrder() {
        var search = ServerSearch()
        #expect(search.begin(.servers([one, two])) == .resolve(host: "one"))
        #expect(search.endpoint == one.endpoint && search.peer == nil)
        #expect(search.resolved(.success([first, second])) == .connect(RedisPeer(address: first, port: 1)))
        #expect(search.next(after: "refused") == .connect(RedisPeer(address: second, port: 1)))
        #expect(search.peer == RedisPeer(address: second, port: 1))
        #expect(search.next(after: "silent") == .resolve(host: "two"))
        #expect(search.endpoint == two.endpoint && search.peer == nil)
        #expect(search.resolved(.success([second])) == .connect(RedisPeer(address: second, port: 2)))
        #expect(search.next(after: "a replica") == .giveUp(reason: "server one: silent; server two: a replica"))
        #expect(search.begin(.servers([two])) == .resolve(host: "two"))
        #expect(search.resolved(.success([])) == .giveUp(reason: "server two: the name has no address"))
    }

    @Test func aNameThatCannotBeResolvedIsPassedOver() {
        var search = ServerSearch()
        _ = search.begin(.servers([one, ServerCandidate(endpoint: two.endpoint)]))
        #expect(search.resolved(.failure(ConnectError(description: "cannot resolve"))) == .resolve(host: "two"))
        #expect(
            search.resolved(.failure(ConnectError(description: "no such host")))
                == .giveUp(reason: "server one: cannot resolve; no such host"))
    }

    @Test func withoutServersThereIsNothingToTry() {
        var search = ServerSearch()
        #expect(search.begin(.unknown) == .wait)
        #expect(search.begin(.none(reason: "why")) == .giveUp(reason: "why"))
        #expect(search.begin(.servers([])) == .giveUp(reason: "no server is known"))
    }

    @Test func anotherPreferredServerEndsTheConnectionOnce() {
        var search = ServerSearch()
        _ = search.begin(.servers([one]))
        _ = search.resolved(.success([first]))
        #expect(search.didChange(to: .servers([one, two])) == false, "the preferred server is the same")
        #expect(search.didChange(to: .none(reason: "the sentinels are away")) == false)
        #expect(search.didChange(to: .unknown) == false)
        #expect(search.didChange(to: .servers([two])) == true)
        #expect(search.didChange(to: .servers([two])) == false, "the change was reported")
    }

    @Test func aConnectionToTheNewPreferredServerStays() {
        var search = ServerSearch()
        _ = search.begin(.servers([one, two]))
        _ = search.resolved(.success([first]))
        _ = search.next(after: "a replica")
        _ = search.resolved(.success([second]))
        #expect(search.didChange(to: .servers([two])) == false)
        #expect(search.didChange(to: .servers([one])) == true, "it moves back")
    }

    @Test func whileItPausesAnyNewPreferredServerIsTriedAtOnce() {
        var search = ServerSearch()
        _ = search.begin(.servers([one]))
        search.end()
        #expect(search.didChange(to: .servers([one])) == false)
        #expect(search.didChange(to: .servers([two])) == true)
        var unknown = ServerSearch()
        _ = unknown.begin(.none(reason: "nothing"))
        #expect(unknown.didChange(to: .servers([one])) == true)
    }
}
