import ChatDomain
import Testing

@testable import ChatService

@Suite struct UserStateFileTests {
    private func entries(_ text: String) throws -> [String: Int64?] {
        let entries = try UserStateFile(Array(text.utf8)).entries
        return Dictionary(uniqueKeysWithValues: entries.map { ($0.user.value, $0.profile.lastSeen?.milliseconds) })
    }

    @Test(arguments: [
        #"[{"userId":"a","status":"online","lastSeen":"1970-01-01T00:00:01.500Z"},{"id":7,"lastSeen":9}]"#,
        #"{"a":{"status":"offline","lastSeen":1500},"7":{"lastSeen":"1970-01-01T02:00:00.009+02:00"}}"#,
        #"{"users":[{"userId":"a","lastSeen":1500},{"userId":"7","lastSeen":9}]}"#,
    ])
    func acceptsEveryShape(_ text: String) throws {
        #expect(try entries(text) == ["a": 1500, "7": 9])
    }

    @Test func lastSeenIsOptional() throws {
        #expect(try entries(#"{"a":{"status":"offline","lastSeen":null}}"#) == ["a": Int64?.none])
    }

    @Test(arguments: [
        ("nonsense", "the file is not JSON"), ("3", "neither an array"), ("[{}]", "entry 0 has no userId"),
        (#"{"a":{"lastSeen":"yesterday"}}"#, "lastSeen is no time"), (#"[{"userId":""}]"#, "must not be empty"),
    ])
    func namesTheProblem(_ text: String, _ reason: String) {
        let error = #expect(throws: UserStateFile.Unreadable.self) { try UserStateFile(Array(text.utf8)) }
        #expect(error?.description.contains(reason) == true)
    }
}
