import EventLoop
import Testing

@testable import ChatService

struct RedisServicesTests {
    private static func loops(_ count: Int) -> [EventLoop] { (0..<count).map { EventLoop(name: "loop-\($0)") } }

    @Test(arguments: [1, 2]) func aFewLoopsHaveRedisConnections(count: Int) {
        let loops = Self.loops(count)
        #expect(RedisServices.loop(among: loops) === loops.first)
    }

    @Test func manyLoopsLeaveRedisToAThreadOfItsOwn() {
        #expect(RedisServices.loop(among: Self.loops(3)) == nil)
    }
}
