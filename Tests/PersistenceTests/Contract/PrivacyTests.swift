import ChatDomain
import Testing

/// Erasing, retention and exporting.
@Suite struct PrivacyTests {
    private let drafts = Drafts()
    private static let pseudonym: UserID = "erased-1"

    private static func ann(_ messages: ErasedMessages) -> ErasedUser {
        ErasedUser("ann", as: pseudonym, messages: messages)
    }

    /// Repeats a step until it is done; the sum of its slices.
    @discardableResult
    private func all(
        _ step: (String?) async throws -> ErasureSlice
    ) async throws -> (rooms: Set<RoomID>, messages: Int) {
        var (rooms, messages, cursor, parts): (Set<RoomID>, Int, String?, Int) = ([], 0, nil, 0)
        repeat {
            let slice = try await step(cursor)
            rooms.formUnion(slice.rooms)
            messages += slice.messages
            cursor = slice.next
            parts += 1
        } while cursor != nil && parts < 1000
        #expect(cursor == nil)
        return (rooms, messages)
    }

    private func history(of room: RoomID, _ store: any DurableStore) async throws -> [Message] {
        try await store.history(of: room, HistoryQuery(.after(0), limit: 1000)).messages
    }

    // MARK: Jobs

    @Test(arguments: StoreKind.allCases)
    func aSubjectHasOneJob(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            let first = ErasureJob(id: MessageID(high: 1, low: 1), .user("ann", .erase), at: .at(10))
            let second = ErasureJob(id: MessageID(high: 2, low: 2), .user("ann", .anonymize), at: .at(20))
            #expect(try await store.erasure(first.subject.key) == nil)
            #expect(try await store.addErasure(first) == first)
            #expect(try await store.addErasure(second) == first)
            #expect(try await store.erasure(second.subject.key) == first)
            try await store.removeErasure(first.id)
            try await store.removeErasure(first.id)
            #expect(try await store.erasure(first.subject.key) == nil)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func oneOwnerHasTheLease(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            let (one, two) = (InstanceID("one"), InstanceID("two"))
            #expect(try await store.claimErasure(by: one, at: .at(0), until: .at(10)) == nil)
            var job = try await store.addErasure(ErasureJob(id: MessageID(high: 1, low: 1), .room("r"), at: .at(0)))
            #expect(try await store.claimErasure(by: one, at: .at(0), until: .at(10)) == job)
            #expect(try await store.claimErasure(by: two, at: .at(9), until: .at(19)) == nil)
            job.didPerformStep(gracePeriod: .zero, at: .at(5))
            job.didPerform(ErasureSlice(messages: 3, next: "place"))
            #expect(try await store.save(job, by: one, until: .at(20)))
            #expect(try await store.claimErasure(by: two, at: .at(19), until: .at(30)) == nil)
            // The owner itself comes back, as after a restart.
            #expect(try await store.claimErasure(by: one, at: .at(19), until: .at(20)) == job)
            #expect(try await store.claimErasure(by: two, at: .at(20), until: .at(30)) == job)
            #expect(try await !store.save(job, by: one, until: .at(40)))
            #expect(try await store.save(job, by: two, until: .at(40)))
        }
    }

    // MARK: Users

    @Test(arguments: StoreKind.allCases)
    func recordsOfAUserGo(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            _ = try await store.create(.group("mine", owner: "ann"), participants: ["ann", "bob"])
            _ = try await store.create(.group("other", owner: "bob"), participants: ["ann", "bob"])
            _ = try await store.create(.group("alien", owner: "bob"), participants: ["bob"])
            await store.append(drafts.many(3, by: "bob"), to: "other")
            #expect(try await store.mark("ann", 2, in: "other"))
            try await store.update("ann", Profile(name: "Ann"))
            try await store.befriend("ann", "bob")
            try await store.befriend("bob", "cy")
            for attempt in 1...2 {
                let slice = try await store.eraseRecords(of: Self.ann(.erase))
                #expect(Set(slice.rooms) == (attempt == 1 ? ["mine", "other"] : []), "attempt \(attempt)")
            }
            #expect(try await store.profiles(of: ["ann"]).isEmpty)
            #expect(try await store.friends(of: "bob") == ["cy"])
            #expect(try await store.friends(of: "ann").isEmpty)
            #expect(try await store.room("mine")?.room.owner == nil)
            #expect(try await store.room("other")?.participants == ["bob"])
            #expect(try await store.readMark(of: "ann", in: "other") == 0)
            #expect(try await store.rooms(knowing: "ann", after: nil, limit: 10).isEmpty)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func erasedMessagesAreStones(_ kind: StoreKind) async throws {
        try await withStore(kind, StoreOptions(outboxOwner: InstanceID("one"))) { store async throws in
            _ = try await store.create(.group("r"), participants: [])
            let sent = [
                drafts.next("secret", by: "ann", client: "c1", metadata: #"{"a":1}"#),
                drafts.next("hello <@ann> and <@anna>", by: "bob"), drafts.next("more", by: "ann"),
            ]
            await store.append(sent, to: "r")
            let erased = try await all { try await store.eraseMessages(of: Self.ann(.erase), after: $0) }
            #expect(erased.rooms == ["r"] && erased.messages == 2)
            let messages = try await history(of: "r", store)
            #expect(messages.map(\.sequence) == [1, 2, 3] && messages.map(\.id) == sent.map(\.id))
            #expect(messages.map(\.body.author) == [Self.pseudonym, "bob", Self.pseudonym])
            #expect(messages.map(\.body.text) == ["", "hello <@erased-1> and <@anna>", ""])
            #expect(messages[0].body.username == ErasedUser.username && messages[0].body.metadata == nil)
            #expect(messages[0].body.clientMessageID == nil && messages[0].timestamp == sent[0].timestamp)
            let pending = try await store.pendingEvents(of: InstanceID("one"), to: .broker, limit: 10, except: [])
            #expect(pending.map(\.id) == [sent[1].id])
            // The numbering goes on, and another pass finds nothing.
            #expect(await store.append([drafts.next("x", by: "bob")], to: "r", lastKnown: 3) == [.stored(4)])
            let again = try await all { try await store.eraseMessages(of: Self.ann(.erase), after: $0) }
            #expect(again.messages == 0 && again.rooms.isEmpty)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func anonymizedMessagesKeepTheirText(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            _ = try await store.create(.group("r"), participants: [])
            await store.append(
                [
                    drafts.next("said by <@ann>", by: "ann", client: "c1", metadata: #"{"name":"Ann"}"#),
                    drafts.next("by another", by: "anna"),
                ], to: "r")
            try await all { try await store.eraseMessages(of: Self.ann(.anonymize), after: $0) }
            let messages = try await history(of: "r", store)
            #expect(messages.map(\.body.text) == ["said by <@erased-1>", "by another"])
            #expect(messages.map(\.body.author) == [Self.pseudonym, "anna"])
            #expect(messages[0].body.metadata == nil && messages[0].body.clientMessageID == nil)
            #expect(try await store.messages(of: "ann", after: nil).messages.isEmpty)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func directRoomsGetNeutralIDs(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            let (old, other) = (DirectRoom.id(of: "ann", and: "bob"), DirectRoom.id(of: "bob", and: "cy"))
            for (room, people) in [(old, ["ann", "bob"] as [UserID]), (other, ["bob", "cy"])] {
                _ = try await store.create(
                    Room(id: room, kind: .direct, isPrivate: true, createdAt: .at(1)), participants: people)
                await store.append(drafts.many(5, by: "bob"), to: room)
            }
            let ann = Self.ann(.anonymize)
            let new = DirectRoom.id(of: Self.pseudonym, and: "bob")
            _ = try await store.eraseRecords(of: ann)
            #expect(try await store.directRooms(of: "ann", after: nil, limit: 10) == [old])
            #expect(try await store.directRooms(of: "ann", after: old, limit: 10).isEmpty)
            try await all { _ in try await store.moveDirectRoom(old, of: ann) }
            try await all { _ in try await store.moveDirectRoom(old, of: ann) }
            #expect(try await store.room(old) == nil)
            #expect(try await store.directRooms(of: "ann", after: nil, limit: 10).isEmpty)
            let moved = try #require(try await store.room(new))
            #expect(moved.participants == ["bob", Self.pseudonym] && moved.lastSequence == 5)
            #expect(try await store.numbers(of: new, HistoryQuery(.after(0), limit: 10)) == [1, 2, 3, 4, 5])
            #expect(try await store.rooms(of: "bob", limit: 10).map(\.snapshot.room.id).contains(new))
            #expect(try await store.numbers(of: other, HistoryQuery(.after(0), limit: 10)).count == 5)
        }
    }

    // MARK: Rooms

    @Test(arguments: StoreKind.allCases)
    func anErasedRoomKeepsItsNumber(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            _ = try await store.create(.group("r", name: "Secret", owner: "ann"), participants: ["ann"])
            _ = try await store.create(.group("other"), participants: [])
            await store.append(drafts.many(603), to: "r")
            await store.append(drafts.many(2), to: "other")
            #expect(try await store.delete("r", at: .at(5)))
            try await all { try await store.eraseMessages(of: "r", after: $0) }
            try await all { try await store.eraseMessages(of: "r", after: $0) }
            #expect(try await history(of: "r", store).allSatisfy { $0.body.text.isEmpty && $0.body.author == "" })
            #expect(try await history(of: "r", store).count <= 1)
            #expect(try await store.lastSequences(of: ["r", "other"]) == ["r": 603, "other": 2])
            let made = try await store.create(.group("r"), participants: [])
            #expect(made.snapshot.room.historyBase == 603)
            #expect(await store.append([drafts.next()], to: "r", lastKnown: 603) == [.stored(604)])
            // Messages of the new room are not those of the erased one.
            try await all { try await store.eraseMessages(of: "r", after: $0) }
            #expect(try await history(of: "r", store).last?.body.text == "hello")
        }
    }

    // MARK: Retention

    @Test(arguments: StoreKind.allCases)
    func oldMessagesExpireInTheirOrder(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            let day: Int64 = 86_400_000
            let now = Timestamp.at(100 * day)
            for room in ["a", "b"] as [RoomID] { _ = try await store.create(.group(room), participants: []) }
            func draft(_ text: String, day number: Int64) -> MessageDraft {
                var draft = drafts.next(text, metadata: #"{"a":1}"#)
                draft.timestamp = .at(number * day)
                return draft
            }
            await store.append(
                (1...450).map { draft("old \($0)", day: 10) } + [draft("young", day: 95), draft("late", day: 20)],
                to: "a")
            await store.append([draft("new", day: 99)], to: "b")
            let kept = try await all {
                try await store.eraseExpiredMessages(RetentionRule(days: 0), at: now, after: $0)
            }
            #expect(kept.messages == 0)
            let rule = RetentionRule(days: 10)
            let expired = try await all { try await store.eraseExpiredMessages(rule, at: now, after: $0) }
            #expect(expired.messages == 450 && expired.rooms == ["a"])
            let messages = try await history(of: "a", store)
            #expect(messages.map(\.sequence) == Array(1...452))
            #expect(messages.prefix(450).allSatisfy { $0.body.text.isEmpty && $0.body.metadata == nil })
            #expect(messages.suffix(2).map(\.body.text) == ["young", "late"])
            #expect(try await history(of: "b", store).map(\.body.text) == ["new"])
            #expect(try await all { try await store.eraseExpiredMessages(rule, at: now, after: $0) }.messages == 0)
            // Later the others are old enough too.
            let later = Timestamp.at(200 * day)
            #expect(try await all { try await store.eraseExpiredMessages(rule, at: later, after: $0) }.messages == 3)
        }
    }

    // MARK: Exporting

    @Test(arguments: StoreKind.allCases)
    func aUsersMessagesArePaged(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            for room in ["a", "b"] as [RoomID] {
                _ = try await store.create(.group(room), participants: ["ann"])
                await store.append(drafts.many(300, by: "ann") + drafts.many(20, by: "bob"), to: room)
            }
            var (found, cursor, pages): ([Message], String?, Int) = ([], nil, 0)
            repeat {
                let page = try await store.messages(of: "ann", after: cursor)
                found += page.messages
                cursor = page.next
                pages += 1
            } while cursor != nil && pages < 100
            #expect(found.count == 600 && Set(found.map(\.id)).count == 600)
            #expect(found.allSatisfy { $0.body.author == "ann" })
            #expect(try await store.rooms(knowing: "ann", after: nil, limit: 1) == ["a"])
            #expect(try await store.rooms(knowing: "ann", after: "a", limit: 5) == ["b"])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func rightsReportsAndChangesOfAUserArePaged(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            let rooms = ["a", "b", "c"] as [RoomID]
            let mute = RoomStanding(.mute, of: "ann", until: .at(9), reason: "loud", by: "bob", since: .at(1))
            let moderator = RoomStanding(.moderator, of: "ann", since: .at(2))
            var flagged: [MessageID] = []
            for room in rooms {
                _ = try await store.create(.group(room, owner: "bob"), participants: ["ann", "bob"])
                #expect(try await store.set(moderator, in: room) == .recorded)
                let said = drafts.next(by: "bob")
                await store.append([said], to: room)
                flagged.append(said.id)
                for user in ["ann", "bob"] as [UserID] {
                    #expect(try await store.flag(MessageFlag(said.id, by: user, since: .at(3)), in: room) == .recorded)
                    let id = drafts.next()
                    let reaction = ChangeDraft(
                        id: id.id, messageID: said.id, user: RoomUser(userID: user, username: "x"),
                        request: .react(Emoji(unchecked: "👍"), isRemoved: false), authority: .anyMessage,
                        clientMessageID: nil, timestamp: id.timestamp)
                    _ = await store.commit([RoomWrite(roomID: room, lastKnown: 1, drafts: [.change(reaction)])])
                }
            }
            #expect(try await store.set(mute, in: "b") == .recorded)
            #expect(try await store.set(RoomStanding(.mute, of: "cy", since: .at(1)), in: "b") == .recorded)

            let standings = try await store.standings(of: "ann", after: nil, limit: 10)
            #expect(standings.map(\.roomID) == ["a", "b", "b", "c"])
            #expect(Set(standings.map(\.standing)) == [moderator, mute])
            #expect(try await store.standings(of: "ann", after: "b", limit: 10).map(\.roomID) == ["c"])
            #expect(try await store.standings(of: "ann", after: nil, limit: 1).map(\.roomID) == ["a"])
            let flags = try await store.flags(by: "ann", after: nil, limit: 2)
            #expect(flags.map(\.flag.message) == Array(flagged.prefix(2)) && flags.map(\.roomID) == ["a", "b"])
            #expect(try await store.flags(by: "ann", after: flagged[1], limit: 2).map(\.roomID) == ["c"])
            var (changes, cursor, pages): ([MessageChange], String?, Int) = ([], nil, 0)
            repeat {
                let page = try await store.changes(by: "ann", after: cursor)
                changes += page.changes
                cursor = page.next
                pages += 1
            } while cursor != nil && pages < 100
            #expect(Set(changes.map(\.messageID)) == Set(flagged) && changes.count == 3)
            #expect(changes.allSatisfy { $0.user.userID == "ann" })
        }
    }

    /// Cursors of jobs and callers are input.
    @Test(
        arguments: StoreKind.allCases,
        ["", "x", "m", "c", "mx", "n-5", "s\u{1F}", "99999999999999999999", "ffffffffffffffffffffffff"])
    func strangePlacesDoNoHarm(_ kind: StoreKind, _ cursor: String) async throws {
        try await withStore(kind) { store async throws in
            await store.append(drafts.many(2), to: "r")
            _ = try await store.messages(of: "ann", after: cursor)
            _ = try await store.changes(by: "ann", after: cursor)
            _ = try await store.eraseMessages(of: Self.ann(.erase), after: cursor)
            _ = try await store.eraseExpiredMessages(RetentionRule(days: 1), at: .at(0), after: cursor)
            _ = try await store.eraseMessages(of: "none", after: cursor)
        }
    }
}
