import ChatDomain
import Foundation
import PersistenceSQLite
import Testing

/// What is left in the files of the embedded store.
@Suite struct ErasedFilesTests {
    private let drafts = Drafts()

    private func files(of home: SQLiteHome) throws -> Data {
        try FileManager.default.contentsOfDirectory(atPath: home.directory)
            .reduce(into: Data()) { data, name in
                data += try Data(contentsOf: URL(filePath: home.directory + "/" + name))
            }
    }

    @Test(arguments: ErasedMessages.allCases)
    func nothingOfAUserIsLeft(_ policy: ErasedMessages) async throws {
        let home = try SQLiteHome()
        defer { home.remove() }
        let store = try home.openSQLite(StoreOptions(outboxOwner: InstanceID("one")))
        let user: UserID = "qquser"
        let direct = DirectRoom.id(of: user, and: "bob")
        _ = try await store.create(.group("r", owner: user), participants: [user, "bob"])
        _ = try await store.create(
            Room(id: direct, kind: .direct, isPrivate: true, createdAt: .at(1)), participants: [user, "bob"])
        try await store.update(user, Profile(name: "Qqname", email: "qqmail@example.org"))
        try await store.befriend(user, "bob")
        for room in ["r", direct] as [RoomID] {
            let texts = (1...300).map {
                drafts.next("qqtext \($0)", by: user.value, client: "qqclient-\($0)", username: "Qqname")
            }
            await store.append(texts, to: room)
            await store.append([drafts.next("hello <@qquser>", by: "bob")], to: room, lastKnown: 300)
        }
        #expect(try await store.mark(user, 301, in: "r"))
        var found = try files(of: home)
        for word in ["qquser", "Qqname", "qqmail", "qqtext", "qqclient"] {
            #expect(found.contains(word), "before: \(word)")
        }

        let erased = ErasedUser(user, as: "erased-7", messages: policy)
        _ = try await store.eraseRecords(of: erased)
        _ = try await store.moveDirectRoom(direct, of: erased)
        var cursor: String?
        repeat { cursor = try await store.eraseMessages(of: erased, after: cursor).next } while cursor != nil
        try await store.purgeErased()
        found = try files(of: home)
        for word in ["qquser", "Qqname", "qqmail", "qqclient"] { #expect(!found.contains(word), "after: \(word)") }
        #expect(found.contains("qqtext") == (policy == .anonymize))
        await store.close()
    }
}

extension Data {
    fileprivate func contains(_ text: String) -> Bool { range(of: Data(text.utf8)) != nil }
}
