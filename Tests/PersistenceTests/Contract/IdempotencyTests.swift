import ChatDomain
import Testing

/// The same author, room and client id is stored once.
@Suite struct IdempotencyTests {
    private let drafts = Drafts()

    @Test(arguments: StoreKind.allCases)
    func aRepeatAnswersAsTheFirstDid(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            let first = drafts.next("hello", client: "c1", metadata: #"{"k":1}"#)
            #expect(await store.append([first], to: "a") == [.stored(1)])
            let again = drafts.next("hello", client: "c1", metadata: #"{"k":1}"#, username: "renamed meanwhile")
            let outcomes = await store.append([drafts.next("x"), again, drafts.next("y")], to: "a", lastKnown: 1)
            #expect(
                outcomes == [.stored(2), .duplicate(id: first.id, sequence: 1, timestamp: first.timestamp), .stored(3)])
            #expect(try await store.numbers(of: "a", HistoryQuery(.latest)) == [1, 2, 3])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func repeatsInsideOneWriteResolve(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            let first = drafts.next("one", client: "c1")
            let outcomes = await store.append(
                [
                    first, drafts.next("one", client: "c1"), drafts.next("other", client: "c1"), drafts.next("two"),
                    drafts.next("one", client: "c1"),
                ], to: "a")
            let repeated = RoomWriteOutcome.Draft.duplicate(id: first.id, sequence: 1, timestamp: first.timestamp)
            #expect(outcomes == [.stored(1), repeated, .conflict, .stored(2), repeated])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func anotherBodyConflicts(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            let earlier = drafts.next()
            await store.append([earlier], to: "a")
            await store.append(
                [
                    drafts.next(
                        "hello", client: "c1", kind: "text", metadata: #"{"k":1}"#, replyTo: earlier.id.description)
                ], to: "a")
            let others = [
                drafts.next("hallo", client: "c1", metadata: #"{"k":1}"#, replyTo: earlier.id.description),
                drafts.next(
                    "hello", client: "c1", kind: "image", metadata: #"{"k":1}"#, replyTo: earlier.id.description),
                drafts.next("hello", client: "c1", metadata: #"{"k":2}"#, replyTo: earlier.id.description),
                drafts.next("hello", client: "c1", metadata: #"{"k":1}"#),
            ]
            #expect(await store.append(others, to: "a") == [.conflict, .conflict, .conflict, .conflict])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func otherRoomsAuthorsAndIdsAreOtherMessages(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            #expect(
                await store.append(
                    [
                        drafts.next(by: "ann", client: "c1"), drafts.next(by: "bob", client: "c1"),
                        drafts.next(by: "ann", client: "C1"), drafts.next(by: "ann", client: ""),
                        drafts.next(by: "ann"), drafts.next(by: "ann"),
                    ], to: "a") == (1...6).map { .stored($0) })
            #expect(await store.append([drafts.next(by: "ann", client: "c1")], to: "b") == [.stored(1)])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func repeatsAreKnownAfterReopening(_ kind: StoreKind) async throws {
        try await withHome(kind) { home async throws in
            let first = try await home.open(StoreOptions())
            let draft = drafts.next("hello", client: "c1")
            await first.append([draft], to: "a")
            await first.close()
            let second = try await home.open(StoreOptions())
            #expect(
                await second.append([drafts.next("hello", client: "c1")], to: "a") == [
                    .duplicate(id: draft.id, sequence: 1, timestamp: draft.timestamp)
                ])
            #expect(await second.append([drafts.next("bye", client: "c1")], to: "a") == [.conflict])
            await second.close()
        }
    }

    @Test(arguments: StoreKind.allCases)
    func concurrentRetriesStoreOnce(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            let outcomes = await withTaskGroup(of: RoomWriteOutcome.Draft.self) { group in
                for _ in 0..<8 {
                    group.addTask { await store.append([drafts.next("same", client: "c1")], to: "a")[0] }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(outcomes.compactMap(\.storedSequence) == [1])
            let stored = try await store.history(of: "a", HistoryQuery(.latest)).messages
            #expect(stored.count == 1)
            for outcome in outcomes where outcome.storedSequence == nil {
                #expect(outcome == .duplicate(id: stored[0].id, sequence: 1, timestamp: stored[0].timestamp))
            }
        }
    }

    @Test(arguments: StoreKind.allCases)
    func manyRoomsWithRepeatsInOneWrite(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            let rooms: [RoomID] = ["a", "b", "c", "d"]
            let firsts = rooms.map { _ in drafts.next("one", client: "c1") }
            _ = await store.commit(zip(rooms, firsts).map { RoomWrite(roomID: $0, lastKnown: 0, messages: [$1]) })
            let outcomes = await store.commit(
                rooms.enumerated().map { index, room in
                    let repeated = drafts.next("one", client: "c1")
                    let fresh = drafts.next("two", client: "c2")
                    return RoomWrite(
                        roomID: room, lastKnown: 1,
                        messages: index == 0 ? [fresh] : index == 1 ? [repeated] : [repeated, fresh])
                })
            func duplicate(_ index: Int) -> RoomWriteOutcome.Draft {
                .duplicate(id: firsts[index].id, sequence: 1, timestamp: firsts[index].timestamp)
            }
            #expect(
                outcomes.map(\.drafts) == [
                    [.stored(2)], [duplicate(1)], [duplicate(2), .stored(2)], [duplicate(3), .stored(2)],
                ])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aClientIDOfADeletedRoomIsFreeInTheNext(_ kind: StoreKind) async throws {
        try await withHome(kind) { home async throws in
            let store = try await home.open(StoreOptions())
            _ = try await store.create(.group("a"), participants: [])
            let old = drafts.next("then", client: "c1")
            #expect(await store.append([old, drafts.next("more", client: "c2")], to: "a") == [.stored(1), .stored(2)])
            #expect(try await store.delete("a", at: .at(2000)))
            #expect(try await store.create(.group("a", at: 3000), participants: []).snapshot.room.historyBase == 2)
            // By a store that remembers nothing of it, alone and with others in one write.
            await store.close()
            let next = try await home.open(StoreOptions())
            let now = drafts.next("now", client: "c1")
            let others = [drafts.next("other"), drafts.next("again", client: "c2"), drafts.next("last")]
            #expect(await next.append([now], to: "a", lastKnown: 2) == [.stored(3)])
            #expect(await next.append(others, to: "a", lastKnown: 3) == [.stored(4), .stored(5), .stored(6)])
            #expect(
                await next.append([drafts.next("now", client: "c1")], to: "a")
                    == [.duplicate(id: now.id, sequence: 3, timestamp: now.timestamp)])
            #expect(await next.append([drafts.next("then", client: "c1")], to: "a") == [.conflict])
            #expect(try await next.numbers(of: "a", HistoryQuery(.latest, base: 2)) == [3, 4, 5, 6])
            // What the deleted room held is still stored.
            #expect(try await next.numbers(of: "a", HistoryQuery(.latest)) == [1, 2, 3, 4, 5, 6])
            await next.close()
        }
    }
}
