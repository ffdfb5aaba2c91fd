import ChatDomain
import ChatTestSupport
import JSON
import Testing

@testable import ChatCore

/// `FriendPoller` reads the friends that other services keep, in rounds of ten seconds.
@Suite struct FriendPollerTests {
    private let setup = ChatSetup(hasBus: true, isStarted: true) { $0.presence.isForFriendsOnly = true }

    @Test func friendsKeptElsewhereAreFollowed() async throws {
        try await ChatUnderTest.serve(setup) { chat in
            try await chat.store.befriend(user("ann"), user("cleo"))
            let ann = await chat.client("ann")
            ann.send("subscribe_presence", #"{"friends":true}"#)
            _ = await chat.client("bob")
            await chat.advance(by: .seconds(11))
            #expect(ann.session.presence.friends == [user("cleo")])
            ann.channel.forget()
            chat.directory.setFriends(["bob"], of: "ann")
            await chat.advance(by: .seconds(10))
            #expect(ann.session.presence.friends == [user("bob"), user("cleo")])
            #expect(ann.channel.events("user_status_change").map { $0["userId"]?.string } == ["bob"])
            chat.directory.setFriends([], of: "ann")
            await chat.advance(by: .seconds(10))
            #expect(ann.session.presence.friends == [user("cleo")])
        }
    }

    @Test func theStoreIsAskedOnlyAboutUsersWhoseFriendsChanged() async throws {
        try await ChatUnderTest.serve(setup) { chat in
            chat.directory.setFriends(["bob"], of: "ann")
            _ = await chat.client("ann")
            await chat.advance(by: .seconds(25))
            let before = chat.store.calls("friends")
            await chat.advance(by: .seconds(100))
            #expect(chat.store.calls("friends") == before)
            chat.directory.setFriends(["cleo"], of: "ann")
            await chat.advance(by: .seconds(20))
            #expect(chat.store.calls("friends") == before + 1)
        }
    }

    @Test func aReadThatBeganBeforeAnAnnouncementIsIgnored() async throws {
        try await ChatUnderTest.serve(setup) { chat in
            let ann = await chat.client("ann")
            await chat.advance(by: .seconds(11))
            chat.directory.setFriends(["bob"], of: "ann")
            chat.store.setReads(.holdsAnswers)
            await chat.advance(by: .seconds(10))
            #expect(chat.store.heldReads == 1)
            chat.store.setReads(.works)
            try await chat.store.befriend(user("ann"), user("cleo"))
            chat.services.announceFriendship(user("ann"), user("cleo"), isFriend: true)
            await chat.runUntilQuiet()
            chat.store.release()
            await chat.runUntilQuiet()
            #expect(ann.session.presence.friends == [user("cleo")], "the older answer knows nothing of cleo")
            await chat.advance(by: .seconds(10))
            #expect(ann.session.presence.friends == [user("bob"), user("cleo")])
        }
    }

    @Test func friendsThatCannotBeReadStayAsTheyWere() async throws {
        try await ChatUnderTest.serve(setup) { chat in
            chat.directory.setFriends(["bob"], of: "ann")
            let ann = await chat.client("ann")
            await chat.advance(by: .seconds(11))
            chat.directory.setReachable(false)
            await chat.advance(by: .seconds(20))
            #expect(ann.session.presence.friends == [user("bob")])
        }
    }
}
