import ChatDomain
import Foundation
import TestSupport
import Testing

/// Edits, deletions, reactions and pins.
@Suite struct ChangeTests {
    private let drafts = Drafts()
    private static let bob = RoomUser(userID: "bob", username: "Bob")

    private func change(
        _ id: MessageID, _ request: ChangeRequest, by user: String = "ann", as authority: ChangeAuthority = .anyMessage,
        client: String? = nil
    ) -> RoomDraft {
        let draft = drafts.next()
        return .change(
            ChangeDraft(
                id: draft.id, messageID: id, user: RoomUser(userID: UserID(unchecked: user), username: user),
                request: request, authority: authority, clientMessageID: client, timestamp: draft.timestamp))
    }

    private func store(
        _ drafts: [RoomDraft], in room: RoomID = "a", _ store: any DurableStore
    ) async -> [RoomWriteOutcome.Draft] {
        await store.commit([RoomWrite(roomID: room, lastKnown: 0, drafts: drafts)])[0].drafts
    }

    @Test(arguments: StoreKind.allCases)
    func messagesAndChangesAreNumberedTogether(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            let (one, two) = (drafts.next("one"), drafts.next("two"))
            let outcomes = await self.store(
                [
                    .message(one), change(one.id, .edit(MessageEdit(text: "uno"))), .message(two),
                    change(one.id, .react(Emoji(unchecked: "👍"), isRemoved: false), by: "bob"),
                ], store)
            #expect(outcomes.map(\.number) == [1, 2, 3, 4])
            let page = try await store.history(of: "a", HistoryQuery(.latest))
            #expect(page.messages.map(\.sequence) == [1, 3] && page.messages.map(\.body.text) == ["uno", "two"])
            #expect(page.messages[0].changeSequence == 4 && page.messages[0].editedAt != nil)
            let thumb = Reaction(emoji: Emoji(unchecked: "👍"), count: 1, users: ["bob"])
            #expect(page.messages[0].state?.reactions == [thumb])
            #expect(try await store.lastSequences(of: ["a"]) == ["a": 4])
            #expect(try await store.room("a") == nil, "a room that nobody made is none")
            let log = try await store.log(of: "a", after: 0, limit: 100)
            #expect(log.entries.map(\.sequence) == [1, 2, 3, 4] && !log.hasMore)
            #expect(try await store.log(of: "a", after: 1, limit: 2).entries.map(\.sequence) == [2, 3])
            #expect(log.entries[1].change?.messageSequence == 1)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func pagesHoldAsManyMessagesAsAskedFor(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            let first = drafts.next()
            await store.append([first], to: "a")
            for number in 0..<20 {
                _ = await self.store([change(first.id, .edit(MessageEdit(text: "\(number)")))], store)
                await store.append([drafts.next()], to: "a")
            }
            #expect(try await store.numbers(of: "a", HistoryQuery(.latest, limit: 3)) == [37, 39, 41])
            #expect(try await store.numbers(of: "a", HistoryQuery(.before(37), limit: 3)) == [31, 33, 35])
            #expect(try await store.numbers(of: "a", HistoryQuery(.after(4), limit: 3)) == [5, 7, 9])
            #expect(try await store.numbers(of: "a", HistoryQuery(.around(20), limit: 4)) == [17, 19, 21, 23])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func whatMayNotBeChangedIsRefusedAndTakesNoNumber(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            let (one, other) = (drafts.next("one"), drafts.next("other"))
            await store.append([one], to: "a")
            await store.append([other], to: "b")
            let own = ChangeAuthority.ownMessages(since: nil)
            let late = ChangeAuthority.ownMessages(since: Timestamp(milliseconds: one.timestamp.milliseconds + 1))
            let edit = ChangeRequest.edit(MessageEdit(text: "x"))
            let outcomes = await self.store(
                [
                    change(one.id, edit, by: "bob", as: own), change(one.id, edit, as: late),
                    change(other.id, edit), change(drafts.next().id, .delete),
                    change(one.id, .react(Emoji(unchecked: "👍"), isRemoved: true)),
                    change(one.id, .pin(false)), change(one.id, edit, as: own), change(one.id, .delete),
                    change(one.id, edit), change(one.id, .react(Emoji(unchecked: "👍"), isRemoved: false)),
                    change(one.id, .delete),
                ], store)
            let codes = outcomes.map(\.refusal)
            #expect(
                codes == [
                    .forbidden, .forbidden, .notFound, .notFound, nil, nil, nil, nil, .conflict, .conflict, nil,
                ])
            #expect(outcomes.map(\.number) == [nil, nil, nil, nil, nil, nil, 2, 3, nil, nil, nil])
            #expect(outcomes[4] == .unchanged(count: 0) && outcomes[10] == .unchanged(count: nil))
            #expect(try await store.lastSequences(of: ["a", "b"]) == ["a": 3, "b": 1])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aDeletionLeavesTheStone(_ kind: StoreKind) async throws {
        try await withStore(kind, StoreOptions(outboxOwner: InstanceID("one"), publishesChanges: true)) {
            store async throws in
            let secret = drafts.next("secret", client: "c1", metadata: #"{"secret":1}"#)
            await store.append([secret], to: "a")
            _ = await self.store(
                [
                    change(secret.id, .edit(MessageEdit(text: "secret 2", mentions: ["bob"]))),
                    change(secret.id, .react(Emoji(unchecked: "👍"), isRemoved: false)), change(secret.id, .pin(true)),
                    change(secret.id, .delete),
                ], store)
            let stone = try #require(try await store.message(secret.id, in: "a", above: 0))
            #expect(stone.isDeleted && stone.body.text.isEmpty && stone.body.metadata == nil)
            #expect(stone.body.mentions.isEmpty && stone.state?.reactions.isEmpty == true && stone.editedAt == nil)
            #expect(stone.state?.isPinned == false && stone.body.author == "ann" && stone.timestamp == secret.timestamp)
            let pending = try await store.pendingEvents(of: InstanceID("one"), to: .broker, limit: 10, except: [])
            #expect(pending.map(\.sequence) == [5], "the deletion alone is published")
            let log = try await store.log(of: "a", after: 0, limit: 10)
            #expect(log.entries.map { $0.change?.kind == .deleted } == [false, true, false, false, true])
            let retry = drafts.next("secret", client: "c1", metadata: #"{"secret":1}"#)
            #expect(
                await store.append([retry], to: "a") == [
                    .duplicate(id: secret.id, sequence: 1, timestamp: secret.timestamp)
                ])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func changesAreIdempotentByTheirClientIDs(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            let one = drafts.next("one", client: "m")
            await store.append([one], to: "a")
            let edit = ChangeRequest.edit(MessageEdit(text: "uno"))
            let first = await self.store(
                [change(one.id, edit, client: "e"), change(one.id, edit, client: "e")], store)
            let again = await self.store([change(one.id, edit, client: "e")], store)
            #expect(first.map(\.number) == [2, nil])
            for outcome in [first[1], again[0]] {
                guard case .repeated(let earlier) = outcome else {
                    Issue.record("\(outcome)")
                    continue
                }
                #expect(earlier.sequence == 2)
            }
            let conflicts = await self.store(
                [
                    change(one.id, .edit(MessageEdit(text: "dos")), client: "e"), change(one.id, .delete, client: "e"),
                    change(one.id, .delete, client: "m"), .message(drafts.next("new", client: "e")),
                ], store)
            #expect(conflicts.allSatisfy { $0 == .conflict })
            let others = await self.store([change(one.id, .pin(true), by: "bob", client: "e")], store)
            #expect(others.map(\.number) == [3])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func reactionsAreCountedOnceAUser(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            let one = drafts.next()
            await store.append([one], to: "a")
            let thumb = Emoji(unchecked: "👍")
            for user in 0..<25 {
                _ = await self.store([change(one.id, .react(thumb, isRemoved: false), by: "u\(user)")], store)
            }
            let again = await self.store([change(one.id, .react(thumb, isRemoved: false), by: "u24")], store)
            #expect(again == [.unchanged(count: 25)])
            _ = await self.store([change(one.id, .react(thumb, isRemoved: true), by: "u3")], store)
            let message = try #require(try await store.message(one.id, in: "a", above: 0))
            let users = ((0..<21).filter { $0 != 3 }).map { UserID(unchecked: "u\($0)") }
            #expect(message.state?.reactions == [Reaction(emoji: thumb, count: 24, users: users)])
            var emojis: [RoomWriteOutcome.Draft] = []
            for number in 0..<50 {
                emojis += await self.store(
                    [change(one.id, .react(Emoji(unchecked: ":e\(number):"), isRemoved: false))], store)
            }
            #expect(emojis.dropLast().allSatisfy { $0.number != nil } && emojis.last?.refusal == .conflict)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func repliesNameAMessageOfTheRoom(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            let (one, other) = (drafts.next(), drafts.next())
            await store.append([one], to: "a")
            await store.append([other], to: "b")
            let replies = (0..<3).map { drafts.next("reply \($0)", replyTo: one.id.description) }
            let outcomes = await store.append(
                replies + [drafts.next(replyTo: other.id.description), drafts.next(replyTo: "nothing")], to: "a")
            #expect(outcomes.map(\.number) == [2, 3, 4, nil, nil])
            #expect(outcomes.suffix(2).allSatisfy { $0.refusal == .badRequest })
            let message = try #require(try await store.message(one.id, in: "a", above: 0))
            #expect(message.state?.replyCount == 3 && message.state?.lastReply == 4 && message.changeSequence == 0)
            let page = try await store.replies(to: one.id, in: "a", HistoryQuery(.latest, limit: 2))
            #expect(page.messages.map(\.sequence) == [3, 4] && page.hasMoreBefore)
            let first = try await store.replies(to: one.id, in: "a", HistoryQuery(.after(0), limit: 2))
            #expect(first.messages.map(\.sequence) == [2, 3] && first.hasMoreAfter)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aRoomMadeAgainHasNothingOfTheEarlierOne(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            _ = try await store.create(.group("a"), participants: [])
            let old = drafts.next("old", client: "c")
            await store.append([old], to: "a")
            _ = await self.store([change(old.id, .pin(true), client: "p")], store)
            #expect(try await store.delete("a", at: .at(5000)))
            let made = try await store.create(.group("a", at: 6000), participants: [])
            #expect(made.snapshot.lastSequence == 2 && made.snapshot.room.historyBase == 2)
            let refused = await self.store([change(old.id, .pin(false))], store)
            #expect(refused.map(\.refusal) == [.notFound])
            let new = drafts.next("new", client: "p")
            #expect(await store.append([new], to: "a") == [.stored(3)], "its client ids are free")
            #expect(try await store.message(old.id, in: "a", above: 2) == nil)
            let changed = try await store.changedMessages(of: "a", ChangesQuery(after: 0, base: 2))
            #expect(changed.messages.isEmpty)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func changesOutliveTheProcess(_ kind: StoreKind) async throws {
        let home = try await kind.makeHome()
        let first = try await home.open(StoreOptions())
        let one = drafts.next("one")
        await first.append([one], to: "a")
        _ = await store([change(one.id, .edit(MessageEdit(text: "uno")))], first)
        await first.close()
        let second = try await home.open(StoreOptions())
        #expect(try await second.history(of: "a", HistoryQuery(.latest)).messages.map(\.body.text) == ["uno"])
        #expect(await store([change(one.id, .delete)], second).map(\.number) == [3])
        await second.close()
        await home.remove()
    }

    /// Histories and steps of each. More for a longer run: `ROOM_LOG_SEEDS`. The test server for MongoDB takes some milliseconds for
    /// each command, and a step several commands.
    private static func amount(_ kind: StoreKind) -> (seeds: UInt64, steps: Int) {
        let given = ProcessInfo.processInfo.environment["ROOM_LOG_SEEDS"].flatMap { UInt64($0) }
        return kind == .sqlite ? (given ?? 12, 400) : (given ?? 2, 100)
    }

    @Test(arguments: StoreKind.allCases)
    func aClientThatAppliedEverythingSeesWhatHistoryShows(_ kind: StoreKind) async throws {
        let (seeds, steps) = Self.amount(kind)
        for seed in 0..<seeds {
            try await withStore(kind) { store async throws in
                var model = try await RoomLogModel(seed: seed, store: store)
                try await model.run(steps: steps)
                #expect(model.problems.isEmpty, "seed \(seed): \(model.problems.prefix(3))")
                #expect(model.counts.changes > steps / 8 && model.counts.resumes > steps / 40)
            }
        }
    }

    @Test(arguments: StoreKind.allCases)
    func reportsOfADeletedMessageLoseTheirReasons(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            _ = try await store.create(.group("a", owner: "ann"), participants: ["ann", "bob"])
            let (one, two) = (drafts.next("one"), drafts.next("two"))
            await store.append([one, two], to: "a")
            for message in [one, two] {
                let flag = MessageFlag(message.id, by: "bob", reason: "said \(message.body.text)", since: .at(1))
                #expect(try await store.flag(flag, in: "a") == .recorded)
            }
            _ = await self.store([change(one.id, .delete)], store)
            func reasons() async throws -> [String?] {
                try await store.flags(in: "a", after: nil, limit: 10).map(\.reason)
            }
            #expect(try await reasons() == [nil, "said two"])
            // An erasure is a deletion too.
            let ann = ErasedUser("ann", as: "erased-1", messages: .erase)
            var cursor: String?
            repeat { cursor = try await store.eraseMessages(of: ann, after: cursor).next } while cursor != nil
            #expect(try await reasons() == [nil, nil])
        }
    }
}

extension RoomWriteOutcome.Draft {
    /// The number that was given; nil where none was.
    fileprivate var number: SequenceNumber? {
        switch self {
        case .stored(let sequence): sequence
        case .changed(let change): change.sequence
        default: nil
        }
    }

    fileprivate var refusal: ChatError.Code? { if case .refused(let error) = self { error.code } else { nil } }
}
