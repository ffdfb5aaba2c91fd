import Crypto
import Testing

@testable import RedisLink

@Suite struct ReplyReaderTests {
    private static let replies: [(String, RedisValue)] = [
        ("+OK\r\n", .string(Array("OK".utf8))),
        (":-42\r\n", .integer(-42)),
        ("$-1\r\n", .null),
        ("*-1\r\n", .null),
        ("$0\r\n\r\n", .string([])),
        ("$8\r\na\r\nb*1:2\r\n", .string(Array("a\r\nb*1:2".utf8))),
        ("-WRONGTYPE not that one\r\n", .error(code: "WRONGTYPE", message: "not that one")),
        (
            "*3\r\n$7\r\nmessage\r\n*2\r\n:1\r\n*0\r\n$3\r\nxyz\r\n",
            .array([.string(Array("message".utf8)), .array([.integer(1), .array([])]), .string(Array("xyz".utf8))])
        ),
    ]

    private func read(_ pieces: [ArraySlice<UInt8>], _ reader: ReplyReader) throws -> [RedisValue] {
        var values: [RedisValue] = []
        for piece in pieces {
            try Array(piece).withUnsafeBytes { try reader.feed($0) }
            while let value = try reader.next() { values.append(value) }
        }
        return values
    }

    @Test func repliesAreTheSameAtEverySplit() throws {
        let bytes = Self.replies.flatMap { Array($0.0.utf8) }
        let expected = Self.replies.map(\.1)
        let reader = ReplyReader(maximumBytes: 1 << 20)
        #expect(try read([bytes[...]], reader) == expected)
        #expect(try read(bytes.indices.map { bytes[$0...$0] }, reader) == expected)
        for split in 1..<bytes.count {
            #expect(try read([bytes[..<split], bytes[split...]], reader) == expected)
        }
    }

    @Test(arguments: [
        "?what\r\n", "$x\r\n", "$-2\r\n", ":1x\r\n", "*1000000000\r\n", "*2147483648\r\n", "$99999999999999999999\r\n",
        "HTTP/1.1 400 Bad Request\r\n", "*9\r\n*9\r\n*9\r\n*9\r\n*9\r\n*9\r\n*9\r\n*9\r\n*9\r\n*9\r\n:1\r\n",
    ])
    func malformedRepliesAreRefused(_ text: String) {
        let reader = ReplyReader(maximumBytes: 1 << 20)
        #expect(throws: MalformedReply.self) { try read([Array(text.utf8)[...]], reader) }
    }

    @Test func linesAndRepliesWithoutEndAreRefused() {
        for start in ["+", ":", "-", "*", "$"] {
            let reader = ReplyReader(maximumBytes: 1 << 20)
            #expect(throws: MalformedReply.self) {
                try read(
                    [Array(start.utf8)[...]] + Array(repeating: [UInt8](repeating: 49, count: 8000)[...], count: 10),
                    reader)
            }
        }
        let reader = ReplyReader(maximumBytes: 1 << 20)
        #expect(throws: MalformedReply.self) {
            try read(
                [Array("$500000000\r\n".utf8)[...]]
                    + Array(repeating: [UInt8](repeating: 0, count: 1 << 18)[...], count: 6), reader)
        }
    }

    @Test func aPasswordIsNeverPrinted() {
        let endpoint = RedisEndpoint(host: "::1", port: 6380, user: "u", password: "p&ss", database: 3, tls: .system)
        var dumped = ""
        dump(endpoint, to: &dumped)
        let printed = ["\(endpoint)", String(reflecting: endpoint), dumped, "\(Optional(endpoint) as Any)"]
        for text in printed { #expect(!text.contains("p&ss") && !text.contains("\"u\"")) }
        #expect("\(endpoint)" == "[::1]:6380/3 over TLS")
    }

    @Test func scriptsAreNamedByTheirDigest() {
        // The digest of the example in Redis's documentation of EVALSHA's scheme: sha1sum of "return 1".
        #expect(RedisScript("return 1").digest == Array("e0e1f9fabfc9d4800c877a703b823ac0578ff8db".utf8))
        var bytes: [UInt8] = []
        RESPWriter.write(RedisScript("return 1"), keys: ["k"], arguments: [-7], isKnown: false, into: &bytes)
        #expect(
            String(decoding: bytes, as: UTF8.self)
                == "*5\r\n$4\r\nEVAL\r\n$8\r\nreturn 1\r\n$1\r\n1\r\n$1\r\nk\r\n$2\r\n-7\r\n")
    }
}
