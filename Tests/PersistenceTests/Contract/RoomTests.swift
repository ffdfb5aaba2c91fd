import ChatDomain
import Testing

/// The creation, change, deletion and new creation of rooms, and their participants.
@Suite struct RoomTests {
    private let drafts = Drafts()

    @Test(arguments: StoreKind.allCases)
    func aRoomIsKeptAsItWasMade(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            #expect(try await store.room("a") == nil)
            let group = Room(
                id: "a", kind: .group, isPrivate: true, name: "Café 🎈", owner: "ann", createdAt: .at(5),
                updatedAt: .at(7))
            let made = try await store.create(group, participants: ["ann", "bob", "ann"])
            #expect(made.created)
            #expect(made.snapshot == RoomSnapshot(room: group, participants: ["ann", "bob"], lastSequence: 0))
            #expect(try await store.room("a") == made.snapshot)

            let direct = Room(
                id: DirectRoom.id(of: "ann", and: "bob"), kind: .direct, isPrivate: true, createdAt: .at(9))
            _ = try await store.create(direct, participants: ["ann", "bob"])
            #expect(try await store.room(direct.id)?.room == direct)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func makingItAgainAnswersWithTheFirst(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            let first = try await store.create(.group("a", name: "first", owner: "ann"), participants: ["ann"])
            let again = try await store.create(.group("a", at: 2000, name: "second"), participants: ["bob"])
            #expect(!again.created)
            #expect(again.snapshot == first.snapshot)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func concurrentMakersAgree(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            let made = try await withThrowingTaskGroup(of: (RoomSnapshot, Bool).self) { group in
                for maker in 0..<6 {
                    group.addTask {
                        let answer = try await store.create(.group("a", name: "by \(maker)"), participants: [])
                        return (answer.snapshot, answer.created)
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(made.filter(\.1).count == 1)
            #expect(Set(made.map(\.0)).count == 1)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func renaming(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            #expect(try await store.revise("a", RoomRevision(name: .some("new")), at: .at(3000)) == false)
            _ = try await store.create(.group("a", name: "old"), participants: [])
            #expect(try await store.revise("a", RoomRevision(name: .some("new")), at: .at(3000)))
            #expect(try await store.room("a")?.room.name == "new")
            #expect(try await store.room("a")?.room.updatedAt == .at(3000))
            #expect(try await store.revise("a", RoomRevision(name: .some(nil)), at: .at(4000)))
            #expect(try await store.room("a")?.room.name == nil)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func closingAndOpening(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            _ = try await store.create(.group("a", name: "kept"), participants: [])
            for isPrivate in [true, false] {
                #expect(try await store.revise("a", RoomRevision(isPrivate: isPrivate), at: .at(3000)))
                let room = try #require(try await store.room("a")?.room)
                #expect(room.isPrivate == isPrivate && room.name == "kept" && room.updatedAt == .at(3000))
            }
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aDeletedRoomIsGoneAndItsNumbersAreNot(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            #expect(try await store.delete("a", at: .at(1)) == false)
            _ = try await store.create(.group("a"), participants: ["ann", "bob"])
            await store.append(drafts.many(4, by: "zoe"), to: "a")
            #expect(try await store.mark("ann", 4, in: "a"))
            #expect(try await store.delete("a", at: .at(2000)))

            #expect(try await store.room("a") == nil)
            #expect(try await store.delete("a", at: .at(2001)) == false)
            #expect(try await store.revise("a", RoomRevision(name: .some("x")), at: .at(2001)) == false)
            #expect(try await store.add("cy", to: "a", limit: 10) == false)
            #expect(try await store.remove("ann", from: "a") == false)
            #expect(try await store.rooms(of: "ann", limit: 10).isEmpty)
            #expect(try await store.readMark(of: "ann", in: "a") == 0)
            #expect(try await store.mark("ann", 5, in: "a") == false)

            let again = try await store.create(.group("a", at: 3000), participants: ["cy"])
            #expect(again.created)
            #expect(again.snapshot.room.historyBase == 4)
            #expect(again.snapshot.lastSequence == 4)
            #expect(again.snapshot.participants == ["cy"])
            #expect(try await store.people(of: ["a", "z"]) == ["a": RoomPeople(participants: ["cy"], historyBase: 4)])
            #expect(try await store.rooms(of: "cy", limit: 10).map(\.lastMessage) == [nil])
            #expect(try await store.rooms(of: "cy", limit: 10).map(\.unread) == [0])
            #expect(try await store.rooms(of: "ann", limit: 10).isEmpty)
            #expect(try await store.readMark(of: "ann", in: "a") == 0)

            #expect(await store.append(drafts.many(1), to: "a") == [.stored(5)])
            #expect(try await store.numbers(of: "a", HistoryQuery(.latest, base: 4)) == [5])
            #expect(try await store.rooms(of: "cy", limit: 10).map(\.unread) == [1])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func anEmptyDeletedRoomStartsAtOne(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            _ = try await store.create(.group("a"), participants: [])
            #expect(try await store.delete("a", at: .at(2000)))
            #expect(try await store.create(.group("a"), participants: []).snapshot.room.historyBase == 0)
            #expect(await store.append(drafts.many(1), to: "a") == [.stored(1)])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func messagesDoNotMakeARoom(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            let write = RoomWrite(
                roomID: "a", lastKnown: 0, newParticipants: ["ann"], readMarks: [ReadMark(userID: "ann", sequence: 1)],
                messages: drafts.many(2))
            let outcome = await store.commit([write])[0]
            #expect(outcome.drafts == [.stored(1), .stored(2)])
            #expect(outcome.readMarks == [.success(false)])
            #expect(outcome.participantsFailure == .noSuchRoom)
            #expect(try await store.room("a") == nil)
            #expect(try await store.rooms(of: "ann", limit: 5).isEmpty)
            let made = try await store.create(.group("a"), participants: ["ann"])
            #expect(made.created)
            #expect(made.snapshot.lastSequence == 2)
            #expect(made.snapshot.room.historyBase == 0)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func participantsComeAndGo(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            #expect(try await store.add("ann", to: "a", limit: 3) == false)
            _ = try await store.create(.group("a"), participants: ["ann"])
            #expect(try await store.add("bob", to: "a", limit: 3))
            #expect(try await store.add("cy", to: "a", limit: 3))
            #expect(try await store.add("dee", to: "a", limit: 3) == false)
            #expect(try await store.add("bob", to: "a", limit: 3), "a participant stays")
            #expect(try await store.remove("ann", from: "a"))
            #expect(try await store.remove("ann", from: "a") == false)
            #expect(try await store.add("dee", to: "a", limit: 3))
            #expect(try await store.room("a")?.participants == ["bob", "cy", "dee"])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func joinersAreRecordedUpToTheLimit(_ kind: StoreKind) async throws {
        try await withStore(kind, StoreOptions(maximumParticipants: 3)) { store async throws in
            _ = try await store.create(.group("a"), participants: ["ann"])
            func join(_ users: [UserID]) async -> Set<UserID> {
                let outcome = await store.commit([RoomWrite(roomID: "a", lastKnown: 0, newParticipants: users)])[0]
                #expect(outcome.participantsFailure == nil)
                return outcome.unrecordedParticipants
            }
            #expect(await join(["bob", "ann"]).isEmpty)
            #expect(try await store.room("a")?.participants == ["ann", "bob"])
            #expect(await join(["bob", "cy", "dee", "eve"]) == ["dee", "eve"], "the answer names the rest")
            #expect(try await store.room("a")?.participants == ["ann", "bob", "cy"])
            #expect(await join(["fay", "ann"]) == ["fay"], "a participant stays")
            #expect(try await store.room("a")?.participants == ["ann", "bob", "cy"])
            #expect(try await store.remove("ann", from: "a"))
            #expect(await join(["fay"]).isEmpty)
            #expect(try await store.room("a")?.participants == ["bob", "cy", "fay"])
        }
    }
}
