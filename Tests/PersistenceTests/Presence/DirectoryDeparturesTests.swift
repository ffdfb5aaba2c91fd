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

    @Test func sessionsThatLeaveOneBehindAnotherShareACommand() {
        func departure(_ number: Int) -> DirectoryRequest {
            .update(SessionID("s\(number)"), of: alice, .disconnected, at: time(1))
        }
        let many = (0..<DirectoryRequest.departuresAtOnce + 10).map(departure)
        let last: [DirectoryRequest] = [.remove(SessionID("s1"), of: alice, at: time(2)), departure(2)]
        let other = DirectoryRequest.update(SessionID("t"), of: alice, .active, at: time(2))
        let groups = DirectoryRequest.groups(of: many + [other, other] + last)
        #expect(groups.map(\.count) == [DirectoryRequest.departuresAtOnce, 10, 1, 1, 2])
        #expect(Array(groups.joined()) == many + [other, other] + last, "the order stays")
        #expect(DirectoryRequest.groups(of: []).isEmpty)
    }

    @Test func departuresWaitForWhatHasToFollowThem() {
        func departure(_ user: String) -> DirectoryRequest {
            .update(SessionID("s-\(user)"), of: UserID(unchecked: user), .disconnected, at: time(1))
        }
        func arrival(_ user: String) -> DirectoryRequest { .connect(record("t-\(user)", of: user), ticket: 1) }
        var unsent = UnsentRequests()
        for user in ["ann", "bob"] { unsent.addPatient(departure(user)) }
        #expect(unsent.takeDue().isEmpty)
        unsent.add(arrival("cleo"))
        #expect(unsent.takeDue() == [arrival("cleo")], "another user's")
        unsent.add(arrival("cleo"))
        unsent.add(arrival("bob"))
        let all = [departure("ann"), departure("bob"), arrival("cleo"), arrival("bob")]
        #expect(unsent.takeDue() == all)
        unsent.add(arrival("ann"))
        #expect(unsent.takeDue() == [arrival("ann")], "nothing waits any more")
        for request in [DirectoryRequest.countOnline, .remove(SessionID("s-dan"), of: alice, at: time(2))] {
            unsent.addPatient(departure("ann"))
            unsent.add(request)
            #expect(unsent.takeDue() == [departure("ann"), request])
        }
        unsent.addPatient(departure("dan"))
        unsent.add(arrival("eve"))
        unsent.addPatient(departure("eve"))
        #expect(unsent.takeDue() == [departure("dan"), arrival("eve"), departure("eve")], "one of the same input")
        for _ in 0...UnsentRequests.maximumWaiting { unsent.addPatient(departure("ann")) }
        #expect(unsent.takeDue().count == UnsentRequests.maximumWaiting + 1)
    }

    /// Sessions that are not known, or belong to another instance, do not keep the others of a command.
    @Test func eachSessionOfACommandLeavesByItself() async throws {
        let here = try await DirectoryUnderTest(.redis)
        let there = try await DirectoryUnderTest(.redis, instance: "i2", beside: here)
        for name in ["u1", "u2", "u3"] { _ = await here.connect(record("s-\(name)", of: name)) }
        var moved = record("s-u2", of: "u2")
        moved.instance = there.instance
        _ = await there.connect(moved)
        let users = ["u1", "u2", "nobody", "u3"].map { UserID(unchecked: $0) }
        for user in users { here.directory.update(SessionID("s-\(user)"), of: user, .disconnected, at: time(5)) }
        here.directory.sendDepartures()
        here.directory.remove(users.map { (SessionID("s-\($0)"), $0) }, at: time(9))
        for name in ["u1", "u3"] {
            #expect(await eventually { there.changes(UserID(unchecked: name)).last?.actualStatus == .offline })
        }
        #expect(await there.directory.sessions(of: users).keys.map(\.value) == ["u2"])
        await there.close()
        await here.close()
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
