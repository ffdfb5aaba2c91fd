import ChatDomain
import Testing

/// Standings in rooms, blocks, bans and flags: what stores keep of who may do what.
@Suite struct ModerationTests {
    private static func ban(
        _ user: UserID, until: Timestamp? = nil, reason: String? = nil, at time: Int64 = 5000
    ) -> RoomStanding {
        RoomStanding(.ban, of: user, until: until, reason: reason, by: "ann", since: .at(time))
    }

    @Test(arguments: StoreKind.allCases)
    func aBanEndsParticipationAndRole(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            _ = try await store.create(.group("lobby", owner: "ann"), participants: ["ann", "bob"])
            let moderator = RoomStanding(.moderator, of: "bob", since: .at(4000))
            #expect(try await store.set(moderator, in: "lobby") == .recorded)
            #expect(try await store.room("lobby")?.authority.moderators == ["bob"])
            let ban = Self.ban("bob", until: .at(9000), reason: "spam ä")
            #expect(try await store.set(ban, in: "lobby") == .recorded)
            let snapshot = try await store.room("lobby")
            #expect(snapshot?.participants == ["ann"])
            #expect(snapshot?.authority.isBanned("bob") == true && snapshot?.authority.moderators == [])
            #expect(try await store.standings(.ban, in: "lobby", after: nil, limit: 10) == [ban])
            #expect(try await store.standings(.moderator, in: "lobby", after: nil, limit: 10) == [])
            // Participants are counted anew.
            #expect(try await store.add("cat", to: "lobby", limit: 2))
            #expect(try await store.clear(.ban, of: "bob", in: "lobby"))
            #expect(try await store.clear(.ban, of: "bob", in: "lobby") == false)
            #expect(try await store.room("lobby")?.authority.isBanned("bob") == false)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aStandingTakesThePlaceOfTheEarlierOne(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            _ = try await store.create(.group("lobby"), participants: [])
            _ = try await store.set(Self.ban("bob", until: .at(9000), reason: "once"), in: "lobby")
            let second = RoomStanding(.ban, of: "bob", since: .at(6000))
            _ = try await store.set(second, in: "lobby")
            _ = try await store.set(RoomStanding(.mute, of: "bob", since: .at(6000)), in: "lobby")
            #expect(try await store.standings(.ban, in: "lobby", after: nil, limit: 10) == [second])
            #expect(try await store.standings(.mute, in: "lobby", after: nil, limit: 10).map(\.user) == ["bob"])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func whatIsOverGoesWithTheNextStanding(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            _ = try await store.create(.group("lobby"), participants: [])
            _ = try await store.set(Self.ban("bob", until: .at(6000)), in: "lobby")
            _ = try await store.set(Self.ban("cat", until: .at(6001), at: 6000), in: "lobby")
            #expect(try await store.standings(.ban, in: "lobby", after: nil, limit: 10).map(\.user) == ["cat"])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func standingsArePagedAndBounded(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            _ = try await store.create(.group("lobby"), participants: [])
            let limit = RoomStanding.Kind.moderator.limit
            for number in 0..<limit {
                let user = UserID(unchecked: "u\(number)")
                #expect(
                    try await store.set(RoomStanding(.moderator, of: user, since: .at(1)), in: "lobby") == .recorded)
            }
            let one = RoomStanding(.moderator, of: "one more", since: .at(1))
            #expect(try await store.set(one, in: "lobby") == .full)
            #expect(try await store.set(RoomStanding(.moderator, of: "u1", since: .at(2)), in: "lobby") == .recorded)
            let first = try await store.standings(.moderator, in: "lobby", after: nil, limit: 2).map(\.user)
            let second = try await store.standings(.moderator, in: "lobby", after: first.last, limit: 2).map(\.user)
            #expect(first == ["u0", "u1"] && second == ["u10", "u11"])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aDeletedRoomKeepsNothing(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            #expect(try await store.set(Self.ban("bob"), in: "lobby") == .noRoom)
            _ = try await store.create(.group("lobby"), participants: [])
            _ = try await store.set(Self.ban("bob"), in: "lobby")
            let flag = MessageFlag(MessageID(high: 1, low: 1), by: "cat", since: .at(1))
            #expect(try await store.flag(flag, in: "lobby") == .recorded)
            _ = try await store.delete("lobby", at: .at(7000))
            _ = try await store.create(.group("lobby"), participants: ["bob"])
            #expect(try await store.room("lobby")?.authority == RoomAuthority())
            #expect(try await store.flags(in: "lobby", after: nil, limit: 10) == [])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func rulesOfARoomAreKept(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            _ = try await store.create(.group("lobby", owner: "ann"), participants: ["ann"])
            let revision = RoomRevision(isReadOnly: true, slowModeSeconds: 30, owner: "bob", retentionDays: .some(7))
            #expect(try await store.revise("lobby", revision, at: .at(2000)))
            let room = try await store.room("lobby")?.room
            #expect(room?.isReadOnly == true && room?.slowModeSeconds == 30 && room?.owner == "bob")
            #expect(room?.retentionDays == 7)
            let listed = try await store.rooms(of: "ann", limit: 1).first?.snapshot.room
            #expect(listed == room)
            #expect(try await store.revise("lobby", RoomRevision(retentionDays: .some(nil)), at: .at(3000)))
            let after = try await store.room("lobby")?.room
            #expect(after?.retentionDays == nil && after?.isReadOnly == true && after?.owner == "bob")
            // Another room of the same id begins without them.
            _ = try await store.delete("lobby", at: .at(4000))
            let again = try await store.create(.group("lobby"), participants: []).snapshot.room
            #expect(!again.isReadOnly && again.slowModeSeconds == 0 && again.owner == nil)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func blocksHaveADirection(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            #expect(try await store.hasBlocks() == false)
            let block = UserBlock("bob", since: .at(100))
            #expect(try await store.block(block, by: "ann") == .recorded)
            #expect(try await store.block(UserBlock("bob", since: .at(200)), by: "ann") == .recorded)
            #expect(try await store.block(UserBlock("cat", since: .at(300)), by: "ann") == .recorded)
            #expect(try await store.hasBlocks())
            #expect(
                try await store.blocks(by: "ann", after: nil, limit: 9) == [block, UserBlock("cat", since: .at(300))])
            #expect(try await store.blocks(by: "ann", after: "bob", limit: 9).map(\.user) == ["cat"])
            #expect(try await store.blocks(by: "bob", after: nil, limit: 9) == [])
            #expect(try await store.blockers(of: "bob", limit: 9) == ["ann"])
            let id = DirectRoom.id(of: "ann", and: "bob")
            let room = Room(id: id, kind: .direct, isPrivate: true, createdAt: .at(1))
            _ = try await store.create(room, participants: ["ann", "bob"])
            let authority = try await store.room(id)?.authority
            #expect(authority?.refusalOfMessage(by: "bob", in: room)?.code == .forbidden)
            #expect(authority?.refusalOfMessage(by: "ann", in: room) == nil)
            #expect(try await store.unblock("bob", by: "ann"))
            #expect(try await store.unblock("bob", by: "ann") == false)
            #expect(try await store.room(id)?.authority == RoomAuthority())
        }
    }

    @Test(arguments: StoreKind.allCases)
    func bansFromTheDeployment(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            let ban = UserBan("bob", until: .at(9000), reason: "spam", since: .at(100))
            #expect(try await store.ban(ban) == .recorded)
            #expect(try await store.ban(of: "bob") == ban)
            #expect(try await store.ban(of: "ann") == nil)
            let forEver = UserBan("bob", since: .at(200))
            #expect(try await store.ban(forEver) == .recorded)
            #expect(try await store.ban(UserBan("cat", until: .at(300), since: .at(200))) == .recorded)
            #expect(try await store.bans(after: nil, limit: 9).map(\.user) == ["bob", "cat"])
            #expect(try await store.ban(UserBan("dan", since: .at(300))) == .recorded)
            #expect(try await store.bans(after: "bob", limit: 9).map(\.user) == ["dan"])
            #expect(try await store.ban(of: "bob") == forEver)
            #expect(try await store.unban("bob"))
            #expect(try await store.unban("bob") == false)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func flagsArePagedBoundedAndSettled(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            _ = try await store.create(.group("lobby"), participants: [])
            let (one, two) = (MessageID(high: 1, low: 1), MessageID(high: .max, low: 2))
            for number in 0..<MessageFlag.limit {
                let flag = MessageFlag(one, by: UserID(unchecked: "u\(number)"), reason: "r", since: .at(1))
                #expect(try await store.flag(flag, in: "lobby") == .recorded)
            }
            #expect(try await store.flag(MessageFlag(one, by: "x", since: .at(1)), in: "lobby") == .full)
            // The same user's flag takes the new reason.
            let again = MessageFlag(one, by: "u0", reason: "better", since: .at(9))
            #expect(try await store.flag(again, in: "lobby") == .recorded)
            #expect(try await store.flag(MessageFlag(two, by: "x", since: .at(1)), in: "lobby") == .recorded)
            let page = try await store.flags(in: "lobby", after: nil, limit: 2)
            #expect(page.first == MessageFlag(one, by: "u0", reason: "better", since: .at(1)))
            #expect(try await store.flags(in: "lobby", after: page.last?.place, limit: 1).map(\.user) == ["u10"])
            #expect(try await store.settleFlags(of: one, in: "lobby") == MessageFlag.limit)
            #expect(try await store.flags(in: "lobby", after: nil, limit: 9).map(\.message) == [two])
            #expect(try await store.settleFlags(of: one, in: "lobby") == 0)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func anErasedUserIsNowhere(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            _ = try await store.create(.group("lobby"), participants: [])
            _ = try await store.set(Self.ban("bob"), in: "lobby")
            _ = try await store.block(UserBlock("bob", since: .at(1)), by: "ann")
            _ = try await store.block(UserBlock("ann", since: .at(1)), by: "bob")
            let flag = MessageFlag(MessageID(high: 1, low: 1), by: "ann", since: .at(1))
            _ = try await store.flag(flag, in: "lobby")
            try await store.eraseModeration(of: "ann")
            #expect(try await store.standings(.ban, in: "lobby", after: nil, limit: 9).map(\.author) == [nil])
            #expect(try await store.hasBlocks() == false)
            #expect(try await store.flags(in: "lobby", after: nil, limit: 9) == [])
        }
    }
}
