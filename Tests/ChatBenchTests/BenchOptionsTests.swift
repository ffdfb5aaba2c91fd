import Testing

@testable import ChatBench

@Suite("Options of the benches")
struct BenchOptionsTests {
    @Test("Watchers divide the users among them, or name all of them")
    func watched() {
        var churn = PresenceBenchOptions(.churn)
        churn.users = 2500
        #expect(churn.watched == [0..<834, 834..<1668, 1668..<2500])
        var watch = PresenceBenchOptions(.watch)
        watch.users = 10
        watch.watchers = 2
        #expect(watch.watched == [0..<10, 0..<10])
        var flap = PresenceBenchOptions(.flap)
        flap.users = 1
        flap.otherServer = .local
        #expect(flap.watched == [0..<1, 1..<1])
    }

    @Test("Each room has members and senders on every server")
    func servers() {
        var options = MessageBenchOptions()
        options.clients = 40
        options.rooms = 10
        options.servers = [.local, .local]
        let servers = (0..<40).map(options.server)
        for room in 0..<10 {
            let members = stride(from: room, to: 40, by: 10).map { servers[$0] }
            #expect(members.count { $0 == 0 } == 2 && members.count == 4)
        }
        #expect(servers[..<10].count { $0 == 0 } == 5)
    }

    @Test("A message says its sender and when it was sent; other texts say nothing")
    func stamps() throws {
        let stamp = try #require(Stamp(Stamp(sender: 7, sentAt: 42).text))
        #expect((stamp.sender, stamp.sentAt) == (7, 42))
        for text in ["", "hello", "bench 7", "bench x 42", "bench 7 42 9"] { #expect(Stamp(text) == nil) }
    }

    @Test("Rooms differ by one member at most")
    func members() {
        var options = MessageBenchOptions()
        options.clients = 23
        options.rooms = 10
        #expect((0..<10).map(options.members) == [3, 3, 3, 2, 2, 2, 2, 2, 2, 2])
    }
}
