import ChatDomain
import Foundation
import PersistenceDisk

@testable import PersistenceMongoDB

/// The file stores that the contract suite runs over.
enum FileStoreKind: String, CaseIterable, Sendable, CustomStringConvertible {
    case disk, gridFS

    var description: String { rawValue }

    func makeHome() async throws -> any FileStoreHome {
        switch self {
        case .disk: DiskFilesHome()
        case .gridFS: GridFSHome(mongo: try await MongoHome())
        }
    }
}

/// A place for files that several stores open in turn, or at once.
protocol FileStoreHome: Sendable {
    func open() async throws -> any FileStore
    /// What is there of files that are not complete.
    func leftovers() async throws -> Int
    func remove() async
}

struct DiskFilesHome: FileStoreHome {
    let directory = FileManager.default.temporaryDirectory.path + "/chat-files-\(UUID().uuidString)"

    func open() throws -> any FileStore { try DiskFileStore(directory: directory, makeKey: randomKey) }

    func leftovers() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: directory + "/incoming").count
    }

    func remove() { try? FileManager.default.removeItem(atPath: directory) }
}

struct GridFSHome: FileStoreHome {
    let mongo: MongoHome

    func open() async throws -> any FileStore {
        try await MongoFileStore.open(
            uri: mongo.server.uri(mongo.database), options: StoreOptions(), now: { .at(1000) }, makeKey: randomKey)
    }

    func leftovers() async throws -> Int {
        try await mongo.raw { connection throws(MongoError) in
            let known = Set(try connection.find(GridFS.files, [:]).compactMap { $0["_id"]?.text })
            return try connection.find(GridFS.chunks, [:]).filter { !known.contains($0["files_id"]?.text ?? "") }.count
        }
    }

    func remove() async { await mongo.remove() }
}

@Sendable private func randomKey() -> [UInt8] { (0..<32).map { _ in UInt8.random(in: 0...255) } }

/// Runs `body` on a new store, which is gone afterwards.
func withFileStore(
    _ kind: FileStoreKind, _ body: (any FileStore, any FileStoreHome) async throws -> Void
) async throws {
    let home = try await kind.makeHome()
    do {
        let store = try await home.open()
        do { try await body(store, home) } catch {
            await store.close()
            throw error
        }
        await store.close()
    } catch {
        await home.remove()
        throw error
    }
    await home.remove()
}

/// An id that ends with the number and begins with other digits for each.
func fileID(_ number: Int) -> FileID {
    let digits = String(number, radix: 16)
    guard let id = FileID(String(repeating: String(digits.suffix(1)), count: 32 - digits.count) + digits) else {
        preconditionFailure("no id for \(number)")
    }
    return id
}

func sampleFile(
    _ id: FileID, in room: RoomID = "lobby", by owner: UserID = "ann", size: Int64, at time: Int64 = 1000
) -> StoredFile {
    StoredFile(
        id: id, roomID: room, owner: owner, name: "naïve \"x\".png", contentType: "image/png", size: size,
        sha256: String(repeating: "ab", count: 32), dimensions: ImageDimensions(width: 640, height: 480),
        uploadedAt: .at(time))
}

extension FileStore {
    /// Puts a file there, in parts of uneven sizes.
    @discardableResult
    func put(_ file: StoredFile, _ content: [UInt8], partBytes: Int = 50_021) async throws -> StoredFile {
        let writer = try await create(file.id)
        for start in stride(from: 0, to: content.count, by: partBytes) {
            try await writer.append(Array(content[start..<min(content.count, start + partBytes)]))
        }
        try await writer.finish(file)
        return file
    }

    /// The whole content, read in parts of at most `limit` bytes.
    func content(of file: StoredFile, from start: Int64 = 0, limit: Int = 131_072) async throws -> [UInt8] {
        var content: [UInt8] = []
        while start + Int64(content.count) < file.size {
            content += try await read(file.id, from: start + Int64(content.count), limit: limit)
        }
        return content
    }
}
