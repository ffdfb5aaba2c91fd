import ChatDomain
import ChatProtocol
import ChatTestSupport
import Identity
import JSON
import PersistenceInProcess
import TestSupport
import Testing

@testable import ChatCore

/// `RecoverySession`: a session that breaks off is kept, and its return, on this instance or another.
@Suite struct RecoverySessionTests {
    private func setup(instances: Int = 1) -> ChatSetup {
        ChatSetup(instances: instances, recovery: InProcessRecovery { moment(0) })
    }

    private func offset(_ number: SequenceNumber, in name: String = "lobby") -> MessageOffset {
        MessageOffset(room: room(name), number: number)
    }

    private func send(
        _ texts: String..., by client: TestClient, in name: String = "lobby", _ chat: ChatUnderTest
    ) async {
        for text in texts {
            client.send("send_message", #"{"roomId":"\#(name)","message":"\#(text)"}"#)
            await chat.runUntilQuiet()
        }
    }

    /// The client's connection breaks.
    ///
    /// - Returns: the session that is kept of it.
    private func breakOff(_ client: TestClient) throws -> RecoverableSession {
        let kept = try #require(client.session.recovery.recoverable())
        client.hangUp()
        return kept
    }

    /// Ann breaks off from the lobby after Bob sent these messages there.
    ///
    /// - Returns: the session that is kept of Ann's, and Bob's client.
    private func breakOffAnn(
        after texts: [String], _ chat: ChatUnderTest
    ) async throws -> (kept: RecoverableSession, bob: TestClient) {
        let ann = await chat.client("ann", in: "lobby")
        let bob = await chat.client("bob", in: "lobby")
        for text in texts { await send(text, by: bob, chat) }
        return (try breakOff(ann), bob)
    }

    /// A new connection takes the session up again, having seen `offset`.
    ///
    /// - Returns: the client, and whether everything that was missed came.
    private func comeBack(
        to kept: RecoverableSession, from offset: MessageOffset, on instance: Int = 0, shard: Int = 0,
        _ chat: ChatUnderTest
    ) async throws -> (client: TestClient, isWhole: Bool?) {
        let seen = try #require(kept.seen(upTo: offset))
        let client = await chat.client(nil, on: instance, shard: shard, id: kept.id)
        client.session.adopt(try #require(kept.identity(at: chat.clock.now.wall)))
        var outcome: Bool?
        client.session.recovery.rejoin(seen, sent: kept.sent(upTo: offset)) { outcome = $0 }
        #expect(client.session.recovery.isRejoining == (outcome == nil))
        await chat.runUntilQuiet()
        return (client, outcome)
    }

    @Test(arguments: [0, 1]) func missedEventsComeAsTheyWouldHaveCome(_ instance: Int) async throws {
        try await ChatUnderTest.serve(setup(instances: 2)) { chat in
            let (kept, bob) = try await breakOffAnn(after: ["one", "two", "three"], chat)
            #expect(kept.newest == [room("lobby"): 3])
            await send("four", by: bob, chat)
            // The client took "one" and nothing behind it.
            let (again, isWhole) = try await comeBack(to: kept, from: offset(1), on: instance, chat)
            #expect(isWhole == true)
            #expect(again.messages == ["two", "three", "four"])
            #expect(again.session.identity?.userID == user("ann"))
            await send("five", by: bob, chat)
            #expect(again.messages.last == "five" && again.session.rooms.contains(room("lobby")))
            #expect(bob.channel.events("user_left").isEmpty)
        }
    }

    @Test func allRoomsAreEnteredAgain() async throws {
        try await ChatUnderTest.serve(setup()) { chat in
            let ann = await chat.client("ann", in: "room-0")
            let bob = await chat.client("bob", in: "room-0")
            for number in 1..<10 {
                for client in [ann, bob] { client.send("join_room", #"{"roomId":"room-\#(number)"}"#) }
                await chat.runUntilQuiet()
            }
            await send("seen", by: bob, in: "room-0", chat)
            let kept = try breakOff(ann)
            for number in 0..<10 { await send("missed \(number)", by: bob, in: "room-\(number)", chat) }
            let (again, isWhole) = try await comeBack(to: kept, from: offset(1, in: "room-0"), chat)
            #expect(isWhole == true)
            #expect(Set(again.messages) == Set((0..<10).map { "missed \($0)" }) && again.messages.count == 10)
            #expect(Set(again.session.rooms).count == 10)
        }
    }

    enum Obstacle: CaseIterable {
        /// The client missed more than is replayed.
        case tooManyMessages
        case failingStore
    }

    @Test(arguments: Obstacle.allCases) func aClientThatCannotGetAllItMissedStartsOver(
        _ obstacle: Obstacle
    ) async throws {
        try await ChatUnderTest.serve(setup()) { chat in
            let (kept, bob) = try await breakOffAnn(after: ["seen"], chat)
            bob.hangUp()
            await chat.advance(by: .seconds(60))
            switch obstacle {
            case .tooManyMessages: try await chat.store.fill("lobby", count: Int(HistoryRequest.replayLimit) + 1)
            case .failingStore: chat.store.setReads(.fails)
            }
            let (_, isWhole) = try await comeBack(to: kept, from: offset(1), chat)
            #expect(isWhole == false)
        }
    }

    @Test func aClientThatMayNoLongerEnterARoomStartsOver() async throws {
        try await ChatUnderTest.serve(setup()) { chat in
            let (kept, _) = try await breakOffAnn(after: ["seen"], chat)
            let revision = RoomRevision(isPrivate: true)
            try await chat.change("lobby", .expelled(user("ann"))) {
                _ = try await $0.revise($1, revision, at: stamp(1))
                _ = try await $0.remove(user("ann"), from: $1)
            }
            chat.services.applyHere(room("lobby"), .revised(revision, at: stamp(1)))
            await chat.runUntilQuiet()
            let (again, isWhole) = try await comeBack(to: kept, from: offset(1), chat)
            #expect(isWhole == false && !again.session.recovery.isRejoining)
            #expect(!again.session.rooms.contains(room("lobby")))
        }
    }

    // MARK: Kept sessions

    @Test func aSessionThatCannotBeRepeatedIsNotKept() async throws {
        try await ChatUnderTest.serve(setup()) { chat in
            let unnamed = await chat.client(nil)
            #expect(unnamed.session.recovery.recoverable() == nil)
            let ann = await chat.client("ann", in: "lobby")
            #expect(ann.session.recovery.recoverable() != nil)
            // A join under way: the client cannot know whether it is in.
            chat.store.setReads(.holds)
            ann.send("join_room", #"{"roomId":"other"}"#)
            #expect(await chat.run { chat.store.heldReads == 1 })
            #expect(ann.session.recovery.recoverable() == nil)
            chat.store.setReads(.works)
            chat.store.release()
            await chat.runUntilQuiet()
            #expect(ann.session.recovery.recoverable()?.newest.count == 2)
            // Changes of presence are not repeated.
            ann.send("subscribe_presence", #"{"all":true}"#)
            await chat.runUntilQuiet()
            #expect(ann.session.recovery.recoverable() == nil)
            ann.send("unsubscribe_presence")
            await chat.runUntilQuiet()
            #expect(ann.session.recovery.recoverable() != nil)
        }
    }

    @Test func behindADirectMessageNothingBeforeItCanBeRecovered() async throws {
        try await ChatUnderTest.serve(setup()) { chat in
            let ann = await chat.client("ann", in: "lobby")
            let bob = await chat.client("bob", in: "lobby")
            await send("one", by: bob, chat)
            _ = await chat.services.sendDirect(OutgoingMessage(text: "psst"), from: user("bob"), to: [user("ann")])
            await send("two", by: bob, chat)
            let kept = try breakOff(ann)
            #expect(ann.channel.events("message").map { $0["message"]?.string } == ["psst"])
            #expect(kept.seen(upTo: offset(1)) == nil)
            #expect(kept.seen(upTo: offset(2)) == [room("lobby"): 2])
        }
    }

    @Test func aClientThatComesBackTwiceMissesNothing() async throws {
        try await ChatUnderTest.serve(setup()) { chat in
            let (first, bob) = try await breakOffAnn(after: ["one", "two"], chat)
            await send("three", by: bob, chat)
            let (again, _) = try await comeBack(to: first, from: offset(1), chat)
            #expect(again.messages == ["two", "three"])
            // It breaks off before the client took any of that.
            let second = try breakOff(again)
            let (last, isWhole) = try await comeBack(to: second, from: offset(1), chat)
            #expect(isWhole == true && last.messages == ["two", "three"])
        }
    }

    @Test func aSessionWhoseTokenExpiredIsNotRecovered() {
        var kept = RecoverableSession(
            id: SessionID("s"), user: RoomUser(userID: user("ann"), username: "Ann"),
            profile: Profile(name: "Ann A", email: "a@b.test", avatar: "a.png"), isVerified: true,
            isUsernameVerified: true, tokenExpiresAt: stamp(1000), newest: [:], sent: [])
        #expect(kept.identity(at: stamp(1000)) == nil)
        let identity = kept.identity(at: stamp(999))
        #expect(identity?.username == "Ann" && identity?.isVerified == true && identity?.profile == kept.profile)
        #expect(identity?.expiresAt == stamp(1000) && identity?.isUsernameVerified == true)
        kept.tokenExpiresAt = nil
        #expect(kept.identity(at: stamp(1_000_000))?.expiresAt == nil)
    }

    // MARK: An old connection that is still open

    @Test(arguments: [0, 1]) func theOldConnectionIsEndedFirst(_ instance: Int) async throws {
        try await ChatUnderTest.serve(setup(instances: 2)) { chat async throws in
            let ann = await chat.client("ann", in: "lobby")
            let pid = RecoveryPID.random()
            let recovery = try #require(chat.services.recovery)
            recovery.opened(pid.key, at: ann.session.address)
            let services = chat.instances[instance].services
            let found = CallbackLog<RecoverableSession?>()
            Task { found.add(await services.recover(pid.key)) }
            #expect(await chat.run { ann.channel.closed != nil })
            #expect(ann.channel.closed?.code == .restart && found.entries.isEmpty)
            // As a channel does once it is closed.
            let kept = ann.session.recovery.recoverable()
            ann.hangUp()
            recovery.closed(pid.key, keeping: kept)
            #expect(await chat.run { !found.entries.isEmpty })
            #expect(found.entries == [kept] && kept != nil)
        }
    }
}
