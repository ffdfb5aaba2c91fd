import ChatDomain
import PersistenceRedis
import RedisLink
import RedisTestSupport
import Telemetry
import TestSupport
import Testing

/// Two instances with different clocks share one Redis.
@Suite(.serialized) struct DirectoryClockTests {
    private struct Instance {
        let directory: RedisDirectory
        let client: RedisClient
        let events = CallbackLog<DirectoryEvent>()
        let name: InstanceID
        /// How far its clock is off, in milliseconds.
        let skew: Int64

        init(_ name: String, skew: Int64, _ server: RedisServer) async {
            self.name = InstanceID(name)
            self.skew = skew
            client = RedisClient(RedisEndpoint(host: "127.0.0.1", port: server.port))
            directory = RedisDirectory(
                instance: self.name, deployment: .test, client: client, grace: .seconds(5), maximumSessions: 2,
                clock: {
                    Now(
                        wall: Timestamp(milliseconds: WallClock.milliseconds() + skew),
                        monotonic: Moment(milliseconds: WallClock.monotonicMilliseconds() + 77 * skew))
                }, logger: .disabled)
            directory.start { [events] in events.add($0) }
            #expect(await directory.becomesReady(events))
        }

        var now: Timestamp { Timestamp(milliseconds: WallClock.milliseconds() + skew) }

        func connect(_ id: String) async -> [SessionID] {
            var record = record(id, at: now.milliseconds)
            record.instance = name
            return await withCheckedContinuation { continuation in
                directory.connect(record) { continuation.resume(returning: $0.map(\.id)) }
            }
        }

        /// The presence of alice that was delivered last.
        var alice: UserPresence? {
            events.entries.reversed().lazy.compactMap { event -> UserPresence? in
                switch event {
                case .changed(let news, _), .passed(let news): news.presence
                default: nil
                }
            }.first
        }

        func close() async {
            await directory.close()
            await client.close()
        }
    }

    @Test func instancesWithDifferentClocksAgreeOnSessionsAndEvictions() async throws {
        let server = try await RedisServer()
        let ahead = await Instance("ahead", skew: 5000, server)
        let behind = await Instance("behind", skew: 0, server)
        let alice = UserID(unchecked: "alice")

        #expect(await ahead.connect("a") == [])
        #expect(await behind.connect("b") == [])
        #expect(await behind.connect("c") == [SessionID("a")], "the first by order, not the one with the oldest clock")
        #expect(await ahead.directory.sessions(of: alice).map(\.id.value) == ["b", "c"])

        let seen = ahead.now
        #expect(await ahead.connect("d") == [SessionID("b")])
        behind.directory.remove(SessionID("c"), of: alice, at: behind.now)
        ahead.directory.remove(SessionID("d"), of: alice, at: ahead.now)
        for instance in [ahead, behind] {
            #expect(await eventually { instance.alice?.actualStatus == .offline })
            let last = try #require(instance.alice?.lastSeen)
            #expect(last >= seen, "a clock that is behind does not turn back when alice was last seen")
        }
        // Both hold their leases by Redis's clock.
        #expect(await ahead.directory.isAlive(behind.name))
        #expect(await behind.directory.isAlive(ahead.name))
        await ahead.close()
        await behind.close()
        server.kill()
    }
}
