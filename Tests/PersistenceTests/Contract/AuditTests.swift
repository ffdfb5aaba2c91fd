import ChatDomain
import Testing

/// The trail of acts of management.
@Suite struct AuditTests {
    private static func entry(
        _ number: UInt32, at time: Int64, _ action: AuditEntry.Action = .kick, user: UserID? = nil,
        actor: UserID? = nil
    ) -> AuditEntry {
        AuditEntry(
            id: MessageID(high: 7, low: number), timestamp: .at(time), action: action, actor: actor,
            instance: InstanceID("one"), user: user)
    }

    @Test(arguments: StoreKind.allCases)
    func anEntryComesBackAsItWas(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            let full = AuditEntry(
                id: MessageID(high: 1 << 63, low: 9), timestamp: .at(5000), action: .messageDelete, outcome: .refused,
                isService: true, actor: "ann", address: "10.0.0.7", instance: InstanceID("one"), user: "böb",
                room: "lobby", message: MessageID(high: 3, low: 4), detail: "a \" ä")
            let bare = Self.entry(1, at: 4000)
            try await store.record(full)
            try await store.record(bare)
            try await store.record(full)
            #expect(try await store.auditEntries(AuditQuery(limit: 10)) == [full, bare])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func pagesGoFromTheNewestToTheOldest(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            // Two entries of one millisecond differ by their ids.
            let entries = [Self.entry(1, at: 9), Self.entry(3, at: 8), Self.entry(2, at: 8), Self.entry(9, at: 1)]
            for entry in entries.reversed() { try await store.record(entry) }
            var found: [AuditEntry] = []
            while true {
                let page = try await store.auditEntries(AuditQuery(before: found.last?.place, limit: 1))
                guard let entry = page.first else { break }
                found.append(entry)
            }
            #expect(found == entries)
            #expect(try await store.auditEntries(AuditQuery(limit: 0)) == [])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func entriesAreFoundByActionUserAndActor(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            let ban = Self.entry(1, at: 1, .roomBan, user: "bob", actor: "ann")
            let kick = Self.entry(2, at: 2, .kick, user: "bob")
            let reload = Self.entry(3, at: 3, .reload, actor: "ann")
            for entry in [ban, kick, reload] { try await store.record(entry) }
            #expect(try await store.auditEntries(AuditQuery(limit: 9, action: .roomBan)) == [ban])
            #expect(try await store.auditEntries(AuditQuery(limit: 9, user: "bob")) == [kick, ban])
            #expect(try await store.auditEntries(AuditQuery(limit: 9, actor: "ann")) == [reload, ban])
            #expect(try await store.auditEntries(AuditQuery(limit: 9, user: "ann")) == [])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func theTrailIsTrimmedByAgeAndByCount(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            for number in 1...6 { try await store.record(Self.entry(UInt32(number), at: Int64(number) / 2)) }
            try await store.trimAudit(before: .at(1), keeping: 9)
            #expect(try await store.auditEntries(AuditQuery(limit: 9)).map(\.id.low) == [6, 5, 4, 3, 2])
            try await store.trimAudit(before: .at(0), keeping: 3)
            #expect(try await store.auditEntries(AuditQuery(limit: 9)).map(\.id.low) == [6, 5, 4])
            try await store.trimAudit(before: .at(0), keeping: 3)
            #expect(try await store.auditEntries(AuditQuery(limit: 9)).count == 3)
            try await store.trimAudit(before: .at(0), keeping: 0)
            #expect(try await store.auditEntries(AuditQuery(limit: 9)) == [])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func anErasedUserIsNamedNoMore(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            try await store.record(Self.entry(1, at: 1, .kick, user: "bob", actor: "ann"))
            try await store.record(Self.entry(2, at: 2, .mute, user: "ann", actor: "bob"))
            try await store.eraseModeration(of: "bob")
            let entries = try await store.auditEntries(AuditQuery(limit: 9))
            #expect(entries.map(\.user) == ["ann", nil])
            #expect(entries.map(\.actor) == [nil, "ann"])
        }
    }
}
