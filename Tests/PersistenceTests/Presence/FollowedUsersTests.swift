import ChatDomain
import RedisLink
import Testing

@testable import PersistenceRedis

/// Which users' presence an instance keeps, and what it takes for new, on manual time and without Redis.
@Suite struct FollowedUsersTests {
    private let alice = UserID(unchecked: "alice")
    private let bob = UserID(unchecked: "bob")
    private let carol = UserID(unchecked: "carol")

    private func statement(_ user: UserID, _ status: PresenceStatus, _ version: Int64?) -> PresenceStatement {
        PresenceStatement(presence: presence(of: user, status, sessions: status == .offline ? 0 : 1), version: version)
    }

    private func news(
        _ user: UserID, _ status: PresenceStatus, _ version: Int64?, before: PresenceStatus? = .offline
    ) -> PresenceCodec.News {
        .changed(statement(user, status, version), before: before, origin: InstanceID("i2"))
    }

    /// What the board holds of a user by all events.
    private func status(of user: UserID, _ test: MachineUnderTest) -> PresenceStatus? {
        test.events.reduce(into: PresenceBoard()) { $0.take($1) }.presence(of: user)?.actualStatus
    }

    /// An instance that may judge, and that follows bob.
    private func following() -> MachineUnderTest {
        var test = MachineUnderTest.ready()
        test.live(for: DirectoryMachine.lease)
        test.follow(bob)
        return test
    }

    // MARK: Comparing

    @Test func whatDidNotChangeIsNotComparedAgain() {
        var test = following()
        test.receive(news(bob, .busy, 5))
        test.storedUsers = [statement(bob, .busy, 5)]
        test.clearEvents()
        test.live(for: FollowedUsers.interval * 2)
        #expect(test.compared.isEmpty)
        test.storedUsers = [statement(bob, .away, 6)]
        test.live(for: FollowedUsers.interval + .seconds(3))
        #expect(test.compared.map(\.actualStatus) == [.away])
    }

    /// News of a registration says what Redis made of it, and is not followed by the sessions here. The comparison is.
    @Test func whatARegistrationChangedIsComparedOnceMore() {
        var test = MachineUnderTest.ready()
        test.connect(record("a", at: 1))
        test.answerAll()
        test.breakConnection()
        test.connectionChanged(isUp: true)
        while test.registration == nil, let request = test.pending.first {
            test.answer(.lease(isHeld: true, others: 0, ended: [])) { $0 == request }
        }
        test.receive(.changed(statement(alice, .invisible, 5), before: .online, origin: MachineUnderTest.instance))
        #expect(test.machine.presence(of: alice)?.actualStatus == .online)
        test.storedUsers = [statement(alice, .invisible, 5)]
        test.live(for: FollowedUsers.interval)
        #expect(test.machine.presence(of: alice)?.actualStatus == .invisible)
    }

    // MARK: Which users are kept

    @Test func onlyFollowedUsersAndThoseWithSessionsAreKept() {
        var test = following()
        test.connect(record("a", at: 1))
        test.answerAll()
        for user in [alice, bob, carol] { test.receive(news(user, .busy, 5)) }
        #expect(test.changes(of: alice).count == 1 && test.changes(of: bob).count == 1)
        #expect(test.changes(of: carol).isEmpty && test.passed(of: carol).count == 1)
        #expect(test.machine.keptUsers == 2)
    }

    /// The bound: what is kept follows what clients here ask for, however many users there are elsewhere.
    @Test func whatIsKeptDoesNotGrowWithUsersElsewhere() {
        var test = MachineUnderTest.ready()
        var board = PresenceBoard()
        let watched = (0..<100).map { UserID(unchecked: "u\($0)") }
        test.input { machine, _ in machine.follow(watched) }
        test.answerAll()
        for event in test.events { board.take(event) }
        for number in 0..<100_000 {
            test.clearEvents()
            test.receive(news(UserID(unchecked: "u\(number)"), .online, Int64(number + 2)))
            for event in test.events { board.take(event) }
        }
        #expect(test.machine.keptUsers == 100 && board.count == 100)
        #expect(watched.allSatisfy { board.presence(of: $0) != nil })
        test.clearEvents()
        test.input { machine, _ in machine.unfollow(watched) }
        for event in test.events { board.take(event) }
        #expect(test.machine.keptUsers == 0 && board.count == 0)
    }

