import ChatDomain
import ChatTestSupport
import JSON
import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import ChatCore

@Suite struct PresenceHubTests {
    private func presence(_ name: String, _ status: PresenceStatus, sessions: Int = 1) -> UserPresence {
        UserPresence(user: roomUser(name), actualStatus: status, lastSeen: stamp(1000), sessions: sessions)
    }

    private func changed(_ name: String, _ status: PresenceStatus, by origin: String, _ chat: ChatUnderTest) {
        let presence = presence(name, status, sessions: status == .offline ? 0 : 1)
        let news = PresenceNews(presence, before: nil, origin: InstanceID(origin))
        chat.directory.emit(.changed(news, isFirst: false), to: chat.instances[0].id)
    }

    @Test func observersReceiveVisibleEdgesOnceWithTheirOrigin() async throws {
        let seen = CallbackLog<String>()
        var setup = ChatSetup()
        setup.observers.presenceChanged = { edge, isOwn in
            seen.add("\(edge.presence.user.userID.value) \(edge.presence.status.rawValue) \(isOwn)")
        }
        try await ChatUnderTest.serve(setup) { chat in
            changed("ann", .online, by: "i1", chat)
            changed("ann", .online, by: "i1", chat)
            changed("bob", .invisible, by: "far", chat)
            changed("ann", .away, by: "far", chat)
            #expect(seen.entries == ["ann online true", "ann away false"])
            chat.directory.emit(.counted(online: 7), to: chat.instances[0].id)
            #expect(chat.services.metrics.usersOnline.value == 7)
        }
    }

    @Test func theInstanceThatMadeAnEdgeStoresWhenTheUserWasSeen() async throws {
        try await ChatUnderTest.serve { chat async throws in
            changed("ann", .online, by: "i1", chat)
            changed("bob", .online, by: "far", chat)
            #expect(chat.services.presence.seen.lastSeen(of: user("ann")) != nil)
            #expect(chat.services.presence.seen.lastSeen(of: user("bob")) == nil)
            await chat.services.presence.flush()
            #expect(try await chat.store.real.profiles(of: [user("ann")])[user("ann")]?.lastSeen == stamp(1000))
        }
    }

    @Test func whenUsersWereSeenIsStoredEverySecond() async throws {
        try await ChatUnderTest.serve(ChatSetup(shards: 2, isStarted: true)) { chat async throws in
            for (count, name) in ["ann", "bob"].enumerated() {
                changed(name, .online, by: "i1", chat)
                await chat.advance(by: .milliseconds(900))
                #expect(chat.store.calls("recordLastSeen") == count)
                await chat.advance(by: .milliseconds(100))
                #expect(chat.store.calls("recordLastSeen") == count + 1)
            }
            #expect(chat.services.presence.seen.lastSeen(of: user("bob")) == nil)
        }
    }

    @Test func newsInPassingIsObservedAndNotKept() async throws {
        let seen = CallbackLog<String>()
        var setup = ChatSetup()
        setup.observers.presenceChanged = { edge, isOwn in
            seen.add(
                "\(edge.presence.user.userID.value) \(edge.before.rawValue) \(edge.presence.status.rawValue) \(isOwn)")
        }
        try await ChatUnderTest.serve(setup) { chat in
            for (name, before, origin) in [("ann", PresenceStatus.busy, "i1"), ("bob", .online, "far")] {
                let news = PresenceNews(presence(name, .online), before: before, origin: InstanceID(origin))
                chat.directory.emit(.passed(news), to: chat.instances[0].id)
            }
            #expect(seen.entries == ["ann busy online true"])
            #expect(chat.services.presence.keptUsers == 0)
        }
    }

    @Test func aComparisonRemovesUsersThatAreGone() async throws {
        try await ChatUnderTest.serve { chat in
            let watcher = await chat.client("zoe")
            watcher.send("subscribe_presence", #"{"userIds":["ann","bob"]}"#)
            await chat.runUntilQuiet()
            changed("ann", .online, by: "far", chat)
            await chat.runUntilQuiet()
            watcher.channel.forget()
            let all = [presence("bob", .online), presence("zoe", .online), .gone(user("ann"))]
            chat.directory.emit(.compared(all), to: chat.instances[0].id)
            await chat.runUntilQuiet()
            #expect(
                Set(
                    watcher.channel.events("user_status_change").map {
                        "\($0["userId"]?.string ?? "") \($0["status"]?.string ?? "")"
                    }) == ["ann offline", "bob online"])
        }
    }

