import ChatDomain
import TestSupport
import Testing

/// Read marks, unread counts and a user's list of rooms.
@Suite struct ReadingTests {
    private let drafts = Drafts()

    @Test(arguments: StoreKind.allCases)
    func marksOnlyMoveForward(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            _ = try await store.create(.group("a"), participants: ["ann"])
            await store.append(drafts.many(9, by: "zoe"), to: "a")
            #expect(try await store.readMark(of: "ann", in: "a") == 0)
            #expect(try await store.mark("ann", 5, in: "a"))
            #expect(try await store.mark("ann", 5, in: "a") == false)
            #expect(try await store.mark("ann", 3, in: "a") == false)
            #expect(try await store.mark("ann", 0, in: "a") == false)
            #expect(try await store.readMark(of: "ann", in: "a") == 5)
            #expect(try await store.mark("ann", 7, in: "a"))
            #expect(try await store.readMark(of: "ann", in: "a") == 7)
            #expect(try await store.readMark(of: "bob", in: "a") == 0)
            #expect(try await store.readMark(of: "ann", in: "nowhere") == 0)
            #expect(try await store.mark("visitor", 2, in: "a"), "also of users that are not recorded")
            #expect(try await store.readMark(of: "visitor", in: "a") == 2)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func severalMarksOfOneWriteTakeEffectInOrder(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            _ = try await store.create(.group("a"), participants: [])
            await store.append(drafts.many(9, by: "zoe"), to: "a")
            let marks: [ReadMark] = [
                ReadMark(userID: "ann", sequence: 3), ReadMark(userID: "bob", sequence: 9),
                ReadMark(userID: "ann", sequence: 2), ReadMark(userID: "ann", sequence: 4),
            ]
            let outcome = await store.commit([RoomWrite(roomID: "a", lastKnown: 9, readMarks: marks)])[0]
            #expect(outcome.readMarks == [.success(true), .success(true), .success(false), .success(true)])
            #expect(outcome.drafts.isEmpty)
            #expect(try await store.readMark(of: "ann", in: "a") == 4)
            #expect(try await store.readMark(of: "bob", in: "a") == 9)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func participantsMarksAndDraftsInOneWrite(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            _ = try await store.create(.group("a"), participants: [])
            let write = RoomWrite(
                roomID: "a", lastKnown: 0, newParticipants: ["ann"], readMarks: [ReadMark(userID: "ann", sequence: 1)],
                messages: drafts.many(3, by: "zoe"))
            let outcome = await store.commit([write])[0]
            #expect(outcome.drafts == [.stored(1), .stored(2), .stored(3)])
            #expect(outcome.readMarks == [.success(true)])
            let summary = try #require(try await store.rooms(of: "ann", limit: 1).first)
            #expect(summary.lastReadSequence == 1)
            #expect(summary.unread == 2)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func theListHasTheMostLatelyActiveFirst(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            for (index, id): (Int, RoomID) in [(0, "a"), (1, "b"), (2, "c"), (3, "d")] {
                _ = try await store.create(
                    .group(id, at: 1000 + Int64(index)), participants: id == "d" ? ["bob"] : ["ann"])
            }
            #expect(try await store.rooms(of: "ann", limit: 9).map(\.snapshot.room.id) == ["c", "b", "a"])
            await store.append(drafts.many(2, by: "bob"), to: "a")
            let last = drafts.next("newest", by: "bob", client: "c9", metadata: "{}")
            await store.append([last], to: "b")
            try await settled(store, "ann") { $0.map(\.snapshot.room.id) == ["b", "a", "c"] }

