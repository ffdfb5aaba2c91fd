import ChatDomain
import Testing

@testable import PersistenceMongoDB

/// Changes of messages in a database that several instances write to.
@Suite(.timeLimit(.minutes(5))) struct MongoChangeTests {
    private let drafts = Drafts()
    private let room: RoomID = "lobby"

    private func change(
        _ message: MessageDraft, _ request: ChangeRequest, by user: UserID = "ann", client: String? = nil,
        authority: ChangeAuthority = .anyMessage
    ) -> RoomDraft {
        let draft = drafts.next("")
        return .change(
            ChangeDraft(
                id: draft.id, messageID: message.id, user: RoomUser(userID: user, username: "name of \(user.value)"),
                request: request, authority: authority, clientMessageID: client, timestamp: draft.timestamp))
    }

    private func edit(_ text: String, metadata: String? = nil) -> ChangeRequest {
        .edit(MessageEdit(text: text, metadata: metadata, mentions: ["bob"]))
    }

    private func react(_ emoji: String, isRemoved: Bool = false) throws -> ChangeRequest {
        .react(try Emoji(validating: emoji), isRemoved: isRemoved)
    }

    private func commit(
        _ drafts: [RoomDraft], to store: any DurableStore, lastKnown: SequenceNumber = 0
    ) async -> [RoomWriteOutcome.Draft] {
        await store.commit([RoomWrite(roomID: room, lastKnown: lastKnown, drafts: drafts)])[0].drafts
    }

    private func withFleet(_ body: (MongoHome, [any DurableStore]) async throws -> Void) async throws {
        let home = try await MongoHome()
        let stores = [try await home.open(StoreOptions()), try await home.open(StoreOptions())]
        _ = try await stores[0].create(.group(room), participants: ["ann", "bob"])
        do { try await body(home, stores) } catch {
            for store in stores { await store.close() }
            throw error
        }
        for store in stores { await store.close() }
        await home.remove()
    }

    @Test func messagesAndChangesAreNumberedTogether() async throws {
        try await withFleet { _, stores in
            let first = drafts.next("one"), second = drafts.next("two", metadata: #"{"a":[1,2.5,"x"],"b":{}}"#)
            let outcomes = await commit(
                [
                    .message(first), .message(second), change(first, edit("uno", metadata: #"{"n":1.0}"#)),
                    change(second, try react("👍"), by: "bob"), change(second, try react("👍"), by: "bob"),
                    change(first, edit("mine"), by: "bob", authority: .ownMessages(since: nil)),
                    change(second, .pin(true)),
                ], to: stores[0])
            #expect(outcomes[0] == .stored(1) && outcomes[1] == .stored(2))
            #expect(outcomes[2].change?.sequence == 3 && outcomes[3].change?.sequence == 4)
            #expect(outcomes[4] == .unchanged(count: 1))
            #expect(outcomes[5].refusal == .forbidden)
            #expect(outcomes[6].change?.sequence == 5)
            #expect(try await stores[1].lastSequences(of: [room]) == [room: 5])

            let page = try await stores[1].history(of: room, HistoryQuery(.latest))
            #expect(page.messages.map(\.sequence) == [1, 2])
            #expect(page.messages[0].body.text == "uno" && page.messages[0].body.mentions == ["bob"])
            #expect(page.messages[0].body.metadata == #"{"n":1.0}"#, "as it was written")
            #expect(page.messages[0].state?.changeSequence == 3 && page.messages[0].editedAt != nil)
            #expect(page.messages[1].body.metadata == #"{"a":[1,2.5,"x"],"b":{}}"#)
            #expect(page.messages[1].state?.isPinned == true && page.messages[1].state?.changeSequence == 5)
            #expect(page.messages[1].state?.reactions.map(\.count) == [1])

            let log = try await stores[1].log(of: room, after: 1, limit: 10)
            #expect(log.entries.map(\.sequence) == [2, 3, 4, 5] && !log.hasMore)
            #expect(log.entries.compactMap(\.change) == outcomes.compactMap(\.change))
            let short = try await stores[1].log(of: room, after: 1, limit: 2)
            #expect(short.entries.map(\.sequence) == [2, 3] && short.hasMore)
            let changed = try await stores[1].changedMessages(of: room, ChangesQuery(after: 3))
            #expect(changed.messages.map(\.sequence) == [2] && !changed.hasMore)
            #expect(try await stores[1].changedMessages(of: room, ChangesQuery(after: 0, upTo: 1)).messages.count == 1)
        }
    }

    @Test func repliesAreCountedAndPaged() async throws {
        try await withFleet { _, stores in
            let first = drafts.next("question")
            _ = await commit([.message(first)], to: stores[0])
            let answers = (1...3).map { drafts.next("answer \($0)", by: "bob", replyTo: first.id.description) }
            let lost = drafts.next("x", replyTo: MessageID(high: 1, low: 1).description)
            let outcomes = await commit(answers.map { .message($0) } + [.message(lost)], to: stores[1])
            #expect(outcomes.prefix(3).map(\.storedSequence) == [2, 3, 4])
            #expect(outcomes[3] == .refused(.noSuchReply))
            #expect(try await stores[0].message(first.id, in: room, above: 0)?.state?.replyCount == 3)
            #expect(try await stores[0].message(first.id, in: room, above: 1) == nil)
            let page = try await stores[0].replies(to: first.id, in: room, HistoryQuery(.latest, limit: 2))
            #expect(page.messages.map(\.sequence) == [3, 4] && page.hasMoreBefore && !page.hasMoreAfter)
            let rest = try await stores[0].replies(to: first.id, in: room, HistoryQuery(.before(3), limit: 2))
            #expect(rest.messages.map(\.sequence) == [2] && !rest.hasMoreBefore)
        }
    }

    @Test func nothingIsLeftOfADeletedMessage() async throws {
        let home = try await MongoHome()
        let store = try await home.open(StoreOptions(outboxOwner: InstanceID("a"), publishesChanges: true))
        _ = try await store.create(.group(room), participants: ["ann", "bob"])
        let said = drafts.next("secret-1", client: "c", metadata: #"{"k":"secret-2"}"#)
        _ = await commit([.message(said)], to: store)
        _ = await commit(
            [
                change(said, edit("secret-3", metadata: #"{"k":"secret-4"}"#)),
                change(said, try react("👍"), by: "bob"), change(said, edit("secret-5")),
            ], to: store, lastKnown: 1)
        #expect(try await store.pendingEvents(of: InstanceID("a"), to: .broker, limit: 10, except: []).count == 4)
        let outcomes = await commit([change(said, .delete)], to: store, lastKnown: 4)
        #expect(outcomes[0].change?.sequence == 5)
        #expect(try await home.dump().contains("secret") == false)

        let stone = try await store.message(said.id, in: room, above: 0)
        #expect(stone?.isDeleted == true && stone?.body.text == "" && stone?.body.metadata == nil)
        #expect(stone?.state?.reactions == [] && stone?.body.author == "ann" && stone?.sequence == 1)
        let pending = try await store.pendingEvents(of: InstanceID("a"), to: .broker, limit: 10, except: [])
        #expect(pending.map(\.sequence) == [5], "its deletion is published, and nothing else of it")
        let log = try await store.log(of: room, after: 1, limit: 10).entries
        #expect(log.map(\.sequence) == [2, 3, 4, 5])
        #expect(log.map { $0.change?.kind == .deleted } == [true, false, true, true], "an edit has no text any more")

        let later = await commit(
            [change(said, .delete), change(said, edit("x")), change(said, try react("👍")), .message(said)], to: store,
            lastKnown: 5)
        #expect(later[0] == .unchanged(count: nil))
        #expect(later[1].refusal == .conflict && later[2].refusal == .conflict)
        #expect(later[3] == .stored(1), "the draft itself")
        await store.close()
        // The name of the last message follows a second behind the message, and is closed with the store.
        #expect(try await home.dump().contains("secret") == false)
        await home.remove()
    }

    @Test(arguments: ["deleted", "neutral author"]) func anUpdateDoesNotWriteBackWhatAnErasureRemoved(
        _ erasure: String
    ) async throws {
        try await withFleet { home, stores in
            let said = drafts.next("secret")
            _ = await commit([.message(said)], to: stores[0])
            let erased: BSONDocument =
                erasure == "deleted" ? ["message": "", "deleted": true] : ["userId": "erased-1", "message": "neutral"]
            let (isReplaced, text) = try await home.raw {
                [room] connection throws(MongoError) -> (Bool, String?) in
                let query: BSONDocument = ["roomId": .string(room.value), "_id": .objectID(said.id)]
                let found = try connection.find(MongoSchema.messages, query)
                guard let document = found.first, let message = document.message() else { return (true, "nothing") }
                var changed = message
                changed.noteReply(2)
                // An instance has read the message; an erasure comes before it writes.
                try connection.update(
                    MongoSchema.messages, [["q": .document(query), "u": ["$set": .document(erased)]]])
                let isReplaced = try connection.replace(message, by: changed, readFrom: document)
                let after = try connection.find(MongoSchema.messages, query).first
                return (isReplaced, after?["message"]?.text)
            }
            #expect(!isReplaced)
            #expect(text == (erasure == "deleted" ? "" : "neutral"))
        }
    }

    @Test func aRepeatIsAnsweredAsTheFirstWas() async throws {
        try await withFleet { _, stores in
            let said = drafts.next("one", client: "m")
            _ = await commit([.message(said)], to: stores[0])
            let requests = [edit("two"), try react("👍"), .delete]
            for (index, request) in requests.enumerated() {
                let first = await commit([change(said, request, client: "c\(index)")], to: stores[0])[0]
                let again = await commit([change(said, request, client: "c\(index)")], to: stores[1])[0]
                let stored = try #require(first.change)
                #expect(again == .repeated(stored), "\(request)")
            }
            #expect(await commit([change(said, .pin(true), client: "c0")], to: stores[1])[0] == .conflict)
            #expect(await commit([change(said, .delete, client: "m")], to: stores[1])[0] == .conflict)
            #expect(await commit([.message(drafts.next("x", client: "c1"))], to: stores[1])[0] == .conflict)
            let twice = await commit(
                [.message(drafts.next("y", client: "z")), .message(drafts.next("y", client: "z"))], to: stores[1])
            #expect(twice[0] == .stored(5))
            if case .duplicate(_, 5, _) = twice[1] {} else { Issue.record("\(twice[1])") }
        }
    }

    @Test func twoInstancesChangeAtOnce() async throws {
        try await withFleet { _, stores in
            let said = drafts.next("start")
            _ = await commit([.message(said)], to: stores[0])
            // Both believe that they number the room.
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (index, store) in stores.enumerated() {
                    group.addTask {
                        for round in 1...12 {
                            let user = UserID(unchecked: "user-\(index)-\(round)")
                            var open = [
                                change(said, edit("text \(index) \(round)")),
                                change(said, try react("👍"), by: user),
                                .message(drafts.next("answer", by: user.value, replyTo: said.id.description)),
                            ]
                            while !open.isEmpty {
                                let outcomes = await commit(open, to: store)
                                open = zip(open, outcomes).filter { $1 == .failed(.contended) }.map(\.0)
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            let log = try await stores[0].log(of: room, after: 0, limit: 1000).entries
            #expect(log.map(\.sequence) == Array(1...73))
            var expected = try #require(log.first?.message)
            expected.state = nil
            for entry in log.dropFirst() { expected.apply(entry) }
            let message = try await stores[1].message(said.id, in: room, above: 0)
            #expect(message?.state?.reactions.first?.count == 24)
            #expect(message?.state?.reactions.first?.users.count == Reaction.listedUsers)
            #expect(message?.state?.replyCount == 24)
            #expect(message?.state == expected.state)
            // Beyond the listed users the entries know who reacted.
            let users = log.compactMap(\.change).filter { if case .reaction = $0.kind { true } else { false } }.map(
                \.user)
            let listed = try #require(message?.state?.reactions.first?.users)
            let again = await commit([change(said, try react("👍"), by: users[23].userID)], to: stores[0], lastKnown: 73)
            #expect(again == [.unchanged(count: 24)])
            let removed = await commit(
                [change(said, try react("👍", isRemoved: true), by: users[0].userID)], to: stores[0], lastKnown: 73)
            guard case .reaction(let reaction)? = removed[0].change?.kind else { throw TestFailure("\(removed)") }
            #expect(reaction.count == 23 && reaction.successor.map(listed.contains) == false)
        }
    }

    /// An instance that dies between storing a change and bringing its message up to date.
    @Test func whoeverFindsAnOpenChangeAppliesIt() async throws {
        let finders: [(String, @Sendable (any DurableStore, MessageID) async throws -> Void)] = [
            ("opening the room", { store, _ in _ = try await store.room("lobby") }),
            ("the log", { store, _ in _ = try await store.log(of: "lobby", after: 1, limit: 10) }),
            (
                "changed messages",
                { store, _ in _ = try await store.changedMessages(of: "lobby", ChangesQuery(after: 0)) }
            ),
            ("the message", { store, id in _ = try await store.message(id, in: "lobby", above: 0) }),
        ]
        for (name, find) in finders {
            try await withFleet { home, stores in
                let said = drafts.next("old")
                _ = await commit([.message(said)], to: stores[0])
                let message = Message(said, in: room, sequence: 1)
                guard case .change(let draft) = change(said, edit("new")) else { return }
                let open = MessageChange(draft, .edited(MessageEdit(text: "new")), of: message, sequence: 2)
                try await home.insert(BSONDocument(open, eventOwners: []))
                try await find(stores[1], said.id)
                #expect(
                    try await stores[0].history(of: room, HistoryQuery(.latest)).messages[0].body.text == "new",
                    "\(name)")
                // A change that is numbered behind it is evaluated on what it made of the message.
                let outcome = await commit([change(said, .delete)], to: stores[0], lastKnown: 1)
                #expect(outcome[0].change?.sequence == 3)
            }
        }
    }

    @Test func aChangeSeesTheOpenOnesBeforeIt() async throws {
        try await withFleet { home, stores in
            let said = drafts.next("old")
            _ = await commit([.message(said)], to: stores[0])
            guard case .change(let draft) = change(said, .delete) else { return }
            let open = MessageChange(draft, .deleted, of: Message(said, in: room, sequence: 1), sequence: 2)
            try await home.insert(BSONDocument(open, eventOwners: []))
            let outcomes = await commit([change(said, edit("new"))], to: stores[1], lastKnown: 1)
            #expect(outcomes[0].refusal == .conflict)
            #expect(try await stores[1].message(said.id, in: room, above: 0)?.isDeleted == true)
        }
    }

    @Test func lastMessagesFollowTheirChanges() async throws {
        let home = try await MongoHome()
        let store = try await home.open(StoreOptions())
        _ = try await store.create(.group(room), participants: ["ann", "bob"])
        let first = drafts.next("one"), last = drafts.next("two")
        _ = await commit([.message(first), .message(last)], to: store)
        _ = await commit([change(last, edit("zwei")), change(first, try react("👍"))], to: store, lastKnown: 2)
        let listed = try await store.rooms(of: "ann", after: .start, limit: 10)
        #expect(listed.first?.lastMessage?.body.text == "zwei")
        await store.close()
        let dump = try await home.dump()
        #expect(dump.contains("zwei") && !dump.contains("\"two\""))
        await home.remove()
    }
}

extension RoomWriteOutcome.Draft {
    fileprivate var change: MessageChange? { if case .changed(let change) = self { change } else { nil } }
    fileprivate var refusal: ChatError.Code? { if case .refused(let error) = self { error.code } else { nil } }
}
