import ChatDomain
import ChatTestSupport
import JSON
import Synchronization
import Testing

@testable import ChatCore

/// Bans from the deployment and blocks between users, as an instance knows them.
@Suite struct UserStandingsTests {
    private let clock = ManualClock()
    private let store: FaultyStore
    private let standings: UserStandings

    init() throws {
        store = try FaultyStore()
        standings = UserStandings(store: store, clock: clock)
    }

    private func ban(_ name: String, for span: Duration? = nil) async throws {
        let now = clock.now.wall
        let until = span.map { Timestamp(milliseconds: now.milliseconds + $0.wholeMilliseconds) }
        _ = try await store.ban(UserBan(user(name), until: until, since: now))
    }

    private func block(_ name: String, by blocker: String) async throws {
        _ = try await store.block(UserBlock(user(name), since: clock.now.wall), by: user(blocker))
    }

    @Test func bansAreReadFromTheStoreAndEndByThemselves() async throws {
        #expect(!standings.isCurrent(.always))
        try await ban("ann")
        try await ban("bob", for: .seconds(10))
        #expect(Set(try await standings.load()) == [user("ann"), user("bob")])
        #expect(standings.isCurrent(.always) && !standings.isCurrent(Contact()))
        #expect(standings.refusal(of: user("bob"))?.code == .banned)
        #expect(standings.refusal(of: user("cat")) == nil)
        clock.advance(by: .seconds(10))
        #expect(standings.refusal(of: user("bob")) == nil && standings.refusal(of: user("ann")) != nil)
        try await ban("cat")
        #expect(try await standings.load() == [user("cat")])
        await store.close()
    }

    @Test func aChangeOfOneUserIsRead() async throws {
        _ = try await standings.load()
        try await ban("ann")
        #expect(standings.refusal(of: user("ann")) == nil)
        #expect(try await standings.refresh(user("ann"), isHere: true).isBanned)
        #expect(standings.refusal(of: user("ann"))?.code == .banned)
        _ = try await store.unban(user("ann"))
        #expect(try await !standings.refresh(user("ann"), isHere: true).isBanned)
        #expect(standings.refusal(of: user("ann")) == nil)
        await store.close()
    }

    @Test func blocksShowAndHideUsers() async throws {
        _ = try await standings.load()
        #expect(!standings.mayHaveBlocks && standings.knowsBlockers(of: user("bob")))
        try await block("bob", by: "ann")
        let change = try await standings.refresh(user("bob"), isHere: true)
        #expect(change.hidden == [user("ann")] && change.shown.isEmpty && !change.isBanned)
        #expect(standings.mayHaveBlocks && standings.knownBlockers(of: user("bob")).holds(user("ann")))
        #expect(!standings.knowsBlockers(of: user("cat")) && standings.knownBlockers(of: user("cat")).isEmpty)
        _ = try await store.unblock(user("bob"), by: user("ann"))
        #expect(try await standings.refresh(user("bob"), isHere: true).shown == [user("ann")])
        await store.close()
    }

    @Test func whatWasReadBeforeContactWasLostIsReadAgain() async throws {
        try await block("bob", by: "ann")
        _ = try await standings.load()
        _ = await standings.blockers(of: user("bob"), isHere: true, .always)
        try await block("bob", by: "cat")
        #expect(await standings.blockers(of: user("bob"), isHere: true, .always).users == [user("ann")])
        #expect(await standings.blockers(of: user("bob"), isHere: true, Contact()).users == [user("ann"), user("cat")])
        store.setReads(.fails)
        #expect(await standings.blockers(of: user("bob"), isHere: true, Contact()).users.count == 2)
        #expect(await standings.blockers(of: user("dan"), isHere: true, .always) == Blockers())
        store.setReads(.works)
        await store.close()
    }

    @Test func usersThatAreNotHereAreForgotten() async throws {
        try await block("bob", by: "ann")
        _ = try await standings.load()
        _ = await standings.blockers(of: user("bob"), isHere: false, .always)
        #expect(!standings.knowsBlockers(of: user("bob")))
        _ = await standings.blockers(of: user("bob"), isHere: true, .always)
        #expect(standings.knowsBlockers(of: user("bob")))
        standings.sweep { _ in false }
        #expect(!standings.knowsBlockers(of: user("bob")))
        await store.close()
    }

    @Test func aUserThatVeryManyBlockSeesNoUser() {
        #expect(Blockers(isEverybody: true).holds(user("ann")) && !Blockers(isEverybody: true).isEmpty)
        #expect(!Blockers(users: [user("ann")]).holds(user("bob")))
    }

    @Test func aBannedUsersSessionEndsAndNoneBegins() async throws {
        try await ChatUnderTest.serve { chat in
            let ann = await chat.client("ann", in: "lobby")
            _ = try await chat.store.ban(UserBan(user("ann"), since: chat.clock.now.wall))
            let (services, isDone) = (chat.services, Flag())
            Task {
                try await services.announceStanding(of: user("ann"))
                isDone.value.store(true, ordering: .releasing)
            }
            // It waits until the shards have ended the user's sessions.
            #expect(await chat.run { isDone.value.load(ordering: .acquiring) })
            #expect(ann.channel.events("error").map { $0["code"]?.string } == ["banned"])
            #expect(ann.channel.closed?.code == .forbidden)
            let again = await chat.client("ann")
            #expect(again.channel.closed?.code == .forbidden)
        }
    }
}

private final class Flag: Sendable {
    let value = Atomic<Bool>(false)
}
