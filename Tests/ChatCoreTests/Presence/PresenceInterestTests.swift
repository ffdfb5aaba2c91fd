import ChatDomain
import JSON
import Synchronization
import Testing

@testable import ChatCore

/// Which shards a change of a user goes to, and that none is lost by that.
@Suite struct PresenceInterestTests {
    private let ann = user("ann")
    private let bob = user("bob")

    private func shards(_ interest: PresenceInterest, _ user: UserID) -> [UInt16] {
        interest.shards(for: user).sorted()
    }

    @Test func aShardNeedsAUserAsLongAsItHasAReason() {
        let interest = PresenceInterest()
        #expect(shards(interest, ann).isEmpty)
        interest.begin([ann, bob], on: 1, as: .watched)
        interest.begin([ann], on: 1, as: .participant)
        interest.begin([ann], on: 255, as: .retained)
        interest.begin([ann], on: 255, as: .retained)
        #expect(shards(interest, ann) == [1, 255] && shards(interest, bob) == [1])
        interest.end([ann], on: 1, as: .watched)
        interest.end([ann], on: 255, as: .retained)
        #expect(shards(interest, ann) == [1])
        interest.end([ann, bob], on: 1, as: .participant)
        #expect(shards(interest, ann).isEmpty && shards(interest, bob) == [1] && interest.count == 1)
        interest.end([bob], on: 1, as: .watched)
        #expect(interest.count == 0)
    }

    @Test func aShardThatNeedsEverybodyNeedsEachUser() {
        let interest = PresenceInterest()
        interest.begin([ann], on: 0, as: .watched)
        interest.setEverybody(true, on: 3)
        #expect(shards(interest, ann) == [0, 3] && shards(interest, bob) == [3])
        interest.setEverybody(false, on: 3)
        #expect(shards(interest, ann) == [0] && shards(interest, bob).isEmpty)
    }

    /// The shards that a change was posted to, which is not handled.
    private func posted(_ chat: ChatUnderTest, _ body: () -> Void) async -> [UInt16] {
        await chat.runUntilQuiet()
        body()
        return chat.instances[0].loops.filter { loop in
            var messages: [ShardMessage] = []
            loop.mailbox.takeAll(leaving: &messages)
            return messages.contains { if case .presence = $0 { true } else { false } }
        }.map(\.index)
    }

    private func change(_ name: String, _ status: PresenceStatus, before: PresenceStatus, _ chat: ChatUnderTest) {
        let presence = UserPresence(user: roomUser(name), actualStatus: status, lastSeen: stamp(1000), sessions: 1)
        let news = PresenceNews(presence, before: before, origin: InstanceID("far"))
        chat.directory.emit(.changed(news, isFirst: false), to: chat.instances[0].id)
    }

    @Test func onlyShardsThatWatchAUserAreWoken() async throws {
        try await ChatUnderTest.serve(ChatSetup(shards: 3)) { chat in
            let watcher = await chat.client("zoe", shard: 1)
            _ = await chat.client("yve", shard: 2)
            #expect(await posted(chat) { change("ann", .online, before: .offline, chat) }.isEmpty)
            watcher.send("subscribe_presence", #"{"userIds":["ann"]}"#)
            #expect(await posted(chat) { change("ann", .busy, before: .online, chat) } == [1])
            watcher.send("unsubscribe_presence", #"{"userIds":["ann"]}"#)
            #expect(await posted(chat) { change("ann", .away, before: .busy, chat) }.isEmpty)
            watcher.send("subscribe_presence", #"{"all":true}"#)
            #expect(await posted(chat) { change("bob", .online, before: .offline, chat) } == [1])
            watcher.hangUp()
            #expect(await posted(chat) { change("bob", .busy, before: .online, chat) }.isEmpty)
            #expect(chat.services.presence.interest.count == 0)
        }
    }

    @Test func watchedRoomsAndRoomsOfTheUserAreWokenToo() async throws {
        try await ChatUnderTest.serve(ChatSetup(shards: 3)) { chat in
            let member = await chat.client("ann", in: "lobby", shard: 2)
            let watcher = await chat.client("zoe", shard: 0)
            watcher.send("subscribe_presence", #"{"roomIds":["lobby"]}"#)
            #expect(await posted(chat) { change("ann", .offline, before: .online, chat) } == [0, 2])
            #expect(await posted(chat) { change("ann", .online, before: .offline, chat) } == [0, 2])
            watcher.hangUp()
            // The member stays in its room for the grace period.
            member.hangUp()
            #expect(await posted(chat) { change("ann", .offline, before: .online, chat) } == [2])
            await chat.advance(by: .seconds(6))
            #expect(chat.services.presence.interest.count == 0)
        }
    }

    @Test func whoeverTracksOrListsAllUsersIsWoken() async throws {
        try await ChatUnderTest.serve(ChatSetup(shards: 2)) { chat in
            let tracker = await chat.client("zoe", shard: 1)
            tracker.send("user_online", #"{"userId":"zoe"}"#)
            #expect(await posted(chat) { change("bob", .online, before: .offline, chat) } == [1])
            tracker.send("unsubscribe_presence", #"{"all":true}"#)
            #expect(await posted(chat) { change("bob", .busy, before: .online, chat) } == [1], "it is sent lists still")
            let lister = chat.instances[0].shards[0].sessions.watchers
            lister.beginReadingList()
            #expect(await posted(chat) { change("bob", .away, before: .busy, chat) } == [0, 1])
            _ = lister.endReadingList()
            #expect(await posted(chat) { change("bob", .busy, before: .away, chat) } == [1])
        }
    }

    /// A watcher on one thread begins and ends to watch while another brings changes: what it read when it began, and what it
    /// was sent since, is how the user stands.
    @Test func aChangeThatIsNotSentIsInWhatIsRead() async throws {
        try await ChatUnderTest.serve(ChatSetup(shards: 2)) { chat in
            let (hub, mailbox) = (chat.services.presence, chat.instances[0].loops[1].mailbox)
            let (id, directory, name) = (chat.instances[0].id, chat.directory, ann)
            for round in 0..<300 {
                hub.follow([name], on: 0, as: .watched)
                await withTaskGroup(of: PresenceStatus?.self) { group in
                    group.addTask {
                        for number in 0..<40 {
                            let status = number.isMultiple(of: 2) ? PresenceStatus.busy : .away
                            let presence = UserPresence(
                                user: RoomUser(userID: name, username: "ann"), actualStatus: status,
                                lastSeen: Timestamp(milliseconds: Int64(round)), sessions: 1)
                            let news = PresenceNews(presence, before: nil, origin: InstanceID("far"))
                            directory.emit(.changed(news, isFirst: false), to: id)
                        }
                        return nil
                    }
                    group.addTask {
                        for _ in 0..<(round % 7) { await Task.yield() }
                        hub.follow([name], on: 1, as: .watched)
                        return hub.presence(of: name)?.status ?? .offline
                    }
                    var seen: PresenceStatus?
                    for await read in group { seen = read ?? seen }
                    var messages: [ShardMessage] = []
                    mailbox.takeAll(leaving: &messages)
                    for case .presence(let edges) in messages { seen = edges.last?.presence.status ?? seen }
                    #expect(seen == hub.presence(of: name)?.status)
                }
                hub.unfollow([name], on: 1, as: .watched)
                hub.unfollow([name], on: 0, as: .watched)
            }
        }
    }
}
