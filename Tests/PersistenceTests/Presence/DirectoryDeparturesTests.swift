import ChatDomain
import RedisLink
import TestSupport
import Testing

@testable import PersistenceRedis

/// When other instances are told that the connections of sessions broke.
@Suite(.serialized) struct DirectoryDeparturesTests {
    private let alice = UserID(unchecked: "alice")

    private func time(_ milliseconds: Int64) -> Timestamp { Timestamp(milliseconds: milliseconds) }

    /// Whether the departure of session "a" may wait.
    private func mayWait(_ prepare: (inout MachineUnderTest) -> Void) -> Bool {
        var test = MachineUnderTest.ready()
        test.connect(record("a", at: 1))
        prepare(&test)
        test.update("a", of: alice, .disconnected)
        return test.patient.count == 1
    }

    @Test func aStatusThatOthersTakeOverDoesNotWait() {
        #expect(mayWait { _ in })
        for status in [PresenceStatus.busy, .away, .invisible] {
            #expect(!mayWait { $0.update("a", of: alice, .requestedStatus(status)) })
        }
        #expect(!mayWait { $0.connect(record("b", at: 2)) }, "the other session stays")
        var test = MachineUnderTest.ready()
        test.connect(record("a", at: 1))
        test.remove("a", of: alice)
        #expect(test.patient.isEmpty)
    }

    @Test func departuresWaitUntilTheyAreSent() async throws {
        let here = try await DirectoryUnderTest(.redis)
        let there = try await DirectoryUnderTest(.redis, instance: "i2", beside: here)
        let names = (0..<5).map { "u\($0)" }
        for name in names { _ = await here.connect(record("s-\(name)", of: name)) }
        for name in names {
            here.directory.update(
                SessionID("s-\(name)"), of: UserID(unchecked: name), .disconnected, at: time(5))
        }
        let first = UserID(unchecked: names[0])
        #expect(here.directory.ownPresence(of: first)?.sessions == 0, "here it is known at once")
        here.directory.sendDepartures()
        for name in names {
            #expect(await eventually { there.changes(UserID(unchecked: name)).last?.sessions == 0 })
        }
        here.directory.remove(names.map { (SessionID("s-\($0)"), UserID(unchecked: $0)) }, at: time(9))
        for name in names {
            #expect(await eventually { there.changes(UserID(unchecked: name)).last?.actualStatus == .offline })
        }
        await there.close()
        await here.close()
    }

    /// One's own departures are seen in what is read behind them, and what is sent behind them takes effect behind them.
    @Test func whatFollowsFindsThemInRedis() async throws {
        let test = try await DirectoryUnderTest(.redis)
        _ = await test.connect(record("a", at: 1))
        test.directory.update(SessionID("a"), of: alice, .disconnected, at: time(2))
        #expect(await test.directory.sessions(of: alice).isEmpty)
        _ = await test.connect(record("a", at: 3))
        #expect(await test.directory.sessions(of: alice).count == 1)
        test.directory.update(SessionID("a"), of: alice, .disconnected, at: time(4))
        _ = await test.connect(record("a", at: 5))
        #expect(await test.directory.sessions(of: alice).count == 1, "it came back behind its departure")
        await test.close()
    }
}
