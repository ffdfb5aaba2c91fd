import ChatDomain
import Testing

@testable import PersistenceMongoDB

@Suite struct BSONTests {
    private let sample: BSONDocument = [
        "double": .double(1.5), "text": "é🙂 \u{0} nul", "document": ["a": 1, "b": ["c": nil]],
        "array": [1, "two", [3]],
        "id": .objectID(MessageID(high: 0x0102_0304_0506_0708, low: 0x090A_0B0C)), "yes": true, "no": false,
        "date": .date(-5), "null": nil, "int32": .int32(.min), "int64": .int64(.max), "empty": [:], "none": [],
    ]

    private func decode(_ bytes: [UInt8]) -> BSONDocument? {
        bytes.withUnsafeBytes { BSONDocument(encoded: $0) }
    }

    @Test func documentsAreReadAsTheyWereWritten() {
        #expect(decode(sample.encoded) == sample)
        #expect(decode([5, 0, 0, 0, 0]) == [:])
    }

    @Test func theBytesAreThoseOfTheSpecification() {
        let hello: BSONDocument = ["hello": "world"]
        #expect(hello.encoded == [0x16, 0, 0, 0, 2] + Array("hello\0".utf8) + [6, 0, 0, 0] + Array("world\0\0".utf8))
    }

    @Test func everyTruncationIsRefused() {
        let bytes = sample.encoded
        for count in 0..<bytes.count { #expect(decode(Array(bytes[..<count])) == nil, "\(count) bytes") }
    }

    @Test func damagedBytesNeverLeadOutOfBounds() {
        let bytes = sample.encoded
        var refused = 0
        for index in bytes.indices {
            for value: UInt8 in [0, 1, 0x7F, 0x80, 0xFF] {
                var damaged = bytes
                damaged[index] = value
                if decode(damaged) == nil { refused += 1 }
            }
        }
        #expect(refused > 0)
    }

    @Test func nestingIsBounded() {
        var value: BSONValue = 1
        for _ in 0..<200 { value = .document(["a": value]) }
        #expect(decode((["a": value] as BSONDocument).encoded) == nil)
    }

    @Test func typesThatAreNotReadAreSkipped() {
        func document(_ type: UInt8, _ payload: [UInt8]) -> [UInt8] {
            let body = [type] + Array("x\0".utf8) + payload + [0x10] + Array("y\0".utf8) + [7, 0, 0, 0]
            return [UInt8(body.count + 5), 0, 0, 0] + body + [0]
        }
        let others: [(UInt8, [UInt8])] = [
            (0x05, [2, 0, 0, 0, 4, 1, 2]), (0x06, []), (0x0B, [97, 0, 105, 0]),
            (0x0C, [2, 0, 0, 0, 97, 0] + Array(repeating: 1, count: 12)), (0x0D, [2, 0, 0, 0, 97, 0]),
            (0x11, Array(repeating: 1, count: 8)), (0x13, Array(repeating: 1, count: 16)), (0x7F, []), (0xFF, []),
        ]
        for (type, payload) in others {
            let decoded = decode(document(type, payload))
            #expect(decoded?["x"] == .other(type: type), "type \(type)")
            #expect(decoded?["y"] == .int32(7), "type \(type)")
        }
        #expect(decode(document(0x55, [])) == nil)
    }

    @Test func anotherProgramsFieldsAreReadLeniently() throws {
        let document: BSONDocument = [
            "_id": "not an object id", "roomId": 5, "seq": .double(3), "userId": .int64(42), "message": nil,
            "timestamp": .int64(1000), "metadata": ["k": ["a", 1, true, nil, .double(1.5)], "q\"\n": .date(0)],
        ]
        let message = try #require(document.message())
        #expect(message.roomID == "5")
        #expect(message.sequence == 3)
        #expect(message.body.author == "42")
        #expect(message.body.text == "")
        #expect(message.body.kind == "text")
        #expect(message.timestamp == .at(1000))
        #expect(message.body.metadata == #"{"k":["a",1,true,null,1.5],"q\"\u000a":"1970-01-01T00:00:00.000Z"}"#)
        #expect(message.id == document.message()?.id)
        #expect((["roomId": "a", "seq": 1] as BSONDocument).message() == nil)
    }
}
