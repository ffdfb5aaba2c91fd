import ChatDomain
import RedisLink
import Testing

@testable import PersistenceRedis

/// What the directory in Redis makes of news, marks and comparisons, on manual time and without Redis.
@Suite struct DirectoryNewsTests {
    private let alice = UserID(unchecked: "alice")
    private let bob = UserID(unchecked: "bob")

    private func presence(
        of user: UserID, _ status: PresenceStatus, sessions: Int = 1, seen: Int64 = 1
    ) -> UserPresence {
        UserPresence(
            user: RoomUser(userID: user, username: user.value), actualStatus: status,
            lastSeen: Timestamp(milliseconds: seen), sessions: sessions)
    }

    private func news(_ presence: UserPresence) -> PresenceCodec.News { .changed(presence, origin: InstanceID("i2")) }

    // MARK: Comparing

    private func reading(_ test: inout MachineUnderTest) {
        test.subscriptionChanged(isUp: true)
        test.answer(.lease(isHeld: true, others: 0, ended: []), where: \.isRenewal)
        #expect(test.reading != nil)
    }

    @Test func changesDuringAReadingAreNewerThanIt() {
        var test = MachineUnderTest.ready()
        test.live(for: DirectoryMachine.lease)
        reading(&test)
        let carol = UserID(unchecked: "carol")
        test.receive(news(presence(of: bob, .busy)))
        test.answer(.users([presence(of: alice, .online), presence(of: bob, .online)], next: "7"), where: \.isReading)
        test.receive(news(presence(of: alice, .offline, sessions: 0)))
        test.clearEvents()
        test.answer(.users([presence(of: carol, .online)], next: nil), where: \.isReading)
        test.answerAll()
        #expect(test.everybody.map(\.users) == [[bob, carol]])
        #expect(test.everybody.map(\.isComplete) == [true])
        guard case .everybody(let all, _)? = test.events.last else { return }
        #expect(all.first { $0.user.userID == bob }?.actualStatus == .busy)
    }

    /// The mark and the answer to its publication come over two connections.
    @Test(arguments: [true, false])
    func aComparisonEndsWithItsMarkAndTheAnswer(_ isMarkFirst: Bool) throws {
        var test = MachineUnderTest.ready()
        reading(&test)
        test.answer(.users([presence(of: alice, .online)], next: nil), where: \.isReading)
        let mark = try #require(test.marks.last)
        test.clearEvents()
        if isMarkFirst { test.receiveMark(mark) }
        #expect(test.everybody.isEmpty)
        test.answer(.published(listeners: 1)) { $0 == .publishMark(mark) }
        #expect(test.everybody.isEmpty == !isMarkFirst)
        if !isMarkFirst { test.receiveMark(mark) }
        #expect(test.everybody.map(\.users) == [[alice]])
    }

    @Test func aComparisonWhoseMarkIsLostBeginsAnew() {
        var test = MachineUnderTest.ready()
        test.returnsMarks = false
        reading(&test)
        test.clearEvents()
        test.live(for: .seconds(2))
        test.returnsMarks = true
        #expect(test.everybody.isEmpty)
        test.live(for: DirectoryMachine.heartbeat)
        #expect(test.everybody.count == 1)
    }

    @Test func aMarkWithoutAListenerEndsTheComparison() {
        var test = MachineUnderTest.ready()
        reading(&test)
        test.clearEvents()
        test.answer(.users([], next: nil), where: \.isReading)
        let mark = test.marks.last
        test.answer(.published(listeners: 0)) { $0 == mark.map { .publishMark($0) } }
        if let mark { test.receiveMark(mark) }
        #expect(test.everybody.isEmpty)
    }

    @Test func pagesOfAnEarlierReadingAreIgnored() {
        var test = MachineUnderTest.ready()
        reading(&test)
        let earlier = test.reading
        test.subscriptionChanged(isUp: false)
        reading(&test)
        test.clearEvents()
        test.answer(.users([presence(of: alice, .online)], next: nil)) { $0 == earlier }
        test.answerAll()
        #expect(test.everybody.map(\.users) == [[]])
    }

    @Test func anotherListenerUnderTheNameIsNoticedTheSecondTime() {
        var test = MachineUnderTest.ready()
        for expected in [false, true] {
            reading(&test)
            test.answer(.users([], next: nil), where: \.isReading)
            while test.pending.contains(where: \.isMark) { test.answer(.published(listeners: 2), where: \.isMark) }
            #expect(test.machine.isNameShared == expected)
        }
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
        test.receive(.changed(presence(of: alice, .online), origin: MachineUnderTest.instance))
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
        test.storedUsers = [presence(of: alice, .invisible)]
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
