import JSON
import Testing

@Suite struct JSONParserTests {
    private func parse(_ text: String, depth: Int = 32) throws(JSONError) -> JSONValue {
        try JSONValue(parsing: text.utf8, maximumDepth: depth)
    }

    @Test func readsEveryKind() throws {
        let value = try parse(#"{"a":[1,-2,3.5,true,false,null],"b":"é\n\ud83d\ude00","big":18446744073709551615}"#)
        #expect(value["a"]?.array == [.integer(1), .integer(-2), .number(3.5), .bool(true), .bool(false), .null])
        #expect(value["b"]?.string == "é\n😀")
        #expect(value["big"]?.number == 0x1p64)
        #expect(value["big"]?.integer == nil)
    }

    @Test(arguments: ["", " ", "{", "{]", "[1,]", "nul", "\"\\x\"", "{\"a\"}", "1 2", "\"\u{1}\""])
    func refusesMalformedText(_ text: String) {
        #expect(throws: JSONError.malformed) { try parse(text) }
    }

    @Test func refusesBadUTF8() {
        #expect(throws: JSONError.invalidUTF8) { try JSONValue(parsing: [34, 0xC3, 0x28, 34]) }
    }

    @Test func boundsDepth() throws {
        let nested = { (depth: Int) in String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
        #expect(throws: Never.self) { try parse(nested(32)) }
        #expect(throws: JSONError.tooDeep) { try parse(nested(34)) }
        #expect(throws: JSONError.tooDeep) { try parse(nested(100_000)) }
    }

    @Test func elementsAreReadInPlaceAndSerializedCompactly() throws {
        let parser = JSONParser()
        let text = Array(#"{ "event" : "x", "data" : { "n" : [ 1 , 2 ], "s" : "a\"b" } }"#.utf8)
        try text.withUnsafeBytes { bytes in
            let root = try parser.parse(bytes)
            #expect(root["event"]?.equals("x") == true)
            #expect(root["event"]?.equals("xy") == false)
            let data = try #require(root["data"])
            #expect(String(decoding: data.serialized, as: UTF8.self) == #"{"n":[1,2],"s":"a\"b"}"#)
            #expect(data["n"]?.elements.map(\.integer) == [1, 2])
            #expect(data["missing"] == nil)
            #expect(data["n"]?["x"] == nil)
        }
    }

    @Test func theFirstOfRepeatedMembersCounts() throws {
        #expect(try parse(#"{"a":1,"a":2}"#)["a"] == .integer(1))
    }
}

@Suite struct JSONWriterTests {
    @Test func placesCommas() {
        var writer = JSONWriter()
        writer.object {
            $0.key("a")
            $0.array([1, 2]) { $0.integer($1) }
            $0.key("b")
            $0.object { _ in }
            $0.key("c")
            $0.null()
            $0.key("d")
            $0.raw(Array(#"{"x":1}"#.utf8))
            $0.key("e")
            $0.bool(true)
        }
        #expect(String(decoding: writer.bytes, as: UTF8.self) == #"{"a":[1,2],"b":{},"c":null,"d":{"x":1},"e":true}"#)
    }

    @Test func membersHaveTextsIntegersAndTruthValues() {
        var writer = JSONWriter()
        let missing: String? = nil
        writer.object {
            $0.member("a", "x\"y")
            $0.member("b", missing)
            $0.member("c", -1)
            $0.member("d", UInt64.max)
            $0.member("e", true)
        }
        let expected = #"{"a":"x\"y","b":null,"c":-1,"d":9223372036854775807,"e":true}"#
        #expect(String(decoding: writer.bytes, as: UTF8.self) == expected)
    }

    @Test func writesWhatTheParserReadsBack() throws {
        let text = "quote \" backslash \\ newline \n tab \t bell \u{7} nul \u{0} é 😀 </script>"
        let value = JSONValue.object([
            "text": .string(text), "min": .integer(.min), "max": .integer(.max), "pi": .number(3.25),
            text: .array([.null]),
        ])
        #expect(try JSONValue(parsing: value.serialized) == value)
    }

    @Test func writesNullForInfinity() {
        var writer = JSONWriter()
        writer.number(.infinity)
        #expect(writer.bytes == Array("null".utf8))
    }
}
