import ChatDomain
import Testing

/// A stored message waits for its event to be published, under the instance that stored it.
@Suite struct OutboxTests {
    private let drafts = Drafts()
    private static let one = InstanceID("one")
    private static let two = InstanceID("two")

    @Test(arguments: StoreKind.allCases)
    func storedMessagesWaitUntilCleared(_ kind: StoreKind) async throws {
        try await withStore(kind, StoreOptions(outboxOwner: Self.one)) { store async throws in
            let first = drafts.many(3)
            await store.append(first, to: "a")
            let second = drafts.next("b", client: "c1", metadata: #"{"x":1}"#)
            await store.append([second], to: "b")
            let stored =
                first.enumerated().map { Message($1, in: "a", sequence: SequenceNumber($0 + 1)) }
                + [Message(second, in: "b", sequence: 1)]
            let all = stored.map { RoomLogEntry.message($0) }

            #expect(try await store.pendingEvents(of: Self.one, to: .broker, limit: 10, except: []) == all)
            #expect(
                try await store.pendingEvents(of: Self.one, to: .broker, limit: 2, except: []) == Array(all.prefix(2)))
            #expect(
                try await store.pendingEvents(of: Self.one, to: .broker, limit: 2, except: [first[0].id])
                    == Array(all[1...2]))
            #expect(try await store.pendingEvents(of: Self.two, to: .broker, limit: 10, except: []).isEmpty)
            #expect(try await store.eventOwners(to: .broker) == [Self.one])
            var backlog = try await store.backlog(to: .broker)
            #expect(backlog.count == 4)
            #expect(backlog.oldest == first[0].timestamp)

            try await store.clearEvents([first[0].id, first[2].id], to: .broker)
            try await store.clearEvents([first[0].id], to: .broker)
            try await store.clearEvents([], to: .broker)
            #expect(
                try await store.pendingEvents(of: Self.one, to: .broker, limit: 10, except: []) == [all[1], all[3]])
            try await store.clearEvents(all.map(\.id), to: .broker)
            #expect(try await store.pendingEvents(of: Self.one, to: .broker, limit: 10, except: []).isEmpty)
            #expect(try await store.eventOwners(to: .broker).isEmpty)
            backlog = try await store.backlog(to: .broker)
            #expect(backlog.count == 0)
            #expect(backlog.oldest == nil)
            #expect(try await store.numbers(of: "a", HistoryQuery(.latest)) == [1, 2, 3], "messages stay")
        }
    }

    @Test(arguments: StoreKind.allCases)
    func repeatsDoNotWaitAgain(_ kind: StoreKind) async throws {
        try await withStore(kind, StoreOptions(outboxOwner: Self.one)) { store async throws in
            await store.append([drafts.next("x", client: "c1"), drafts.next("x", client: "c1")], to: "a")
            await store.append([drafts.next("x", client: "c1"), drafts.next("y", client: "c1")], to: "a")
            #expect(try await store.backlog(to: .broker).count == 1)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func withoutAnOwnerNothingWaits(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            await store.append(drafts.many(2), to: "a")
            #expect(try await store.backlog(to: .broker).count == 0)
            #expect(try await store.eventOwners(to: .broker).isEmpty)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func theEventsOfADeadInstanceAreTakenOver(_ kind: StoreKind) async throws {
        try await withHome(kind) { home async throws in
            let first = try await home.open(StoreOptions(outboxOwner: Self.one))
            let left = drafts.many(2)
            await first.append(left, to: "a")
            await first.close()

            let second = try await home.open(StoreOptions(outboxOwner: Self.two))
            let own = drafts.next("own")
            await second.append([own], to: "a", lastKnown: 2)
            #expect(Set(try await second.eventOwners(to: .broker)) == [Self.one, Self.two])
            #expect(try await second.adoptEvents(of: Self.one, to: .broker, by: Self.two) == 2)
            #expect(try await second.adoptEvents(of: Self.one, to: .broker, by: Self.two) == 0)
            #expect(try await second.eventOwners(to: .broker) == [Self.two])
            let pending = try await second.pendingEvents(of: Self.two, to: .broker, limit: 10, except: [])
            #expect(pending.map(\.id) == left.map(\.id) + [own.id])
            await second.close()
        }
    }

    @Test(arguments: StoreKind.allCases)
    func theEventsOfADeletedRoomStillWait(_ kind: StoreKind) async throws {
        try await withStore(kind, StoreOptions(outboxOwner: Self.one)) { store async throws in
            _ = try await store.create(.group("a"), participants: [])
            await store.append(drafts.many(1), to: "a")
            #expect(try await store.delete("a", at: .at(5000)))
            #expect(
                try await store.pendingEvents(of: Self.one, to: .broker, limit: 10, except: []).map(\.roomID) == ["a"])
        }
    }
}
