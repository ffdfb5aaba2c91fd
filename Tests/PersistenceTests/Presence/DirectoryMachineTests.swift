import ChatDomain
import RedisLink
import Testing

@testable import PersistenceRedis

/// The lease, registration and sweeping of the directory in Redis, on manual time and without Redis.
@Suite struct DirectoryMachineTests {
    private let alice = UserID(unchecked: "alice")
    private let bob = UserID(unchecked: "bob")
    private let dead = InstanceID("dead")

    // MARK: The lease

    @Test func theLeaseIsRenewedWithEveryHeartbeat() {
        var test = MachineUnderTest.ready()
        for _ in 1...8 {
            test.advance(by: DirectoryMachine.heartbeat - .milliseconds(1))
            #expect(test.renewals == 0)
            test.advance(by: .milliseconds(1))
            #expect(test.renewals == 1)
            test.answerAll()
        }
    }

    @Test func noRenewalBeginsWhileAnotherIsUnderWay() {
        var test = MachineUnderTest.ready()
        test.advance(by: DirectoryMachine.heartbeat * 4)
        #expect(test.renewals == 1)
        // The heartbeats that passed meanwhile are made up for by one.
        test.answer(.lease(isHeld: true, others: 0, ended: []), where: \.isRenewal)
        #expect(test.renewals == 1)
    }

    @Test func anInstanceWhoseLeaseEndedReportsItAndRegistersAgain() {
        var test = MachineUnderTest.ready()
        test.connect(record("a", at: 1))
        test.answerAll()
        #expect(test.lapses == 0, "the first lease is no lapse")
        test.advance(by: DirectoryMachine.heartbeat)
        test.answer(.lease(isHeld: false, others: 1, ended: []))
        #expect(test.lapses == 1)
        #expect(test.registered == ["a"])
        #expect(test.machine.otherInstances == 1)
    }

    @Test func aFailedRenewalLosesTheLink() {
        var test = MachineUnderTest.ready()
        test.advance(by: DirectoryMachine.heartbeat)
        test.answer(.failed(.timeout))
        #expect(!test.machine.isSending)
        #expect(test.machine.otherInstances == 0)
        test.live(for: DirectoryMachine.heartbeat)
        #expect(test.machine.isSending)
    }

    // MARK: Redis is away

    @Test func withoutRedisChangesAreDeliveredHere() {
        var test = MachineUnderTest.ready(maximumSessions: 1)
        test.breakConnection()
        test.connect(record("a", at: 1), ticket: 1)
        test.update("a", of: alice, .requestedStatus(.busy))
        #expect(test.changes(of: alice).map(\.actualStatus) == [.online, .busy])
        test.connect(record("b", at: 2), ticket: 2)
        #expect(test.completed == [1: [], 2: [SessionID("a")]], "the limit holds without Redis too")
        #expect(test.pending.isEmpty)
    }

    @Test func onlyUsersOfThisInstanceAreShownAfterIsolation() {
        var test = MachineUnderTest.ready()
        test.storedUsers = [PresenceStatement(presence: presence(of: bob, .online), version: 1)]
        test.connect(record("a", at: 1))
        test.follow(bob)
        test.answerAll()
        test.breakConnection()
        test.clearEvents()
        test.advance(by: DirectoryMachine.isolation - .milliseconds(1))
        #expect(test.compared.isEmpty)
        test.advance(by: .milliseconds(1))
        #expect(test.compared.map(\.user.userID).sorted() == [alice, bob])
        #expect(test.compared.filter(\.isGone).map(\.user.userID) == [bob])
        test.advance(by: DirectoryMachine.isolation)
        #expect(test.compared.count == 2, "once for one absence")
    }

    @Test func anInstanceWithoutASubscriptionCountsAsAwayAfterAWhile() {
        var test = MachineUnderTest.ready()
        test.subscriptionChanged(isUp: false)
        test.live(for: .seconds(4))
        #expect(test.machine.isSending)
        test.live(for: .seconds(6))
        #expect(!test.machine.isSending)
        test.subscriptionChanged(isUp: true)
        test.answerAll()
        #expect(test.machine.isSending)
    }

