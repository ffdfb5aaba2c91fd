import Testing

@testable import WireProtocols

@Suite("Ranges and tags")
struct HTTPRangeTests {
    @Test(
        "One range of bytes is served",
        arguments: [
            ("bytes=0-0", 0..<1), ("bytes=2-4", 2..<5), ("bytes=5-", 5..<10), ("bytes=-3", 7..<10),
            ("bytes=-99", 0..<10),
            ("Bytes=9-99999999999999999999999", 9..<10), ("bytes=-99999999999999999999999", 0..<10),
        ] as [(String, Range<Int64>)])
    func served(_ field: String, _ range: Range<Int64>) {
        #expect(HTTPRange(field, size: 10) == .part(range))
        #expect(
            HTTPRange(field, size: 10).contentRange(size: 10) == "bytes \(range.lowerBound)-\(range.upperBound - 1)/10")
    }

    @Test(
        "Anything else means the whole body",
        arguments: [
            "", "bytes", "bytes=", "bytes=-", "bytes=4-2", "bytes=0-1,3-4", "bytes=a-b", "bytes= 1-2", "bytes=1-2-3",
            "items=0-1",
            "bytes=+1-2", "bytes=-1-2", "=0-1", "bytes=0-1=2", "bytes=\u{0}1-2",
        ])
    func whole(_ field: String) { #expect(HTTPRange(field, size: 10) == .whole) }

    @Test(
        "A range without a byte is unsatisfiable",
        arguments: ["bytes=10-", "bytes=10-20", "bytes=-0", "bytes=99999999999999999999-"])
    func unsatisfiable(_ field: String) {
        #expect(HTTPRange(field, size: 10) == .unsatisfiable)
        #expect(HTTPRange(field, size: 10).contentRange(size: 10) == "bytes */10")
    }

    @Test("An empty body has no ranges")
    func empty() {
        #expect(HTTPRange("bytes=0-", size: 0) == .unsatisfiable)
        #expect(HTTPRange("bytes=-5", size: 0) == .unsatisfiable)
        #expect(HTTPRange(nil, size: 0) == .whole)
        #expect(HTTPRange("bytes=-5", size: .min) == .unsatisfiable)
    }

    @Test("Tags are compared weakly")
    func tags() {
        #expect(HTTPEntityTag.matches("\"a\"", "\"a\"") && HTTPEntityTag.matches("W/\"b\" , W/\"a\"", "\"a\""))
        #expect(HTTPEntityTag.matches("*", "\"a\""))
        #expect(!HTTPEntityTag.matches(nil, "\"a\"") && !HTTPEntityTag.matches("a, \"b\"", "\"a\""))
    }
}
