import ChatDomain
import RedisLink
import Testing

@testable import PersistenceRedis

/// What the directory in Redis makes of news and marks, on manual time and without Redis.
@Suite struct DirectoryNewsTests {
    private let alice = UserID(unchecked: "alice")
    private let bob = UserID(unchecked: "bob")

    private func news(_ presence: UserPresence, version: Int64? = nil) -> PresenceCodec.News {
        .changed(
            PresenceStatement(presence: presence, version: version), before: .offline, origin: InstanceID("i2"))
    }

    @Test func anotherListenerUnderTheNameIsNoticedTheSecondTime() {
        var test = MachineUnderTest.ready()
        test.listeners = 2
        for expected in [false, true] {
            test.live(for: ContactMarks.countInterval + DirectoryMachine.heartbeat)
            #expect(test.machine.isNameShared == expected)
        }
        test.listeners = 1
        test.live(for: ContactMarks.countInterval + DirectoryMachine.heartbeat)
        #expect(!test.machine.isNameShared)
    }

    // MARK: News

    @Test func aStatusOnItsWayIsNewerThanNews() {
        var test = MachineUnderTest.ready()
        test.connect(record("a", at: 1))
        test.answerAll()
        test.update("a", of: alice, .requestedStatus(.busy))
        test.receive(news(presence(of: alice, .invisible)))
        #expect(test.machine.presence(of: alice)?.actualStatus == .busy)
        test.answerAll()
        test.receive(news(presence(of: alice, .invisible)))
        #expect(test.machine.presence(of: alice)?.actualStatus == .invisible, "hidden on another instance")
        test.receive(news(presence(of: alice, .away)))
        #expect(test.machine.presence(of: alice)?.actualStatus == .away, "shown again there")
    }

    @Test func aSessionTakesTheStatusThatOtherInstancesGiveIt() {
        var test = MachineUnderTest.ready()
        test.connect(record("a", at: 1), ticket: 7)
        test.answer(.connected(requestedStatus: .invisible, evicted: [record("old", on: "i2")]))
        #expect(test.machine.presence(of: alice)?.actualStatus == .invisible)
        #expect(test.completed == [7: [SessionID("old")]])
    }

    /// Redis has sessions there as they were before the connection broke.
    @Test func newsOfOldSessionsDuringARegistrationIsNotFollowed() {
        var test = MachineUnderTest.ready()
        for id in ["a", "b"] { test.connect(record(id, at: 1)) }
        test.answerAll()
        test.breakConnection()
        test.remove("b", of: alice)
        test.update("a", of: alice, .requestedStatus(.invisible))
        test.connectionChanged(isUp: true)
        test.answer(.lease(isHeld: true, others: 0, ended: []))
        test.receive(
            .changed(
                PresenceStatement(presence: presence(of: alice, .online), version: nil), before: .online,
                origin: MachineUnderTest.instance))
        #expect(test.machine.presence(of: alice)?.actualStatus == .invisible)
        test.answerAll()
        test.receive(news(presence(of: alice, .online)))
        #expect(test.machine.presence(of: alice)?.actualStatus == .online, "shown again elsewhere")
    }

    @Test func aUserHiddenElsewhereMeanwhileIsHiddenByTheComparison() {
        var test = MachineUnderTest.ready()
        test.connect(record("a", at: 1))
        test.answerAll()
        test.subscriptionChanged(isUp: false)
        test.storedUsers = [PresenceStatement(presence: presence(of: alice, .invisible), version: 1)]
        test.subscriptionChanged(isUp: true)
        test.answerAll()
        #expect(test.machine.presence(of: alice)?.actualStatus == .invisible)
    }

    @Test func aStatusRequestedBeforeTheAnswerToConnectStays() {
        var test = MachineUnderTest.ready()
        test.connect(record("a", at: 1))
        test.update("a", of: alice, .requestedStatus(.busy))
        test.answer(.connected(requestedStatus: .away, evicted: []))
        #expect(test.machine.presence(of: alice)?.actualStatus == .busy)
    }

    @Test func newsIsNotDeliveredWhileRedisCountsAsAway() {
        var test = MachineUnderTest.ready()
        test.breakConnection()
        test.clearEvents()
        test.receive(news(presence(of: bob, .online)))
        test.receive(.lost(InstanceID("dead")))
        #expect(test.events.isEmpty)
    }

    // MARK: Contact

    @Test func aMarkThatComesBackProvesContact() throws {
        var test = MachineUnderTest.ready()
        test.subscriptionChanged(isUp: false)
        test.subscriptionChanged(isUp: true)
        let began = test.now
        test.answer(.lease(isHeld: true, others: 0, ended: []), where: \.isRenewal)
        let mark = try #require(test.marks.first)
        #expect(!test.contact.vouches(for: test.now, at: test.now))
        test.advance(by: .seconds(1))
        test.receiveMark(mark)
        #expect(test.contact.vouches(for: test.now, at: test.now))
        #expect(!test.contact.vouches(for: began, at: test.now), "what was read before may have been missed")
        #expect(test.contact.until == began + Contact.validity, "from the begin of the renewal on")
        test.subscriptionChanged(isUp: false)
        #expect(!test.contact.vouches(for: test.now, at: test.now))
        test.receiveMark(mark)
        #expect(!test.contact.vouches(for: test.now, at: test.now))
    }
}
