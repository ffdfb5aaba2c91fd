import ChatDomain
import Testing

/// The contract of `FileStore`.
@Suite struct FileStoreTests {
    private static func bytes(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) } }

    @Test(arguments: FileStoreKind.allCases)
    func aFileIsReadAsItWasWritten(_ kind: FileStoreKind) async throws {
        try await withFileStore(kind) { store, home in
            for (number, size) in [1, 131_071, 131_072, 131_073, 400_000].enumerated() {
                let content = Self.bytes(size)
                let file = try await store.put(sampleFile(fileID(number), size: Int64(size)), content)
                #expect(try await store.file(file.id) == file)
                #expect(try await store.content(of: file) == content, "\(size) bytes")
                #expect(
                    try await store.content(of: file, from: Int64(size) / 2, limit: 70_001)
                        == Array(content[(size / 2)...]))
            }
            let again = try await home.open()
            #expect(try await again.file(fileID(4))?.size == 400_000)
            await again.close()
        }
    }

    @Test(arguments: FileStoreKind.allCases)
    func nothingIsReadOutsideAFile(_ kind: FileStoreKind) async throws {
        try await withFileStore(kind) { store, _ in
            let file = try await store.put(sampleFile(fileID(1), size: 10), Self.bytes(10))
            for offset in [10, 11, 131_072, -1, Int64.max, .min] {
                await #expect(throws: StoreError.self) { try await store.read(file.id, from: offset, limit: 5) }
            }
            await #expect(throws: StoreError.self) { try await store.read(fileID(2), from: 0, limit: 5) }
            await #expect(throws: StoreError.self) { try await store.read(file.id, from: 0, limit: 0) }
            #expect(try await store.file(fileID(2)) == nil)
        }
    }

    @Test(arguments: FileStoreKind.allCases)
    func aFileIsThereOnlyWhenItIsComplete(_ kind: FileStoreKind) async throws {
        try await withFileStore(kind) { store, home in
            let writer = try await store.create(fileID(1))
            try await writer.append(Self.bytes(300_000))
            #expect(try await store.file(fileID(1)) == nil)
            #expect(try await home.leftovers() > 0)
            await writer.abandon()
            #expect(try await store.file(fileID(1)) == nil)
            #expect(try await home.leftovers() == 0)
        }
    }

    @Test(arguments: FileStoreKind.allCases)
    func whatADeadProcessWroteGoes(_ kind: FileStoreKind) async throws {
        try await withFileStore(kind) { store, home in
            let complete = try await store.put(sampleFile(fileID(2), size: 10), Self.bytes(10))
            let writer = try await store.create(fileID(1))
            try await writer.append(Self.bytes(300_000))
            #expect(try await store.removeAbandoned(since: .at(0)) == 0)
            #expect(try await home.leftovers() > 0, "it may be written still")
            #expect(try await store.removeAbandoned(since: Timestamp(milliseconds: 99_999_999_999_000)) == 1)
            #expect(try await home.leftovers() == 0)
            #expect(try await store.file(complete.id) == complete)
            _ = writer
        }
    }

    @Test(arguments: FileStoreKind.allCases)
    func aFileIsReferencedOrNot(_ kind: FileStoreKind) async throws {
        try await withFileStore(kind) { store, _ in
            var file = try await store.put(sampleFile(fileID(1), size: 10), Self.bytes(10))
            #expect(try await !store.setReferenced(file.id, false))
            #expect(try await store.setReferenced(file.id, true))
            #expect(try await !store.setReferenced(file.id, true), "it is already")
            file.isReferenced = true
            #expect(try await store.file(file.id) == file)
            #expect(try await store.content(of: file) == Self.bytes(10))
            #expect(try await store.setReferenced(file.id, false))
            #expect(try await store.file(file.id)?.isReferenced == false)
            #expect(try await !store.setReferenced(fileID(9), true), "there is no such file")
        }
    }

    @Test(arguments: FileStoreKind.allCases)
    func removedFilesAreGone(_ kind: FileStoreKind) async throws {
        try await withFileStore(kind) { store, home in
            let files = [1, 2, 3].map { sampleFile(fileID($0), size: 10) }
            for file in files { try await store.put(file, Self.bytes(10)) }
            _ = try await store.setReferenced(fileID(1), true)
            try await store.remove([fileID(1), fileID(2), fileID(7)])
            #expect(try await store.file(fileID(1)) == nil)
            #expect(try await store.file(fileID(2)) == nil)
            await #expect(throws: StoreError.self) { try await store.read(fileID(1), from: 0, limit: 5) }
            #expect(try await store.file(fileID(3)) == files[2])
            #expect(try await home.leftovers() == 0)
        }
    }

    @Test(arguments: FileStoreKind.allCases)
    func notesOfRemovalsStayUntilTheFileIsGone(_ kind: FileStoreKind) async throws {
        try await withFileStore(kind) { store, home in
            for number in [1, 2] { try await store.put(sampleFile(fileID(number), size: 10), Self.bytes(10)) }
            let removals = [1, 2].map { number in
                FileRemoval(
                    file: fileID(number), roomID: "a", messageID: MessageID(high: 7, low: 9), author: "ann\u{E9}",
                    notedAt: .at(Int64(number) * 1000))
            }
            for removal in removals { try await store.note(removal) }
            try await store.note(removals[0])
            let again = try await home.open()
            #expect(try await Set(again.removals(notedBefore: .at(2001), limit: 10)) == Set(removals))
            #expect(try await again.removals(notedBefore: .at(2000), limit: 10) == [removals[0]])
            #expect(try await again.removals(notedBefore: .at(2001), limit: 1).count == 1)
            try await again.forgetRemoval(of: fileID(1))
            try await again.forgetRemoval(of: fileID(1))
            #expect(try await again.removals(notedBefore: .at(2001), limit: 10) == [removals[1]])
            try await again.remove([fileID(2)])
            #expect(try await again.removals(notedBefore: .at(2001), limit: 10) == [])
            #expect(try await again.file(fileID(1)) != nil)
            await again.close()
        }
    }

    @Test(arguments: FileStoreKind.allCases)
    func filesAreListedInPages(_ kind: FileStoreKind) async throws {
        try await withFileStore(kind) { store, _ in
            let places: [(Int, RoomID, UserID, Int64)] = [
                (1, "a", "ann", 10), (2, "a", "bob", 20), (0x13, "b", "ann", 30), (0xF4, "a", "ann", 40),
                (0x25, "a", "ann", 50),
            ]
            for (number, room, owner, time) in places {
                try await store.put(sampleFile(fileID(number), in: room, by: owner, size: 1, at: time), [7])
            }
            _ = try await store.setReferenced(fileID(1), true)
            func list(_ selection: FileSelection) async throws -> [FileID] {
                var ids: [FileID] = []
                while true {
                    let page = try await store.files(selection, after: ids.last, limit: 2)
                    #expect(page.count <= 2)
                    guard !page.isEmpty, ids.count < 20 else { return ids }
                    ids += page.map(\.id)
                }
            }
            #expect(try await list(.room("a")) == [1, 2, 0xF4, 0x25].map(fileID).sorted())
            #expect(try await list(.room("c")) == [])
            #expect(try await list(.owner("ann")) == [1, 0x13, 0xF4, 0x25].map(fileID).sorted())
            #expect(try await list(.unreferenced(before: .at(40))) == [2, 0x13].map(fileID).sorted())
        }
    }

    @Test(arguments: FileStoreKind.allCases)
    func instancesShareOneKey(_ kind: FileStoreKind) async throws {
        try await withFileStore(kind) { store, home in
            let other = try await home.open()
            async let first = store.signingKey()
            async let second = other.signingKey()
            let keys = try await [first, second]
            #expect(keys[0] == keys[1] && keys[0].count >= 32)
            #expect(try await store.signingKey() == keys[0])
            try await other.probe()
            await other.close()
        }
    }
}