    @Test func followersAreCounted() {
        var test = following()
        test.follow(bob)
        test.answerAll()
        test.unfollow(bob)
        #expect(test.forgotten.isEmpty)
        test.unfollow(bob)
        #expect(test.forgotten == [bob])
        test.unfollow(bob)
        #expect(test.forgotten == [bob] && test.machine.keptUsers == 0)
    }

    @Test func aUserWhoseLastSessionHereEndsIsForgotten() {
        var test = MachineUnderTest.ready()
        for id in ["a", "b"] { test.connect(record(id, at: 1)) }
        test.answerAll()
        test.remove("a", of: alice)
        #expect(test.forgotten.isEmpty)
        test.remove("b", of: alice)
        #expect(test.forgotten == [alice])
        test.receive(news(alice, .offline, 9, before: .online))
        #expect(test.passed(of: alice).map(\.actualStatus) == [.offline])
    }

    // MARK: Asking

    @Test func usersAreAskedAboutTogetherWhileAnAnswerIsOnItsWay() {
        var test = following()
        #expect(test.asked == [bob])
        test.follow(alice)
        test.follow(carol)
        #expect(test.asked == [bob])
        test.answer(.users([], at: 1, next: nil), where: \.isQuestion)
        #expect(test.asked == [alice, carol])
        test.answerAll()
        test.follow(alice, bob, carol)
        #expect(test.question == nil, "all are known")
    }

    @Test func aLongListIsAskedForInParts() {
        var test = MachineUnderTest.ready()
        let users = (0..<(FollowedUsers.usersAtOnce + 10)).map { UserID(unchecked: "u\($0)") }
        test.input { machine, _ in machine.follow(users) }
        #expect(test.asked.count == FollowedUsers.usersAtOnce)
        test.answer(.users([], at: 1, next: nil), where: \.isQuestion)
        #expect(test.asked.count == 10)
    }

    @Test func aConnectionsAnswerSaysHowItsUserStands() {
        var test = MachineUnderTest.ready()
        test.connect(record("a", at: 1))
        test.load(alice, ticket: 1)
        #expect(test.question == nil && test.loaded.isEmpty)
        let answer = DirectoryAnswer.connected(
            requestedStatus: .invisible, presence: statement(alice, .invisible, 7), evicted: [])
        test.answer(answer) { if case .connect = $0 { true } else { false } }
        #expect(test.loaded == [1] && test.learned.map(\.actualStatus) == [.invisible])
        #expect(test.machine.presence(of: alice)?.actualStatus == .invisible)
        test.receive(news(alice, .invisible, 7))
        #expect(test.changes(of: alice).isEmpty && test.passed(of: alice).count == 1, "that was in the answer")
        test.receive(news(alice, .busy, 8, before: .invisible))
        #expect(test.changes(of: alice).map(\.actualStatus) == [.busy])
    }

    @Test func newsBeforeAConnectionsAnswerIsTheFirstChange() {
        var test = MachineUnderTest.ready()
        test.connect(record("a", at: 1))
        test.load(alice, ticket: 1)
        test.receive(news(alice, .online, 7))
        #expect(test.changes(of: alice).map(\.actualStatus) == [.online])
        test.answer(.connected(requestedStatus: .online, presence: statement(alice, .online, 7), evicted: []))
        #expect(test.loaded == [1] && test.learned.isEmpty)
    }

    /// A watcher that came before Redis was there believes the user to be offline.
    @Test func theAnswerToAConnectionDoesNotHideAChangeFromWatchers() {
        var test = MachineUnderTest()
        test.follow(alice)
        test.connectionChanged(isUp: true)
        test.subscriptionChanged(isUp: true)
        test.answer(.lease(isHeld: true, others: 0, ended: []), where: \.isRenewal)
        #expect(test.asked == [alice])
        test.connect(record("a", at: 1))
        let answer = DirectoryAnswer.connected(
            requestedStatus: .online, presence: statement(alice, .online, 7), evicted: [])
        test.answer(answer) { if case .connect = $0 { true } else { false } }
        #expect(test.learned.isEmpty)
        test.receive(news(alice, .online, 7))
        #expect(test.changes(of: alice).map(\.actualStatus) == [.online])
    }

    @Test func redisIsAskedWhereAConnectionsAnswerCannotBeRead() {
        var test = MachineUnderTest.ready()
        test.connect(record("a", at: 1))
        test.load(alice, ticket: 1)
        test.answer(.connected(requestedStatus: .online, evicted: []))
        #expect(test.asked == [alice] && test.loaded.isEmpty)
        test.answer(.users([statement(alice, .online, 1)], at: 1, next: nil), where: \.isQuestion)
        #expect(test.loaded == [1] && test.learned.count == 1)
    }

