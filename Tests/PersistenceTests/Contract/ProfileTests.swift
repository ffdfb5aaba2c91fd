import ChatDomain
import Testing

/// Profiles, friendships and the times that users were last seen.
@Suite struct ProfileTests {
    @Test(arguments: StoreKind.allCases)
    func anUpdateWritesOnlyTheGivenFields(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            #expect(try await store.profiles(of: ["ann"]).isEmpty)
            try await store.update("ann", Profile(name: "Ann Ä", username: "ann", email: "ann@example.org"))
            try await store.update("ann", Profile(email: "a@example.org", avatar: "a.png"))
            try await store.update("bob", Profile(username: ""))
            let ann = Profile(name: "Ann Ä", username: "ann", email: "a@example.org", avatar: "a.png")
            #expect(try await store.profiles(of: ["ann", "bob", "cy"]) == ["ann": ann, "bob": Profile(username: "")])
            try await store.update("ann", Profile())
            #expect(try await store.profiles(of: ["ann"]) == ["ann": ann])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func friendshipIsMutualAndIdempotent(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            try await store.befriend("ann", "bob")
            try await store.befriend("bob", "ann")
            try await store.befriend("ann", "cy.$x")
            #expect(try await store.friends(of: "ann") == ["bob", "cy.$x"])
            #expect(try await store.friends(of: "bob") == ["ann"])
            try await store.unfriend("bob", "ann")
            try await store.unfriend("bob", "ann")
            #expect(try await store.friends(of: "ann") == ["cy.$x"])
            #expect(try await store.friends(of: "bob").isEmpty)
            #expect(try await store.friends(of: "nobody").isEmpty)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func lastSeenKeepsTheLater(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            try await store.update("ann", Profile(name: "Ann"))
            try await store.recordLastSeen(["ann": .at(100), "bob": .at(200)])
            try await store.recordLastSeen(["ann": .at(90), "bob": .at(300)])
            try await store.recordLastSeen([:])
            #expect(
                try await store.profiles(of: ["ann", "bob"]) == [
                    "ann": Profile(name: "Ann", lastSeen: .at(100)), "bob": Profile(lastSeen: .at(300)),
                ])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func knownUsersArePagedInOrder(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            let ids = ["10", "9", "B", "a", "é", "日本", "🙂"]
            for id in ids.shuffled() { try await store.update(UserID(unchecked: id), Profile(name: "n \(id)")) }
            try await store.recordLastSeen(["zoe": .at(5)])
            try await store.befriend("only a friend", "a")
            let sorted = (ids + ["zoe"]).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            var seen: [String] = []
            var cursor: UserID?
            repeat {
                let page = try await store.knownUsers(after: cursor, limit: 3)
                #expect(page.count <= 3)
                for entry in page where entry.user != "zoe" {
                    #expect(entry.profile == Profile(name: "n \(entry.user)"))
                }
                seen += page.map(\.user.value)
                cursor = page.last?.user
            } while cursor != nil
            #expect(seen == sorted)
        }
    }
}
