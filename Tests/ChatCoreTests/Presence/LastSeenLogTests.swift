import ChatDomain
import ChatTestSupport
import Testing

@testable import ChatCore

@Suite struct LastSeenLogTests {
    private let ann = user("ann")

    private func withLog(_ body: (LastSeenLog, FaultyStore) async throws -> Void) async throws {
        let store = try FaultyStore()
        try await body(LastSeenLog(store: store), store)
        await store.close()
    }

    @Test func theLatestTimeIsWrittenOnce() async throws {
        try await withLog { log, store in
            log.note(ann, at: stamp(2000))
            log.note(ann, at: stamp(1000))
            #expect(log.lastSeen(of: ann) == stamp(2000))
            try await log.flush()
            #expect(log.lastSeen(of: ann) == nil)
            #expect(try await store.real.profiles(of: [ann])[ann]?.lastSeen == stamp(2000))
            try await log.flush()
            #expect(store.calls("recordLastSeen") == 1)
        }
    }

    @Test func whatCannotBeWrittenWaitsForTheNextTime() async throws {
        try await withLog { log, store in
            store.setNotes(.fails)
            log.note(ann, at: stamp(1000))
            log.note(ann, Profile(username: "Ann"))
            await #expect(throws: StoreError.self) { try await log.flush() }
            log.note(ann, at: stamp(3000))
            store.setNotes(.works)
            try await log.flush()
            let profile = try await store.real.profiles(of: [ann])[ann]
            #expect(profile?.lastSeen == stamp(3000) && profile?.username == "Ann")
        }
    }

    @Test func aProfileIsWrittenWhenItChanged() async throws {
        try await withLog { log, store in
            for _ in 0..<3 {
                log.note(ann, Profile(username: "Ann"))
                try await log.flush()
            }
            #expect(store.calls("update") == 1)
            log.note(ann, Profile())
            log.note(ann, Profile(username: "Anna"))
            try await log.flush()
            #expect(store.calls("update") == 2)
            #expect(try await store.real.profiles(of: [ann])[ann]?.username == "Anna")
        }
    }
}