    @Test func pagesNameTheirSuccessorAndCountAll() async throws {
        try await ChatUnderTest.serve { chat in
            for name in ["a", "b", "c", "d"] { _ = await chat.client(name) }
            let hiding = await chat.client("hidden")
            hiding.send("set_status", #"{"status":"invisible"}"#)
            await chat.runUntilQuiet()
            let hub: PresenceHub = chat.services.presence
            let page = await hub.online(PresencePage(after: user("a"), limit: 2), for: PresenceViewer())
            #expect(page.views.map(\.user.userID.value) == ["b", "c"] && page.next == user("c") && page.count == 4)
            let last: OnlinePage = await hub.online(PresencePage(after: user("c"), limit: 2), for: PresenceViewer())
            #expect(last.views.map(\.user.userID.value) == ["d"] && last.next == nil)
            let friends = PresenceViewer(user: user("a"), visible: [user("c"), user("hidden"), user("gone")])
            #expect(await hub.online(PresencePage(), for: friends).views.map(\.user.userID.value) == ["c"])
            #expect(await hub.onlineCount(for: friends) == 1)
            #expect(await hub.onlineCount(for: PresenceViewer()) == 4)
            let own = PresenceViewer(user: user("hidden"))
            #expect(await hub.online(PresencePage(), for: own, withOwn: true).views.last?.status == .invisible)
            #expect(await hub.lists(user("c"), for: friends))
            #expect(await !hub.lists(user("d"), for: friends))
            #expect(hub.isHidden(user("hidden")) && !hub.isHidden(user("a")))
            #expect(await hub.hidden(among: [user("a"), user("hidden"), user("gone")]) == [user("hidden")])
        }
    }

    @Test func aListTakesInWhatChangedWhileItWasRead() {
        func view(_ name: String) -> PresenceView { PresenceView(presence(name, .online), for: nil) }
        let changes = ["a", "c", "e", "z"].reduce(into: [UserID: UserPresence]()) {
            $0[user($1)] = presence($1, $1 == "c" ? .offline : .busy, sessions: $1 == "c" ? 0 : 1)
        }
        var page = OnlinePage(views: ["b", "c", "e"].map(view), next: user("m"), count: 10)
        page.apply(changes, after: user("a"), for: PresenceViewer())
        #expect(page.views.map { "\($0.user.userID.value) \($0.status.rawValue)" } == ["b online", "e busy"])
        #expect(page.count == 9, "a is before this page, and z behind it")
        page.apply([user("d"): presence("d", .online)], after: user("a"), for: PresenceViewer(visible: [user("b")]))
        #expect(page.views.count == 2, "not for this viewer")
        page.apply([user("d"): presence("d", .online)], after: user("a"), for: PresenceViewer())
        #expect(page.views.map(\.user.userID.value) == ["b", "d", "e"] && page.count == 10)
    }

    @Test func absenteesAreShownAsTheStoreRemembersThem() async throws {
        try await ChatUnderTest.serve { chat in
            try await chat.store.update(user("ann"), Profile(username: "Ann", lastSeen: stamp(5)))
            try await chat.store.recordLastSeen([user("ann"): stamp(500)])
            let hub = chat.services.presence
            let views: [PresenceView] = await hub.views(of: [user("ann"), user("bob")], for: PresenceViewer())
            #expect(views.map(\.user.username) == ["Ann", "bob"])
            #expect(views[0].lastSeen == stamp(500) && views[1].lastSeen == nil && !views[0].isOnline)
            let stranger = PresenceViewer(user: user("zoe"), visible: [])
            let hidden = await hub.views(of: [user("ann")], for: stranger)
            #expect(hidden[0].user.username == "ann" && hidden[0].lastSeen == nil)
            chat.store.setReads(.fails)
            #expect(await hub.views(of: [user("ann")], for: PresenceViewer())[0].lastSeen == nil)
            await #expect(throws: ChatError.storageUnavailable) {
                try await hub.known(PresencePage(), for: PresenceViewer())
            }
            chat.store.setReads(.works)
            let known = try await hub.known(PresencePage(limit: 1), for: PresenceViewer())
            #expect(known.views.map(\.user.userID.value) == ["ann"] && known.next == nil)
        }
    }

    @Test func aViewerSeesThemselvesAndPermittedUsers() {
        let all = PresenceViewer(user: user("ann"))
        #expect(all.sees(user("bob")) && all.visibleUsers == .everybody)
        let some = PresenceViewer(user: user("ann"), visible: [user("bob")])
        #expect(some.sees(user("ann")) && some.sees(user("bob")) && !some.sees(user("cleo")))
        #expect(some.visibleUsers == VisibleUsers(only: [user("ann"), user("bob")]))
        let hidden = presence("ann", .invisible)
        #expect(PresenceView(hidden, for: user("ann")).status == .invisible)
        #expect(PresenceView(hidden, for: user("bob")).status == .offline)
        #expect(PresenceView(hidden, for: user("bob")).sessions == 0)
    }

    @Test func defaultSettingsShowAllUsersToAuthenticatedUsers() {
        let settings = PresenceSettings()
        #expect(!settings.isForFriendsOnly && !settings.isPublic && settings.grace == .seconds(5))
        #expect(settings.awayAfter == nil && !settings.storesForItself)
    }

    @Test func malformedMessagesAreIgnored() async throws {
        try await ChatUnderTest.serve { chat in
            chat.directory.emit(.received(payload: Array("{}".utf8)), to: chat.instances[0].id)
            let ann = await chat.client("ann")
            let message = InstanceMessage.direct([user("ann")], Array(#"{"message":"hello"}"#.utf8))
            chat.directory.emit(.received(payload: message.encoded), to: chat.instances[0].id)
            await chat.runUntilQuiet()
            #expect(ann.channel.events("message").map { $0["message"]?.string } == ["hello"])
        }
    }
}
