import ChatDomain
import TestSupport
import Testing

/// Searching messages and people, over every store.
@Suite struct SearchTests {
    private let drafts = Drafts()

    private func texts(_ store: any DurableStore, _ query: String, by reader: UserID = "ann") async throws -> [String] {
        try await store.search(MessageSearch(SearchQuery(parsing: query), reader: reader, at: .at(1))).messages.map(
            \.body.text)
    }

    @Test(arguments: StoreKind.allCases)
    func findsWordsPhrasesAndPrefixesNewestFirst(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            _ = try await store.create(.group("a"), participants: ["ann"])
            _ = try await store.create(.group("b"), participants: ["ann"])
            await store.append([drafts.next("The quick brown Fox")], to: "a")
            await store.append([drafts.next("a fox, quick and brown")], to: "b")
            await store.append([drafts.next("Crème brûlée $where {x: 1}")], to: "a")
            #expect(try await texts(store, "fox QUICK") == ["a fox, quick and brown", "The quick brown Fox"])
            #expect(try await texts(store, "\"quick brown\"") == ["The quick brown Fox"])
            #expect(try await texts(store, "cre* bru*") == ["Crème brûlée $where {x: 1}"])
            #expect(try await texts(store, "foxes") == [])
            #expect(try await texts(store, "fo") == [])
            #expect(try await texts(store, "fox creme") == [])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func findsOnlyWhatTheReaderMayRead(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            _ = try await store.create(.group("open"), participants: ["zoe"])
            var secret = Room.group("secret")
            secret.isPrivate = true
            _ = try await store.create(secret, participants: ["zoe", "ann"])
            let direct = Room(id: "direct:bob:zoe", kind: .direct, isPrivate: true, createdAt: .at(1))
            _ = try await store.create(direct, participants: ["bob", "zoe"])
            for room in ["open", "secret", "direct:bob:zoe"] {
                await store.append([drafts.next("word in \(room)", by: "zoe")], to: RoomID(unchecked: room))
            }
            #expect(try await texts(store, "word", by: "zoe").count == 3)
            #expect(try await texts(store, "word", by: "ann") == ["word in secret", "word in open"])
            #expect(try await texts(store, "word", by: "bob") == ["word in direct:bob:zoe", "word in open"])
            #expect(try await texts(store, "word", by: "eve") == ["word in open"])
            _ = try await store.remove("ann", from: "secret")
            #expect(try await texts(store, "word", by: "ann") == ["word in open"])
            _ = try await store.delete("open", at: .at(2000))
            #expect(try await texts(store, "word", by: "eve") == [])
            _ = try await store.create(.group("open"), participants: [])
            #expect(try await texts(store, "word", by: "eve") == [], "messages of the earlier room")
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aBanHidesAnOpenRoomUntilItEnds(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            for room in ["a", "b"] as [RoomID] {
                _ = try await store.create(.group(room), participants: ["eve"])
                await store.append([drafts.next("word in \(room)")], to: room)
            }
            _ = try await store.set(RoomStanding(.ban, of: "eve", since: .at(1)), in: "a")
            _ = try await store.set(RoomStanding(.ban, of: "eve", until: .at(500), since: .at(1)), in: "b")
            let query = try SearchQuery(parsing: "word")
            func found(at time: Int64) async throws -> [String] {
                try await store.search(MessageSearch(query, reader: "eve", at: .at(time))).messages.map(\.body.text)
            }
            #expect(try await found(at: 499) == [])
            #expect(try await found(at: 500) == ["word in b"])
            #expect(try await texts(store, "word", by: "ann") == ["word in b", "word in a"])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func takesFilters(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            for room in ["a", "b"] as [RoomID] { _ = try await store.create(.group(room), participants: ["ann"]) }
            await store.append([drafts.next("x 1", by: "ann"), drafts.next("x 2", by: "bob", kind: "note")], to: "a")
            await store.append([drafts.next("x 3", by: "bob")], to: "b")
            func found(_ change: (inout MessageSearch) -> Void) async throws -> [String] {
                var search = MessageSearch(try SearchQuery(parsing: "x"), reader: "ann", at: .at(1))
                change(&search)
                return try await store.search(search).messages.map(\.body.text)
            }
            #expect(try await found { $0.room = "a" } == ["x 2", "x 1"])
            #expect(try await found { $0.author = "bob" } == ["x 3", "x 2"])
            #expect(try await found { $0.kind = "note" } == ["x 2"])
            #expect(try await found { ($0.room, $0.author) = ("b", "ann") } == [])
            #expect(try await found { $0.room = "nowhere" } == [])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func pagesHoldEachMessageOnce(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            for room in ["a", "b"] as [RoomID] { _ = try await store.create(.group(room), participants: ["ann"]) }
            for number in 1...25 {
                await store.append([drafts.next("page \(number)")], to: number.isMultiple(of: 2) ? "a" : "b")
            }
            var search = MessageSearch(try SearchQuery(parsing: "page"), reader: "ann", at: .at(1), limit: 10)
            var pages: [[String]] = []
            repeat {
                let page = try await store.search(search)
                pages.append(page.messages.map(\.body.text))
                search.cursor = page.cursor
            } while search.cursor != nil && pages.count < 10
            #expect(pages.map(\.count) == [10, 10, 5])
            #expect(pages.flatMap(\.self) == (1...25).reversed().map { "page \($0)" })
        }
    }