            let list = try await store.rooms(of: "ann", limit: 9)
            #expect(list.map(\.snapshot.room.id) == ["b", "a", "c"])
            #expect(list[0].lastMessage == Message(last, in: "b", sequence: 1))
            #expect(list[0].snapshot.participants == ["ann"])
            #expect(list.map(\.snapshot.lastSequence) == [1, 2, 0])
            #expect(list.map(\.unread) == [1, 2, 0])
            #expect(list[2].lastMessage == nil)
            #expect(try await store.rooms(of: "ann", limit: 2).map(\.snapshot.room.id) == ["b", "a"])
            #expect(try await store.rooms(of: "nobody", limit: 9).isEmpty)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func pagesOfTheListHoldEveryRoomOnce(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            // Some were active at the same moment; of them ids decide, as bytes.
            // One is of an older program, with an id that clients cannot name.
            let older = RoomID(unchecked: "z\u{1}" + String(repeating: "z", count: 999))
            for (id, time): (RoomID, Int64) in [
                ("b", 5), ("a", 5), ("é", 5), ("z", 5), (older, 5), ("later", 9), ("earlier", 1),
            ] {
                _ = try await store.create(.group(id, at: time), participants: ["ann"])
            }
            for limit in 1...8 {
                var listed: [RoomID] = []
                var cursor = RoomListCursor.start
                while true {
                    let page = try await store.rooms(of: "ann", after: cursor, limit: limit)
                    listed += page.map(\.snapshot.room.id)
                    guard let last = page.last else { break }
                    cursor = try #require(RoomListCursor(text: last.cursor.text))
                }
                #expect(listed == ["later", "a", "b", "z", older, "é", "earlier"])
            }
        }
    }

    @Test(arguments: ["", "1", "x:a", "1:", "99999999999999999999:a", "1:a\u{0}"])
    func aMalformedCursorIsRefused(_ text: String) {
        #expect(RoomListCursor(text: text) == nil)
    }

    @Test(arguments: StoreKind.allCases)
    func sendingIsReading(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            _ = try await store.create(.group("a"), participants: ["ann", "bob"])
            await store.append(drafts.many(3, by: "bob"), to: "a")
            await store.append(drafts.many(2, by: "ann"), to: "a")
            // At once, although it may be written a moment later.
            #expect(try await store.rooms(of: "ann", limit: 1).map(\.unread) == [0])
            #expect(try await store.rooms(of: "ann", limit: 1).map(\.lastReadSequence) == [5])
            try await settled(store, "bob") { $0.map(\.unread) == [2] }
            await store.append(drafts.many(1, by: "bob"), to: "a")
            try await settled(store, "ann") { $0.map(\.unread) == [1] }
            #expect(try await store.rooms(of: "ann", limit: 1).map(\.unread) == [1])
            #expect(try await store.mark("ann", 4, in: "a") == false, "behind what she sent")
            #expect(try await store.readMark(of: "ann", in: "a") == 5)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aRoomHasItsNewestMarksAndAllOfThemInPages(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            _ = try await store.create(.group("a"), participants: [])
            _ = try await store.create(.group("b"), participants: [])
            await store.append(drafts.many(80, by: "zoe"), to: "a")
            let users = (1...60).map { UserID(unchecked: "u\(100 + $0)") }
            let marks = users.enumerated().map { ReadMark(userID: $1, sequence: SequenceNumber($0 + 1)) }
            let write = RoomWrite(roomID: "a", lastKnown: 80, readMarks: marks.shuffled())
            let other = RoomWrite(roomID: "b", lastKnown: 0, readMarks: [ReadMark(userID: "ann", sequence: 1)])
            for outcome in await store.commit([write, other]) {
                #expect(outcome.readMarks.allSatisfy { $0 == .success(true) })
            }
            let newest = try #require(try await store.room("a")).readMarks.filter { $0.userID != "zoe" }
            #expect(newest.prefix(49) == marks.reversed().prefix(49)[...])
            #expect(try await store.room("b")?.readMarks == [ReadMark(userID: "ann", sequence: 1)])

            let first = try await store.readMarks(in: "a", after: nil, limit: 40)
            #expect(first == Array(marks.prefix(40)))
            let rest = try await store.readMarks(in: "a", after: first.last?.userID, limit: 40)
            #expect(rest.filter { $0.userID != "zoe" } == Array(marks.suffix(20)))
            #expect(try await store.readMarks(in: "nowhere", after: nil, limit: 40).isEmpty)
            #expect(try await store.delete("a", at: .at(9000)))
            #expect(try await store.readMarks(in: "a", after: nil, limit: 40).isEmpty)
        }
    }

    /// A store may update the order of the list a moment after the message was answered.
    private func settled(
        _ store: any DurableStore, _ user: UserID, _ holds: ([RoomSummary]) -> Bool
    ) async throws {
        _ = try await eventually { holds(try await store.rooms(of: user, limit: 9)) }
    }
}