    /// What changed during a registration that failed was sent to Redis only.
    @Test func changesDuringAFailedRegistrationAreDelivered() {
        var test = MachineUnderTest.ready()
        test.breakConnection()
        test.connect(record("a", at: 1))
        test.advance(by: DirectoryMachine.isolation)
        test.connectionChanged(isUp: true)
        test.answer(.lease(isHeld: false, others: 0, ended: []), where: \.isRenewal)
        test.connect(record("b", of: "bob", at: 2), ticket: 2)
        test.clearEvents()
        test.breakConnection()
        #expect(test.compared.map(\.user.userID).sorted() == [alice, bob])
        #expect(test.compared.filter(\.isGone).isEmpty)
        #expect(test.completed[2] == [])
    }

    // MARK: Registering

    @Test func everythingIsRegisteredFromMemory() {
        var test = MachineUnderTest.ready()
        for id in ["a", "b"] { test.connect(record(id, at: 1)) }
        test.setPresent(alice, in: "den", true)
        test.setPresent(alice, in: "attic", true)
        test.answerAll()
        test.breakConnection()
        test.remove("b", of: alice)
        test.connect(record("c", at: 2))
        test.setPresent(alice, in: "attic", false)
        test.connectionChanged(isUp: true)
        test.answer(.lease(isHeld: true, others: 0, ended: []))

        guard case .remove(SessionID("b"), alice, _)? = test.pending.first else {
            Issue.record("\(test.pending) does not begin with the removal of what ended")
            return
        }
        #expect(test.pending.contains(.setPresent(RoomPlace(room: RoomID(unchecked: "attic"), user: alice), false)))
        #expect(test.registered.sorted() == ["a", "c"])
        test.answer(.done, where: \.isRegistration)
        #expect(test.registeredPlaces == [RoomPlace(room: RoomID(unchecked: "den"), user: alice)])
        #expect(test.marks.isEmpty, "contact is proved only when everything is registered")
        test.answer(.done, where: \.isRegistration)
        #expect(test.marks.count == 1)
    }

    @Test func aSessionThatComesBackMeanwhileIsNotRemoved() {
        var test = MachineUnderTest.ready()
        test.connect(record("a", at: 1))
        test.answerAll()
        test.breakConnection()
        test.remove("a", of: alice)
        test.connect(record("a", at: 2))
        test.connectionChanged(isUp: true)
        test.answer(.lease(isHeld: true, others: 0, ended: []))
        #expect(!test.pending.contains { if case .remove = $0 { true } else { false } })
        #expect(test.registered == ["a"])
    }

    @Test func aLateSliceHasSessionsAsTheyAreThen() {
        var test = MachineUnderTest.ready()
        test.breakConnection()
        let count = PresenceRegistration.sliceSize + 50
        for index in 0..<count { test.connect(record("s\(index)", of: "u\(index)", at: 1)) }
        test.connectionChanged(isUp: true)
        test.answer(.lease(isHeld: true, others: 0, ended: []))
        let first = test.registered
        #expect(first.count == PresenceRegistration.sliceSize)
        let late = (0..<count).map { "s\($0)" }.filter { !Set(first).contains($0) }
        func user(_ session: String) -> UserID { UserID(unchecked: "u" + session.dropFirst()) }
        test.remove(late[0], of: user(late[0]))
        test.update(late[1], of: user(late[1]), .requestedStatus(.busy))
        test.answer(.done, where: \.isRegistration)
        guard case .register(let records, _, _, _)? = test.registration else {
            Issue.record("no second slice")
            return
        }
        #expect(Set(records.map(\.id.value)) == Set(late.dropFirst()))
        #expect(records.first { $0.id.value == late[1] }?.requestedStatus == .busy)
    }

