import ChatDomain
import Testing

@testable import Gateway

@Suite struct FileLinkTests {
    private let link = FileLink(key: Array("key".utf8))
    private let now = Timestamp(milliseconds: 1_700_000_000_000)

    private func file(_ digit: String, name: String = "a b/ü?.png") throws -> StoredFile {
        StoredFile(
            id: try #require(FileID(String(repeating: digit, count: 32))), roomID: RoomID(unchecked: "r"),
            owner: UserID(unchecked: "u"), name: name, contentType: "image/png", size: 1, sha256: "", uploadedAt: now)
    }

    /// The time and the signature of an address.
    private func parts(_ address: String) throws -> (expires: Int64, signature: String) {
        let query = try #require(address.split(separator: "?").last).split(separator: "&").map {
            $0.split(separator: "=")
        }
        return (try #require(Int64(query[0][1])), String(query[1][1]))
    }

    @Test func anAddressIsGoodForAnHour() throws {
        let file = try file("a")
        let address = link.address(of: file, at: now)
        #expect(address.hasPrefix("/api/files/\(file.id)/a%20b%2F%C3%BC%3F.png?expires=1700003600&signature="))
        let (expires, signature) = try parts(address)
        let late = Timestamp(milliseconds: now.milliseconds + 3_600_000)
        #expect(link.isValid(signature, for: file.id, expires: expires, at: now))
        #expect(!link.isValid(signature, for: file.id, expires: expires, at: late))
    }

    @Test func aSignatureIsForOneFileOneTimeAndOneKey() throws {
        let (file, other) = (try file("a"), try self.file("b"))
        let (expires, signature) = try parts(link.address(of: file, at: now))
        #expect(!link.isValid(signature, for: other.id, expires: expires, at: now))
        #expect(!link.isValid(signature, for: file.id, expires: expires + 1, at: now))
        #expect(!FileLink(key: [1]).isValid(signature, for: file.id, expires: expires, at: now))
        for text in ["", String(signature.dropLast()), signature + "0", signature.uppercased()] {
            #expect(!link.isValid(text, for: file.id, expires: expires, at: now))
        }
    }
}