    @Test(
        arguments: StoreKind.allCases,
        ["", "x", "m", "p-", "m99999999999999999999", "1.2", "m5", "9.00000000000000000000000g"])
    func cursorsOfNoStoreAreRejected(_ kind: StoreKind, _ cursor: String) async throws {
        try await withStore(kind) { store async throws in
            let query = try SearchQuery(parsing: "x")
            await #expect(throws: StoreError.self) {
                try await store.search(MessageSearch(query, reader: "ann", at: .at(1), cursor: SearchCursor(cursor)))
            }
        }
    }

    @Test(arguments: StoreKind.allCases)
    func findsPeopleByIdUsernameAndName(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            try await store.update("u-1", Profile(name: "Zoë Smith", username: "zoe"))
            try await store.update("u-2", Profile(name: "Adam Smithson"))
            try await store.recordLastSeen(["smithy": .at(5)])
            func found(_ query: String, limit: Int = 20) async throws -> [String] {
                try await store.people(PeopleQuery(parsing: query), limit: limit).map(\.user.value)
            }
            #expect(try await found("SMITH") == ["smithy", "u-1", "u-2"])
            #expect(try await found("smith zoe") == ["u-1"])
            #expect(try await found("u-2") == ["u-2"])
            #expect(try await found("mith") == [])
            #expect(try await found("smith", limit: 2) == ["smithy", "u-1"])
            try await store.update("u-1", Profile(name: "Zoë Jones"))
            #expect(try await found("smith") == ["smithy", "u-2"])
        }
    }

    // MARK: Changes

    private func change(_ id: MessageID, _ request: ChangeRequest) -> RoomDraft {
        let draft = drafts.next()
        return .change(
            ChangeDraft(
                id: draft.id, messageID: id, user: RoomUser(userID: "zoe", username: "zoe"), request: request,
                authority: .anyMessage, timestamp: draft.timestamp))
    }

    @Test(arguments: StoreKind.allCases)
    func editsAndDeletionsAreFollowedAtOnce(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            _ = try await store.create(.group("a"), participants: ["ann"])
            let (one, two) = (drafts.next("zebra one"), drafts.next("zebra two"))
            await store.append([one, two], to: "a")
            let changes = [change(one.id, .edit(MessageEdit(text: "giraffe one"))), change(two.id, .delete)]
            _ = await store.commit([RoomWrite(roomID: "a", lastKnown: 2, drafts: changes)])
            #expect(try await texts(store, "zebra") == [])
            #expect(try await texts(store, "giraffe") == ["giraffe one"])
            #expect(try await texts(store, "two") == [])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func unreadMessagesAreThoseOfOthersThatAreNotDeleted(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            _ = try await store.create(.group("a"), participants: ["ann", "zoe"])
            let sent = (1...6).map { number in
                var draft = drafts.next("text \(number)", by: "zoe")
                if number.isMultiple(of: 2) { draft.body.mentions = ["ann", "bob"] }
                return draft
            }
            await store.append(sent, to: "a")
            _ = try await store.mark("ann", 2, in: "a")
            func counts() async throws -> [Int] {
                let room = try #require(try await store.rooms(of: "ann", limit: 1).first)
                return [room.unread, room.mentions, Int(room.snapshot.lastSequence)]
            }
            #expect(try await counts() == [4, 2, 6])
            let changes = [
                change(sent[0].id, .delete), change(sent[3].id, .delete), change(sent[4].id, .pin(true)),
                change(sent[5].id, .edit(MessageEdit(text: "nobody is meant"))),
            ]
            _ = await store.commit([RoomWrite(roomID: "a", lastKnown: 6, drafts: changes)])
            #expect(try await counts() == [3, 0, 10])
            await store.append([drafts.next("mine", by: "ann")], to: "a", lastKnown: 10)
            await store.append([drafts.next("yours", by: "zoe")], to: "a", lastKnown: 11)
            let isCounted = try await eventually { try await counts() == [1, 0, 12] }
            #expect(isCounted)
            _ = try await store.mark("ann", 12, in: "a")
            #expect(try await counts() == [0, 0, 12])
        }
    }
}