    @Test func whoWaitsForAConnectionDoesNotWaitForRedis() {
        var test = MachineUnderTest.ready()
        test.connect(record("a", at: 1))
        test.load(alice, ticket: 1)
        test.breakConnection()
        #expect(test.loaded == [1])
        test.load(alice, ticket: 2)
        #expect(test.loaded == [1, 2])
    }

    /// The bound: nothing is left of a user that went before the answer came.
    @Test func anAnswerForAUserThatIsGoneIsPassedOver() {
        var test = MachineUnderTest.ready()
        test.connect(record("a", at: 1))
        test.load(alice, ticket: 1)
        test.remove("a", of: alice)
        test.answer(.connected(requestedStatus: .online, presence: statement(alice, .online, 7), evicted: []))
        #expect(test.loaded == [1] && test.learned.isEmpty && test.machine.keptUsers == 0)
    }

    @Test func loadingEndsWithTheAnswer() {
        var test = following()
        test.load(bob, ticket: 1)
        test.follow(carol)
        test.load(bob, carol, ticket: 2)
        #expect(test.loaded.isEmpty)
        test.answer(.users([statement(bob, .busy, 1)], at: 1, next: nil), where: \.isQuestion)
        #expect(test.loaded == [1] && test.learned.map(\.actualStatus) == [.busy])
        test.answer(.users([], at: 1, next: nil), where: \.isQuestion)
        #expect(test.loaded == [1, 2])
        test.load(bob, alice, ticket: 3)
        #expect(test.loaded.contains(3), "one is known, the other is not kept")
    }

    @Test(arguments: [true, false])
    func loadingDoesNotWaitForRedis(_ breaks: Bool) {
        var test = following()
        if breaks {
            test.load(bob, ticket: 1)
            test.breakConnection()
        } else {
            test.breakConnection()
            test.load(bob, ticket: 1)
        }
        #expect(test.loaded == [1])
        test.connectionChanged(isUp: true)
        test.storedUsers = [statement(bob, .busy, 1)]
        test.answerAll()
        #expect(status(of: bob, test) == .busy)
    }

    @Test func aRefusedQuestionIsAskedAgainWithTheNextHeartbeat() {
        var test = following()
        test.load(bob, ticket: 1)
        test.answer(.malformed, where: \.isQuestion)
        #expect(test.loaded == [1] && test.machine.isSending)
        test.storedUsers = [statement(bob, .busy, 1)]
        test.live(for: DirectoryMachine.heartbeat)
        #expect(status(of: bob, test) == .busy)
    }

    // MARK: What is new

    @Test func anAnswerIsOlderThanNewsThatCameMeanwhile() {
        var test = following()
        test.receive(news(bob, .busy, 5, before: .online))
        test.answer(.users([statement(bob, .online, 4)], at: 9, next: nil), where: \.isQuestion)
        #expect(status(of: bob, test) == .busy && test.learned.isEmpty && test.compared.isEmpty)
        guard case .changed(_, isFirst: true)? = test.events.last else {
            Issue.record("\(String(describing: test.events.last)) is not the first news")
            return
        }
    }

    @Test func anAnswerThatIsNewerThanNewsIsTaken() {
        var test = following()
        test.receive(news(bob, .busy, 5))
        test.answer(.users([], at: 9, next: nil), where: \.isQuestion)
        #expect(status(of: bob, test) == nil)
        // What comes late is of before.
        test.receive(news(bob, .away, 7))
        #expect(status(of: bob, test) == nil && test.passed(of: bob).count == 1)
        test.receive(news(bob, .online, 10))
        #expect(status(of: bob, test) == .online)
    }

    @Test func doubledNewsIsNoNews() {
        var test = following()
        test.answerAll()
        for version: Int64 in [5, 6, 5, 6] { test.receive(news(bob, version == 5 ? .online : .busy, version)) }
        #expect(test.changes(of: bob).map(\.actualStatus) == [.online, .busy])
    }

    @Test func aClockThatWasSetBackIsMadeUpForByTheNextRound() {
        var test = following()
        test.storedUsers = [statement(bob, .busy, 1_000)]
        test.answerAll()
        test.receive(news(bob, .away, 10))
        #expect(status(of: bob, test) == .busy)
        test.storedUsers = [statement(bob, .away, 10)]
        test.live(for: FollowedUsers.interval + DirectoryMachine.heartbeat)
        #expect(status(of: bob, test) == .away)
        test.receive(news(bob, .online, 11))
        #expect(status(of: bob, test) == .online)
    }

