import JSON
import Testing

@Suite struct JSONMendingTests {
    private func mended(_ text: String) throws -> String {
        let parser = JSONParser()
        return try Array(text.utf8).withUnsafeBytes { bytes in
            String(decoding: try parser.parseMending(bytes).serialized, as: UTF8.self)
        }
    }

    @Test(arguments: [
        (#"["\ud83d"]"#, #"["\#u{FFFD}"]"#), (#"["\udE00"]"#, #"["\#u{FFFD}"]"#),
        (#"["a\ud83d\ud83d\ude00\ude00b"]"#, #"["a\#u{FFFD}😀\#u{FFFD}b"]"#),
        (#"{"\ud83d":1}"#, #"{"\#u{FFFD}":1}"#), (#"["\ud83d\\ude00"]"#, #"["\#u{FFFD}\\ude00"]"#),
        (#"["\ud83d\u0041"]"#, #"["\#u{FFFD}A"]"#),
    ]) func halfASurrogatePairIsReplaced(_ text: String, _ expected: String) throws {
        #expect(try mended(text) == expected)
    }

    @Test(
        arguments: [
            ("123456789012345678901234567890", 1.2345678901234568e29), ("18446744073709551616", 0x1p64),
            ("-9223372036854775809", -0x1p63), ("1e400", 0x1.fffffffffffffp1023),
            ("-1.5E+999", -0x1.fffffffffffffp1023),
            ("1e-999", 0),
        ] as [(String, Double)]) func aNumberOutside64BitsIsTheNearestDouble(_ text: String, _ expected: Double) throws
    {
        let parser = JSONParser()
        try Array("{\"n\":\(text),\"s\":\"\(text)\"}".utf8).withUnsafeBytes { bytes in
            let root = try parser.parseMending(bytes)
            #expect(root["n"]?.number == expected)
            #expect(root["n"]?.integer == nil)
            #expect(root["s"]?.string == text)
        }
    }

    @Test(arguments: [
        #"["\ud83"]"#, #"["\ud83d]"#, #"["\ud83d""#, "[0123456789012345678901]", "[1e]", "[1.e400]", "[-]", "[1e400",
        "[+1]",
        "[12345678901234567890123x]", #"["\"#,
    ]) func malformedTextStaysRefused(_ text: String) {
        #expect(throws: JSONError.malformed) { try mended(text) }
    }

    /// Text that is JSON already stays as it is, and no text makes the mending run past its end.
    @Test(arguments: UInt64(1)...4) func randomTextIsMendedOrRefused(_ seed: UInt64) {
        let pieces = [
            "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "\\ud83d", "\\ude00", "\\u00", "\"id\"", "-", "1", "0",
            ".", "e", "E+", "9",
            "12345678901234567890123", "true", " ", "\u{E9}",
        ]
        var state = seed
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        let (strict, mending) = (JSONParser(), JSONParser())
        for _ in 0..<20_000 {
            let text = (0..<random(12)).map { _ in pieces[random(pieces.count)] }.joined()
            Array(text.utf8).withUnsafeBytes { bytes in
                let expected = try? strict.parse(bytes).serialized
                let mended = try? mending.parseMending(bytes).serialized
                if let expected { #expect(mended == expected, "\(text)") }
                if let id = JSONMemberScan.scalar("id", in: bytes) {
                    #expect(bytes.indices.contains(id.lowerBound) || id.isEmpty)
                }
            }
        }
    }

    @Test func theMendedTextMayBeAsLongAsAFrame() throws {
        let text = "[" + Array(repeating: #""\ud83d",1e400"#, count: 10_000).joined(separator: ",") + "]"
        #expect(try mended(text).utf8.count > 200_000)
    }
}

@Suite struct JSONMemberScanTests {
    private func id(_ text: String) -> String? {
        Array(text.utf8).withUnsafeBytes { bytes in
            JSONMemberScan.scalar("id", in: bytes).map { String(decoding: bytes[$0], as: UTF8.self) }
        }
    }

    @Test(arguments: [
        (#"{"id":7}"#, "7"), (#" { "id" : 7 , "event":"#, "7"),
        (#"{"data":{"id":1,"s":"}\""},"id":2,"id":3}"#, "2"), (#"{"event":"id","id":-1.5e3}"#, "-1.5e3"),
        (#"{"data":{nonsense},"id":7}"#, "7"), (#"{"id":7,"data":{"a":[1,"#, "7"), (#"{"a":["id"],"id":4}"#, "4"),
    ]) func theOutermostObjectsMemberIsFound(_ text: String, _ expected: String) {
        #expect(id(text) == expected)
    }

    @Test func nestingDoesNotMatter() {
        let deep = String(repeating: "[", count: 100) + String(repeating: "]", count: 100)
        #expect(id(#"{"event":"x","data":\#(deep),"id":"a\"b"}"#) == #""a\"b""#)
    }

    @Test(arguments: [
        "", "{", #"{"id"#, #"{"id""#, #"{"id":"#, #"{"id":"x"#, #"["id",7]"#, #"[{"id":7}]"#, #"{"data":{"id":7}}"#,
        #"{"event":"id",7}"#, #"{"data":"\"id\":7"}"#, #"{}{"id":7}"#, #"{"x":{}},"id":7}"#,
    ]) func nothingElseIs(_ text: String) {
        #expect(id(text)?.isEmpty ?? true)
    }
}
