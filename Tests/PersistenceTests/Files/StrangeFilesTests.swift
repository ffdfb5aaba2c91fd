import ChatDomain
import Foundation
import Testing

@testable import PersistenceDisk
@testable import PersistenceMongoDB

/// What others put where files are kept.
@Suite struct StrangeFilesTests {
    @Test func filesOfOthersInTheDirectoryArePassedOver() async throws {
        let home = DiskFilesHome()
        defer { home.remove() }
        let store = try home.open()
        try await store.put(sampleFile(fileID(1), size: 4), [1, 2, 3, 4])
        let good = try Data(contentsOf: URL(filePath: "\(home.directory)/new/\(fileID(1))"))
        let strange: [(String, Data)] = [
            ("\(fileID(2))", Data()), ("\(fileID(3))", good), ("\(fileID(4))", good.dropLast()), ("README", good),
            ("\(fileID(5))", Data(repeating: 0xFF, count: 9000)), ("\(fileID(6))", Data("{}".utf8)),
        ]
        for (name, data) in strange { try data.write(to: URL(filePath: "\(home.directory)/new/\(name)")) }
        try FileManager.default.createSymbolicLink(
            atPath: "\(home.directory)/new/\(fileID(7))", withDestinationPath: "/etc/passwd")
        for number in 2...7 { #expect(try await store.file(fileID(number)) == nil) }
        #expect(try await store.files(.room("lobby"), after: nil, limit: 10).map(\.id) == [fileID(1)])
        await store.close()
    }

    @Test func headersSurviveAnyBytes() throws {
        var file = sampleFile(fileID(1), size: 5)
        let header = try #require(FileHeader.encode(file))
        #expect(header.count == FileHeader.byteCount)
        #expect(FileHeader.decode(header, id: file.id, size: 5, isReferenced: false) == file)
        #expect(FileHeader.decode(header, id: file.id, size: 6, isReferenced: false) == nil, "a part is missing")
        for (member, value) in [
            ("size", "1e300"), ("width", "-1"), ("uploadedAt", "9223372036854775807"), ("name", "\"\\u0000\""),
        ] {
            let text = "{\"fileId\":\"\(file.id)\",\"roomId\":\"a\",\"userId\":\"b\",\"size\":5,\"uploadedAt\":1}"
                .replacing("}", with: ",\"\(member)\":\(value)}")
            _ = FileHeader.decode(Array(text.utf8), id: file.id, size: 5, isReferenced: true)
        }
        file.name = String(repeating: "\u{1}", count: 8000)
        #expect(FileHeader.encode(file) == nil)
    }

    @Test func documentsOfOthersArePassedOver() {
        let good = GridFS.document(sampleFile(fileID(1), size: 5))
        #expect(GridFS.file(good) == sampleFile(fileID(1), size: 5))
        let strange: [(String, BSONValue)] = [
            ("_id", 1), ("_id", "x"), ("length", -1), ("length", .double(.nan)), ("chunkSize", 0), ("metadata", nil),
            ("uploadDate", "today"), ("metadata", ["roomId": "", "userId": "b"]),
            ("metadata", ["roomId": "a", "userId": 1]),
        ]
        for (name, value) in strange {
            var document = good
            document[name] = value
            #expect(GridFS.file(document) == nil, "\(name)")
        }
        var odd = good
        odd["metadata"] = ["roomId": "a", "userId": "b", "width": .int64(.max), "height": .int64(.max)]
        #expect(GridFS.file(odd)?.dimensions == nil)
        #expect(GridFS.file(odd)?.isReferenced == true, "what is not known to be needless is kept")
    }
}