    @Test func answersToAnEarlierRegistrationAreIgnored() throws {
        var test = MachineUnderTest.ready()
        test.connect(record("a", at: 1))
        test.answerAll()
        test.advance(by: DirectoryMachine.heartbeat)
        test.answer(.lease(isHeld: false, others: 0, ended: []))
        let earlier = try #require(test.registration)
        test.advance(by: DirectoryMachine.heartbeat)
        test.answer(.lease(isHeld: false, others: 0, ended: []), where: \.isRenewal)
        test.answer(.done) { $0 == earlier }
        #expect(test.marks.isEmpty)
        test.answerAll()
        #expect(test.machine.isSending)
    }

    @Test func aRefusedChangeIsRegisteredWithTheNextHeartbeat() {
        var test = MachineUnderTest.ready()
        test.connect(record("a", at: 1))
        test.answerAll()
        test.remove("a", of: alice)
        test.answer(.failed(.server(code: "OOM", message: "")))
        #expect(test.failures == 1)
        #expect(!test.machine.isSending)
        test.advance(by: DirectoryMachine.heartbeat)
        test.answer(.lease(isHeld: true, others: 0, ended: []))
        guard case .remove(SessionID("a"), alice, _)? = test.pending.first else {
            Issue.record("the removal is not sent again")
            return
        }
    }

    @Test func departuresWithoutRedisAreBounded() {
        var local = LocalPresence()
        for index in 0..<(LocalPresence.maximumDepartures + 10) {
            local.noteUnsentRemoval(of: SessionID("s\(index)"), alice)
            local.noteUnsent(RoomPlace(room: RoomID(unchecked: "r\(index)"), user: alice), isPresent: false)
        }
        let departures = local.takeDepartures()
        #expect(departures.sessions.count == LocalPresence.maximumDepartures)
        #expect(departures.places.count == LocalPresence.maximumDepartures)
    }

    /// A session of an earlier life of this instance, or one past the bound of departures.
    @Test func leftoversUnderThisInstancesNameAreRemoved() {
        var test = MachineUnderTest.ready()
        test.connect(record("a", at: 1))
        test.setPresent(alice, in: "den", true)
        test.answerAll()
        var isRead = false
        for _ in 1...8 where !isRead {
            test.advance(by: DirectoryMachine.heartbeat)
            test.answer(.lease(isHeld: true, others: 0, ended: []), where: \.isRenewal)
            isRead = test.pending.contains(.readInventory)
            if !isRead { test.answerAll() }
        }
        let den = RoomPlace(room: RoomID(unchecked: "den"), user: alice)
        let attic = RoomPlace(room: RoomID(unchecked: "attic"), user: bob)
        test.answer(
            .inventory(
                [StoredSession(id: SessionID("a"), user: alice), StoredSession(id: SessionID("old"), user: bob)],
                [den, attic]), where: { $0 == .readInventory })
        let removed = test.pending.compactMap { if case .remove(let id, _, _) = $0 { id.value } else { nil } }
        #expect(removed == ["old"])
        #expect(test.pending.contains(.setPresent(attic, false)))
        #expect(!test.pending.contains(.setPresent(den, false)))
    }

    // MARK: Dead instances

    @Test func anotherInstanceIsSweptOnlyAfterAFullPeriodOfTheOwnLease() {
        var test = MachineUnderTest()
        test.ended = [dead]
        test.connectionChanged(isUp: true)
        test.subscriptionChanged(isUp: true)
        let start = test.now
        while test.now < start + DirectoryMachine.lease {
            test.answerAll()
            #expect(!test.machine.mayJudge(at: test.now))
            test.advance(by: .milliseconds(500))
            #expect(test.sweeps.isEmpty, "\(test.now - start) ms after the first renewal")
        }
        while test.sweeps.isEmpty, test.now < start + DirectoryMachine.lease * 2 {
            let request = test.pending.first
            if request == nil { test.advance(by: .milliseconds(500)) }
            if request?.isSweep != true {
                test.answer(.lease(isHeld: true, others: 0, ended: [dead]), where: \.isRenewal)
            }
        }
        #expect(test.sweeps == [dead])
        test.answer(.swept(hasMore: true), where: \.isSweep)
        #expect(test.sweeps == [dead], "slice after slice")
        test.answer(.swept(hasMore: false), where: \.isSweep)
        #expect(test.sweeps.isEmpty)
    }

