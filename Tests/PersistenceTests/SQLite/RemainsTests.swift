import ChatDomain
import Foundation
import TestSupport
import Testing

@testable import PersistenceSQLite

/// Copies of deleted texts in the files of the embedded store: in unused parts of pages, in free pages, in the log.
@Suite struct RemainsTests {
    private let drafts = Drafts()
    private static let rooms = (0..<30).map { RoomID(unchecked: "room-\($0)") }

    private func rounds(
        _ count: Int, of store: SQLiteStore, _ random: inout SplitMix
    ) async throws -> (kept: Set<String>, deleted: Set<String>) {
        var (kept, deleted): ([String: (id: MessageID, room: RoomID)], Set<String>) = ([:], [])
        var number = 0
        for round in 1...count {
            var writes: [RoomID: [RoomDraft]] = [:]
            for _ in 0..<100 {
                number += 1
                let marks = "qz\(1_000_000 + number)"
                // Short ones share a page with many others; long ones continue on pages of their own.
                let length = [5, 30, 200, 900, 2500].randomElement(using: &random) ?? 5
                let draft = drafts.next(
                    String(repeating: "\(marks) ", count: 1 + length / 10), client: "client-\(number)",
                    metadata: "{\"m\":\"\(marks)\"}")
                let room = Self.rooms[Int.random(in: 0..<Self.rooms.count, using: &random)]
                writes[room, default: []].append(.message(draft))
                kept[marks] = (draft.id, room)
            }
            let outcomes = await store.commit(writes.map { RoomWrite(roomID: $0, lastKnown: 0, drafts: $1) })
            #expect(outcomes.allSatisfy { $0.drafts.allSatisfy { $0.storedSequence != nil } })
            let changes = kept.keys.sorted().shuffled(using: &random).prefix(25).compactMap { marks -> RoomWrite? in
                guard let message = kept.removeValue(forKey: marks) else { return nil }
                deleted.insert(marks)
                let id = drafts.next()
                let draft = ChangeDraft(
                    id: id.id, messageID: message.id, user: RoomUser(userID: "ann", username: "Ann"), request: .delete,
                    authority: .anyMessage, clientMessageID: nil, timestamp: id.timestamp)
                return RoomWrite(roomID: message.room, lastKnown: 0, drafts: [.change(draft)])
            }
            for outcome in await store.commit(changes) {
                if case .changed = outcome.drafts.first {} else { Issue.record("\(outcome)") }
            }
            guard round.isMultiple(of: 10) else { continue }
            // Messages move to their table, and the index of words is built, behind the acknowledgements.
            try await store.purgeErased()
            #expect(
                try await eventually { try await store.write { session throws(StoreError) in !session.isIndexing } })
        }
        return (Set(kept.keys), deleted)
    }

    /// The marks of messages that are in any of the files.
    private func marks(in directory: String) throws -> Set<String> {
        var found: Set<String> = []
        for name in try FileManager.default.contentsOfDirectory(atPath: directory) {
            let data = try Data(contentsOf: URL(filePath: directory + "/" + name))
            data.withUnsafeBytes { bytes in
                var index = 0
                while index + 9 <= bytes.count {
                    if bytes[index] == UInt8(ascii: "q"), bytes[index + 1] == UInt8(ascii: "z") {
                        found.insert(String(decoding: bytes[index..<(index + 9)], as: UTF8.self))
                        index += 9
                    } else {
                        index += 1
                    }
                }
            }
        }
        return found
    }

    @Test func noTextOfADeletedMessageIsLeftInAnyFile() async throws {
        let home = try SQLiteHome()
        defer { home.remove() }
        let store = try home.openSQLite(StoreOptions(outboxOwner: InstanceID("one"), publishesChanges: true))
        var random = SplitMix(seed: 3)
        let (kept, deleted) = try await rounds(60, of: store, &random)
        try await store.purgeErased()
        let left = try marks(in: home.directory)
        #expect(left.isSuperset(of: kept) && kept.count == 4500 && deleted.count == 1500)
        #expect(left.intersection(deleted).sorted().prefix(3) == [])
        await store.close()
    }

    /// Opens a file as earlier versions did: rows that move leave copies behind.
    @Test func aFileOfAnEarlierVersionIsWrittenAnewOnce() async throws {
        let home = try SQLiteHome()
        defer { home.remove() }
        let store = try home.openSQLite()
        await store.append(drafts.many(10), to: "a")
        await store.close()
        let files = StoreFiles(directory: home.directory)
        do {
            let connection = try SQLiteConnection(path: files.database, mode: .readWrite)
            try connection.execute(
                """
                PRAGMA secure_delete = OFF; CREATE TABLE t(x); INSERT INTO t VALUES('qz7654321'); DROP TABLE t;
                DELETE FROM settlements WHERE key = 3
                """)
        }
        #expect(try marks(in: home.directory) == ["qz7654321"])
        let again = try home.openSQLite()
        #expect(try await again.history(of: "a", HistoryQuery(.latest)).messages.count == 10)
        #expect(try marks(in: home.directory) == [])
        await again.close()
        let identity = try FileManager.default.attributesOfItem(atPath: files.database)[.systemFileNumber] as? Int
        let third = try home.openSQLite()
        await third.close()
        #expect(
            try FileManager.default.attributesOfItem(atPath: files.database)[.systemFileNumber] as? Int == identity)
    }

    @Test(arguments: [512, 4096, 65_536]) func onlyPagesOfTreesHaveUnallocatedBytes(_ size: Int) {
        func range(_ head: [UInt8], isFirst: Bool = false) -> Range<Int>? {
            var page = [UInt8](repeating: 0xEE, count: size)
            page.replaceSubrange((isFirst ? 100 : 0)..<((isFirst ? 100 : 0) + head.count), with: head)
            return page.withUnsafeBytes { UnallocatedBytes.range(in: $0, isFirst: isFirst) }
        }
        // A leaf with three cells that begin at byte 400, an inner page, the file's first page.
        #expect(range([13, 0, 0, 0, 3, 1, 0x90, 0]) == 14..<400)
        #expect(range([2, 0, 0, 0, 3, 1, 0x90, 0]) == 18..<400)
        #expect(range([13, 0, 0, 0, 3, 1, 0x90, 0], isFirst: true) == 114..<400)
        // Where the first cell follows, or the numbers make no sense.
        #expect(range([13, 0, 0, 0, 196, 1, 0x90, 0]) == nil)
        #expect(range([13, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0]) == nil)
        #expect(range([13, 0, 0, 0, 0, 0, 0, 0]) == (size == 65_536 ? 8..<size : nil))
        for kind in [0, 1, 3, 0xEE] as [UInt8] { #expect(range([kind, 0, 0, 0, 3, 1, 0x90, 0]) == nil) }
        #expect(
            [UInt8](repeating: 13, count: 100).withUnsafeBytes { UnallocatedBytes.range(in: $0, isFirst: false) } == nil
        )
    }
}
