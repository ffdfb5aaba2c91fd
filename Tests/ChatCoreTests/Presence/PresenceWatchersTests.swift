import ChatDomain
import ChatTestSupport
import JSON
import Testing

@testable import ChatCore

/// What sessions that watch presence are sent, and when: `PresenceWatchers`, `RoomWatches`, `RoomWatchers` and `PresenceSession` on
/// manual time.
@Suite struct PresenceWatchersTests {
    private static func forFriendsOnly(_ configuration: inout ChatConfiguration) {
        configuration.presence.isForFriendsOnly = true
    }

    /// Users and statuses of the changes a client was sent.
    private func changes(_ client: TestClient) -> [String] {
        client.channel.events("user_status_change").map {
            "\($0["userId"]?.string ?? "?") \($0["status"]?.string ?? "?")"
        }
    }

    @Test func anEdgeOfANamedUserIsSentAtOnce() async throws {
        try await ChatUnderTest.serve { chat in
            let ann = await chat.client("ann")
            ann.send("subscribe_presence", #"{"userIds":["bob"]}"#, id: 1)
            await chat.runUntilQuiet()
            #expect(ann.answer(1)?.success == true)
            let snapshot = ann.channel.events("presence_snapshot").first?["users"].strings("status")
            #expect(snapshot == ["offline"])
            let bob = await chat.client("bob")
            _ = await chat.client("cleo")
            #expect(changes(ann) == ["bob online"])
            bob.send("set_status", #"{"status":"busy"}"#)
            await chat.runUntilQuiet()
            #expect(changes(ann) == ["bob online", "bob busy"])
            ann.send("unsubscribe_presence", #"{"userIds":["bob"]}"#)
            bob.send("set_status", #"{"status":"away"}"#)
            await chat.runUntilQuiet()
            #expect(changes(ann).count == 2)
        }
    }

    @Test func edgesOfEverybodyAreGatheredForAQuarterOfASecond() async throws {
        try await ChatUnderTest.serve { chat in
            let ann = await chat.client("ann")
            ann.send("subscribe_presence", #"{"all":true}"#)
            await chat.advance(by: .seconds(1))
            ann.channel.forget()
            let bob = await chat.client("bob")
            bob.send("set_status", #"{"status":"busy"}"#)
            await chat.advance(by: .milliseconds(249))
            #expect(changes(ann).isEmpty)
            await chat.advance(by: .milliseconds(1))
            #expect(changes(ann) == ["bob busy"], "one change a user, the last")
            // A status that returns to its old value is no change.
            bob.send("set_status", #"{"status":"away"}"#)
            bob.send("set_status", #"{"status":"busy"}"#)
            await chat.advance(by: .seconds(1))
            #expect(changes(ann) == ["bob busy"])
            #expect(ann.channel.frames.last?.isDroppable == true)
        }
    }

    @Test func trackersGetTheListAtMostOnceASecond() async throws {
        try await ChatUnderTest.serve { chat in
            let ann = await chat.client("ann")
            ann.send("user_online", #"{"userId":"ann"}"#)
            await chat.advance(by: .seconds(2))
            ann.channel.forget()
            for number in 0..<5 {
                _ = await chat.client("user\(number)")
                await chat.advance(by: .milliseconds(100))
            }
            #expect(ann.channel.events("online_users_list").isEmpty)
            #expect(ann.channel.events("user_online").count >= 2)
            await chat.advance(by: .milliseconds(500))
            let lists = ann.channel.events("online_users_list")
            #expect(lists.count == 1 && lists[0]["count"]?.integer == 6)
            await chat.advance(by: .seconds(10))
            #expect(ann.channel.events("online_users_list").count == 1)
        }
    }

    @Test func noOtherUserSeesAHiddenUser() async throws {
        try await ChatUnderTest.serve { chat in
            let ann = await chat.client("ann", in: "lobby")
            let bob = await chat.client("bob", in: "lobby")
            let phone = await chat.client("bob")
            ann.send("user_online", #"{"userId":"ann"}"#)
            phone.send("subscribe_presence", #"{"userIds":["bob"]}"#)
            await chat.advance(by: .seconds(2))
            ann.channel.forget()
            phone.channel.forget()
            bob.send("set_status", #"{"status":"invisible"}"#)
            await chat.advance(by: .seconds(2))
            #expect(changes(ann) == ["bob offline"])
            #expect(changes(phone) == ["bob invisible"], "their own devices know better")
            #expect(ann.channel.events("user_left").map { $0["userId"]?.string } == ["bob"])
            #expect(ann.channel.events("online_users_list").last?["count"]?.integer == 1)
            ann.channel.forget()
            // What a hidden user does in presence leaves no trace.
            phone.hangUp()
            await chat.advance(by: .seconds(10))
            #expect(ann.channel.frames.isEmpty)
            bob.send("set_status", #"{"status":"online"}"#)
            await chat.advance(by: .seconds(2))
            #expect(changes(ann) == ["bob online"])
            #expect(ann.channel.events("user_joined").map { $0["userId"]?.string } == ["bob"])
        }
    }

    // MARK: What an instance keeps

    @Test func anInstanceKeepsOnlyUsersThatItsClientsWatch() async throws {
        try await ChatUnderTest.serve(ChatSetup(instances: 2)) { chat in
            let (near, far) = (chat.instances[0], chat.instances[1])
            for number in 0..<20 { _ = await chat.client("user\(number)", on: 1) }
            let ann = await chat.client("ann")
            #expect(near.services.presence.keptUsers == 1, "ann, who has a session here")
            ann.send("subscribe_presence", #"{"userIds":["user3","user5","gone"]}"#)
            await chat.runUntilQuiet()
            #expect(near.services.presence.keptUsers == 4)
            let shown = ann.channel.events("presence_snapshot").first?["users"].strings("status")
            #expect(shown == ["online", "online", "offline"])
            let bob = await chat.client("bob")
            bob.send("subscribe_presence", #"{"userIds":["user3"]}"#)
            ann.send("unsubscribe_presence")
            await chat.runUntilQuiet()
            #expect(chat.directory.followed(by: near.id) == 2, "user3, and bob's own changes")
            #expect(near.services.presence.keptUsers == 3)
            bob.hangUp()
            await chat.advance(by: .seconds(6))
            #expect(chat.directory.followed(by: near.id) == 0 && near.services.presence.keptUsers == 1)
            #expect(far.services.presence.keptUsers == 20)
        }
    }

    @Test func listsAndChecksReachUsersThatAreNotKept() async throws {
        try await ChatUnderTest.serve(ChatSetup(instances: 2)) { chat in
            for name in ["bob", "cleo"] { _ = await chat.client(name, on: 1) }
            let ann = await chat.client("ann")
            ann.send("get_online_count", id: 1)
            ann.send("check_user_status", #"{"targetUserId":"cleo"}"#, id: 2)
            ann.send("get_all_online_users", id: 3)
            await chat.runUntilQuiet()
            #expect(ann.answer(1)?.data["count"]?.integer == 3)
            #expect(ann.answer(2)?.data["status"]?.string == "online")
            #expect(ann.answer(3) != nil)
            #expect(chat.services.presence.keptUsers == 1)
        }
    }

    /// Where only friends are visible, an instance keeps friends for a client that watches everybody.
    @Test func everybodyIsTheFriendsWhereOnlyTheyAreVisible() async throws {
        let setup = ChatSetup(instances: 2, configuration: Self.forFriendsOnly)
        try await ChatUnderTest.serve(setup) { chat in
            try await chat.store.befriend(user("ann"), user("bob"))
            for name in ["bob", "cleo", "dan"] { _ = await chat.client(name, on: 1) }
            let ann = await chat.client("ann")
            ann.send("subscribe_presence", #"{"all":true}"#)
            await chat.runUntilQuiet()
            #expect(chat.directory.followed(by: chat.instances[0].id) == 2, "ann and bob")
        }
    }

    // MARK: Friends only

    @Test func whereOnlyFriendsAreVisibleOthersAreNot() async throws {
        try await ChatUnderTest.serve(ChatSetup(configuration: Self.forFriendsOnly)) { chat in
            try await chat.store.befriend(user("ann"), user("bob"))
            let ann = await chat.client("ann")
            ann.send("subscribe_presence", #"{"all":true}"#)
            ann.send("subscribe_presence", #"{"userIds":["cleo"]}"#)
            await chat.runUntilQuiet()
            let bob = await chat.client("bob")
            _ = await chat.client("cleo")
            await chat.advance(by: .seconds(1))
            #expect(changes(ann) == ["bob online"])
            #expect(bob.session.presence.mayShow(user("ann")) && !bob.session.presence.mayShow(user("cleo")))
            ann.send("get_online_count", id: 1)
            ann.send("check_user_status", #"{"targetUserId":"cleo"}"#, id: 2)
            await chat.runUntilQuiet()
            #expect(ann.answer(1)?.data["count"]?.integer == 1)
            #expect(ann.answer(2)?.data["status"]?.string == "offline")
        }
    }

    @Test func aNewFriendIsShownWhereFriendsAreWatched() async throws {
        try await ChatUnderTest.serve { chat in
            let ann = await chat.client("ann")
            _ = await chat.client("bob")
            ann.send("subscribe_presence", #"{"friends":true}"#)
            await chat.runUntilQuiet()
            try await chat.store.befriend(user("ann"), user("bob"))
            chat.services.announceFriendship(user("ann"), user("bob"), isFriend: true)
            await chat.runUntilQuiet()
            #expect(changes(ann) == ["bob online"])
            chat.services.announceFriendship(user("ann"), user("bob"), isFriend: false)
            await chat.runUntilQuiet()
            #expect(ann.session.presence.friends == [])
            #expect(ann.session.presence.indexed.isEmpty)
        }
    }

    @Test func friendsThatCannotBeReadCountAsNone() async throws {
        try await ChatUnderTest.serve(ChatSetup(configuration: Self.forFriendsOnly)) { chat in
            try await chat.store.befriend(user("ann"), user("bob"))
            chat.store.setReads(.fails)
            let ann = await chat.client("ann")
            _ = await chat.client("bob")
            #expect(ann.session.presence.friends == [])
            ann.send("get_online_count", id: 1)
            await chat.runUntilQuiet()
            #expect(ann.answer(1)?.data["count"]?.integer == 0)
        }
    }

    @Test func roomsShowFriendsOnlyToo() async throws {
        try await ChatUnderTest.serve(ChatSetup(configuration: Self.forFriendsOnly)) { chat in
            try await chat.store.befriend(user("ann"), user("bob"))
            let ann = await chat.client("ann", in: "lobby")
            _ = await chat.client("bob", in: "lobby")
            let cleo = await chat.client("cleo")
            cleo.send("join_room", #"{"roomId":"lobby"}"#)
            await chat.runUntilQuiet()
            #expect(ann.channel.events("user_joined").map { $0["userId"]?.string } == ["bob"])
            let shown = cleo.channel.events("room_users").first.strings("userId")
            #expect(shown == ["cleo"])
        }
    }

    // MARK: Rooms

    @Test func aWatcherOfARoomReceivesItsParticipantsAndNewcomers() async throws {
        try await ChatUnderTest.serve(ChatSetup(shards: 2)) { chat in
            let bob = await chat.client("bob", in: "lobby", shard: 1)
            let ann = await chat.client("ann")
            ann.send("subscribe_presence", #"{"roomIds":["lobby"]}"#, id: 1)
            await chat.advance(by: .seconds(1))
            let shown = ann.channel.events("presence_snapshot").first?["users"].strings("userId")
            #expect(shown == ["bob"])
            bob.send("set_status", #"{"status":"busy"}"#)
            await chat.advance(by: .milliseconds(249))
            #expect(changes(ann).isEmpty)
            await chat.advance(by: .milliseconds(1))
            #expect(changes(ann) == ["bob busy"])
            ann.channel.forget()
            // Being there already, a newcomer is shown as soon as the room announces it.
            _ = await chat.client("cleo", in: "lobby")
            await chat.advance(by: .milliseconds(250))
            #expect(changes(ann) == ["cleo online"])
            ann.send("unsubscribe_presence", #"{"roomIds":["lobby"]}"#)
            bob.send("set_status", #"{"status":"away"}"#)
            await chat.advance(by: .seconds(1))
            #expect(changes(ann) == ["cleo online"])
        }
    }

    @Test func aRoomThatMayNotBeEnteredRefusesAll() async throws {
        try await ChatUnderTest.serve { chat in
            _ = await chat.client("bob", in: "open")
            _ = try await chat.store.real.create(
                Room(id: room("secret"), kind: .group, isPrivate: true, createdAt: stamp(0)),
                participants: [user("bob")])
            let ann = await chat.client("ann")
            ann.send("subscribe_presence", #"{"roomIds":["open","secret"]}"#, id: 1)
            await chat.advance(by: .seconds(1))
            #expect(ann.answer(1)?.code == "forbidden")
            #expect(!chat.shard.sessions.watchers.rooms.isWatching(ann.session))
            #expect(!ann.session.presence.watchesPresence)
        }
    }

    @Test func aUserPutOutOfAPrivateRoomWatchesItNoLonger() async throws {
        try await ChatUnderTest.serve { chat in
            _ = try await chat.store.real.create(
                Room(id: room("secret"), kind: .group, isPrivate: true, createdAt: stamp(0)),
                participants: [user("ann"), user("bob")])
            let bob = await chat.client("bob")
            let ann = await chat.client("ann")
            ann.send("subscribe_presence", #"{"roomIds":["secret"]}"#)
            await chat.advance(by: .seconds(1))
            ann.channel.forget()
            try await chat.change("secret", .expelled(user("ann"))) { _ = try await $0.remove(user("ann"), from: $1) }
            await chat.advance(by: .seconds(1))
            bob.send("set_status", #"{"status":"busy"}"#)
            await chat.advance(by: .seconds(1))
            #expect(changes(ann).isEmpty)
            #expect(!chat.shard.sessions.watchers.rooms.isWatching(ann.session))
        }
    }

    @Test func aRoomWithoutWatchersIsForgotten() async throws {
        try await ChatUnderTest.serve(ChatSetup(hasBus: true)) { chat in
            let ann = await chat.client("ann")
            let bob = await chat.client("bob", in: "lobby")
            ann.send("subscribe_presence", #"{"roomIds":["lobby"]}"#)
            bob.send("leave_room", #"{"roomId":"lobby"}"#)
            await chat.advance(by: .seconds(5))
            #expect(chat.bus.isSubscribed("i1", to: "lobby"))
            ann.hangUp()
            await chat.advance(by: .seconds(10))
            #expect(!chat.bus.isSubscribed("i1", to: "lobby"))
            #expect(chat.loop.pendingTimers == 0)
        }
    }

    @Test func thereIsALimitToTheRoomsOneConnectionWatches() async throws {
        try await ChatUnderTest.serve { chat in
            let watches = RoomWatches(unused: { _ in }, follow: { _ in }, unfollow: { _ in })
            let ann = await chat.client("ann").session
            let rooms = (0..<WatchList.maximumRooms).map { room("r\($0)") }
            try watches.beginAsking(for: rooms, by: ann)
            watches.add(ann, to: rooms)
            watches.endAsking(for: rooms)
            #expect(throws: ChatError.self) { try watches.beginAsking(for: [room("one more")], by: ann) }
            try watches.beginAsking(for: [rooms[0]], by: ann)
            watches.endAsking(for: [rooms[0]])
        }
    }

    @Test func aRoomIsUnusedWithoutWatchersAndRequests() async throws {
        try await ChatUnderTest.serve { chat in
            var unused: [RoomID] = []
            var followed: Set<UserID> = []
            let watches = RoomWatches(
                unused: { unused.append($0) }, follow: { followed.formUnion($0) }, unfollow: { followed.subtract($0) })
            let (ann, bob) = (await chat.client("ann").session, await chat.client("bob").session)
            let lobby = room("lobby")
            for session in [ann, bob] {
                try watches.beginAsking(for: [lobby], by: session)
                watches.add(session, to: [lobby])
                watches.endAsking(for: [lobby])
            }
            let (newcomers, watchers) = watches.update(
                lobby, WatchedRoom(participants: [user("cleo"), user("bob")], isOpen: true))
            #expect(newcomers == [user("cleo"), user("bob")] && watchers.count == 2)
            #expect(watches.isWatched(user("cleo")) && watches.sessions(watching: user("cleo")).count == 2)
            #expect(watches.participants(of: [lobby, room("other")]) == [user("cleo"), user("bob")])
            #expect(followed == [user("cleo"), user("bob")])
            // It is closed to other users, and watchers that take no part see no more of it.
            _ = watches.update(lobby, WatchedRoom(participants: [user("bob")], isOpen: false))
            #expect(!watches.isWatching(ann) && watches.isWatching(bob))
            #expect(!watches.isWatched(user("cleo")) && unused.isEmpty)
            try watches.beginAsking(for: [lobby], by: ann)
            watches.forget(bob)
            #expect(unused.isEmpty)
            watches.endAsking(for: [lobby])
            #expect(unused == [lobby] && !watches.isWatched(user("bob")) && followed.isEmpty)
            #expect(watches.update(lobby, nil).watchers.isEmpty)
        }
    }
}