    @Test func newsOfAnEarlierVersionOfTheServiceIsTaken() {
        var test = following()
        test.storedUsers = [statement(bob, .busy, 1_000)]
        test.answerAll()
        test.receive(news(bob, .away, nil, before: nil))
        test.receive(news(bob, .online, 1_001))
        #expect(test.changes(of: bob).map(\.actualStatus) == [.away, .online])
    }

    @Test func aUserThatRedisLacksIsGoneOnceThisInstanceMayJudge() {
        var test = MachineUnderTest.ready()
        test.storedUsers = [statement(bob, .busy, 1)]
        test.follow(bob)
        test.answerAll()
        #expect(!test.machine.mayJudge(at: test.now))
        test.storedUsers = []
        test.subscriptionChanged(isUp: false)
        test.subscriptionChanged(isUp: true)
        test.live(for: .seconds(5))
        #expect(status(of: bob, test) == .busy, "another instance may be registering again")
        test.live(for: DirectoryMachine.lease)
        #expect(status(of: bob, test) == nil)
    }

    @Test func allAreAskedAboutAgainAfterNewsWasMissed() {
        var test = following()
        test.storedUsers = [statement(bob, .busy, 1)]
        test.answerAll()
        test.subscriptionChanged(isUp: false)
        test.storedUsers = [statement(bob, .away, 2)]
        test.subscriptionChanged(isUp: true)
        test.answerAll()
        #expect(test.compared.last?.actualStatus == .away)
    }

    // MARK: Everybody

    @Test func everybodyIsReadInPagesAndThenFollowed() {
        var test = following()
        test.answerAll()
        test.followEverybody()
        test.answer(.users([statement(alice, .online, 2)], at: 5, next: "7"), where: \.isQuestion)
        test.receive(news(alice, .offline, 6, before: .online))
        test.answer(.users([statement(carol, .busy, 3)], at: 7, next: nil), where: \.isQuestion)
        #expect(test.question == nil)
        #expect(status(of: alice, test) == nil && status(of: carol, test) == .busy)
        #expect(test.machine.keptUsers == 2, "bob is followed, and carol present")
        // A user that is not kept was gone when everybody was read.
        test.receive(news(alice, .busy, 4))
        #expect(status(of: alice, test) == nil)
        test.receive(news(alice, .busy, 8))
        #expect(status(of: alice, test) == .busy)
    }

    @Test func aRoundFindsChangesThatNewsMissed() {
        var test = following()
        test.storedUsers = [statement(alice, .online, 1)]
        test.followEverybody()
        test.answerAll()
        #expect(test.learned.map(\.user.userID).contains(alice))
        test.clearEvents()
        test.storedUsers = [statement(carol, .busy, 2)]
        test.live(for: FollowedUsers.interval + DirectoryMachine.heartbeat)
        let found = test.compared.reduce(into: [:]) { $0[$1.user.userID] = $1.actualStatus }
        #expect(found[alice] == .offline && found[carol] == .busy)
        #expect(test.forgotten == [alice])
    }

    @Test func everybodyIsForgottenAWhileAfterTheLastWatcher() {
        var test = following()
        test.storedUsers = [statement(alice, .online, 1), statement(bob, .online, 1)]
        test.followEverybody()
        test.answerAll()
        test.unfollowEverybody()
        test.live(for: .seconds(10))
        #expect(test.machine.keptUsers == 2)
        test.followEverybody()
        test.live(for: .seconds(60))
        #expect(test.machine.keptUsers == 2, "a client watches everybody again")
        test.unfollowEverybody()
        test.live(for: FollowedUsers.everybodyKeptFor + DirectoryMachine.heartbeat)
        #expect(test.forgotten == [alice] && test.machine.keptUsers == 1)
    }

    @Test func aPageOfAnEarlierReadingIsIgnored() {
        var test = following()
        test.answerAll()
        test.followEverybody()
        let earlier = test.question
        test.subscriptionChanged(isUp: false)
        test.subscriptionChanged(isUp: true)
        test.answer(.lease(isHeld: true, others: 0, ended: []), where: \.isRenewal)
        test.answer(.users([statement(alice, .online, 1)], at: 1, next: "7")) { $0 == earlier }
        test.answerAll()
        #expect(status(of: alice, test) == nil)
    }
}