    @Test func aGapInTheOwnLeaseEndsASweep() {
        var test = MachineUnderTest.ready()
        test.live(for: DirectoryMachine.lease)
        test.advance(by: DirectoryMachine.heartbeat)
        test.answer(.lease(isHeld: true, others: 0, ended: [dead]), where: \.isRenewal)
        #expect(test.sweeps == [dead])
        // Redis answers nothing for a whole period.
        test.advance(by: DirectoryMachine.lease)
        test.answer(.swept(hasMore: true), where: \.isSweep)
        #expect(test.sweeps.isEmpty)
        // Nor does it continue at once when Redis answers again.
        test.answer(.lease(isHeld: true, others: 0, ended: [dead]), where: \.isRenewal)
        #expect(test.sweeps.isEmpty)
    }

    @Test func aLongSweepDoesNotDelayTheLease() {
        var test = MachineUnderTest.ready()
        test.live(for: DirectoryMachine.lease)
        test.advance(by: DirectoryMachine.heartbeat)
        test.answer(.lease(isHeld: true, others: 0, ended: [dead]), where: \.isRenewal)
        #expect(test.sweeps == [dead])
        test.advance(by: DirectoryMachine.heartbeat)
        #expect(test.renewals == 1)
        test.answer(.lease(isHeld: true, others: 0, ended: [dead]), where: \.isRenewal)
        #expect(test.sweeps == [dead], "one sweep at a time")
    }

    // MARK: Closing

    @Test func closingBesideOthersLeavesUsersToTheirGracePeriod() {
        var test = MachineUnderTest.ready()
        test.connect(record("a", at: 1))
        test.others = 1
        test.answerAll()
        test.clearEvents()
        test.input { machine, _ in machine.close() }
        #expect(test.pending == [.releaseLease])
        test.answerAll()
        #expect(test.timesClosed == 1)
        #expect(test.changes(of: alice).isEmpty)
        test.advance(by: .seconds(60))
        #expect(test.pending.isEmpty, "no renewal revives the lease")
    }

    @Test func theLastInstanceRemovesItsUsers() {
        var test = MachineUnderTest.ready()
        test.connect(record("a", at: 1))
        test.answerAll()
        test.clearEvents()
        test.input { machine, _ in machine.close() }
        test.answer(.lease(isHeld: true, others: 0, ended: []))
        test.answer(.swept(hasMore: true), where: \.isSweep)
        #expect(test.sweeps == [MachineUnderTest.instance])
        #expect(test.timesClosed == 0)
        test.answerAll()
        #expect(test.timesClosed == 1)
        #expect(test.changes(of: alice).map(\.actualStatus) == [.offline])
    }

    @Test func closingDoesNotNeedRedis() {
        var test = MachineUnderTest()
        test.input { machine, _ in machine.close() }
        test.answer(.failed(.unavailable(reason: "test")))
        #expect(test.timesClosed == 1)
        test.input { machine, _ in machine.close() }
        #expect(test.timesClosed == 2, "a second caller is answered too")
    }

    // MARK: Keys

    @Test func allKeysAreRenewedWithinHalfAnHour() {
        var test = MachineUnderTest.ready()
        let users = Set((0..<100_000).map { UserID(unchecked: "u\($0)") })
        var renewal = KeyRenewal()
        var renewed: Set<UserID> = []
        var largest = 0
        for _ in 1...720 {
            let slice = renewal.nextSlice(at: test.now, heartbeat: DirectoryMachine.heartbeat) { Array(users) }
            largest = max(largest, slice.count)
            renewed.formUnion(slice)
            test.advance(by: DirectoryMachine.heartbeat)
        }
        #expect(renewed == users)
        #expect(largest < 200, "in even slices")
    }
}
