import Testing

@testable import ChatDomain

@Suite struct IdentifierTests {
    private func refusal(_ text: String) -> String? {
        do throws(ChatError) {
            _ = try RoomID(validating: text, field: "roomId")
            return nil
        } catch {
            return error.code == .badRequest ? error.message : "wrong code \(error.code)"
        }
    }

    @Test func takesAnyTextOfUpTo128Characters() throws {
        for text in ["a", "Ünï-çødé 👩‍👩‍👧‍👦", " ", String(repeating: "x", count: 128), String(repeating: "é", count: 128)] {
            #expect(try UserID(validating: text, field: "userId").value == text)
        }
    }

    @Test func refusesEmptyOverlongAndNUL() {
        #expect(refusal("") == "roomId must not be empty")
        #expect(refusal(String(repeating: "x", count: 129)) == "roomId must be at most 128 characters")
        #expect(refusal(String(repeating: "é", count: 129)) == "roomId must be at most 128 characters")
        #expect(refusal("a\0b") == "roomId must not contain NUL")
    }

    @Test func boundsTheBytesOfFewCharacters() {
        // One character may be made of any number of combining marks.
        let tall = "e" + String(repeating: "\u{301}", count: 2000)
        #expect(tall.count == 1)
        #expect(refusal(tall) == "roomId must be at most 128 characters")
    }

    @Test func identifiersThatLookAlikeAreTheSameOnlyByTheirBytes() {
        // Both are an é: composed, and an e with its accent. A database tells them apart, so must we.
        #expect(UserID(unchecked: "\u{E9}") != UserID(unchecked: "e\u{301}"))
    }
}

@Suite struct MessageIDTests {
    private static let samples: [MessageID] = [
        MessageID(high: 0, low: 0), MessageID(high: .max, low: .max),
        MessageID(high: 0x0123_4567_89AB_CDEF, low: 0xFEDC_BA98),
    ]

    @Test(arguments: samples) func roundTripsThroughTextAndBytes(_ id: MessageID) {
        #expect(MessageID(id.description) == id)
        #expect(MessageID(id.description.uppercased()) == id)
        #expect(MessageID(bytes: id.bytes) == id)
        #expect(id.bytes.count == 12)
        #expect(id.description.utf8.count == 24)
    }

    @Test func isWrittenInNetworkOrder() {
        let id = MessageID(high: 0x0123_4567_89AB_CDEF, low: 0xFEDC_BA98)
        #expect(id.description == "0123456789abcdeffedcba98")
        #expect(id.bytes == [0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF, 0xFE, 0xDC, 0xBA, 0x98])
    }

    @Test(arguments: [
        "", "0123456789abcdeffedcba9", "0123456789abcdeffedcba980", "0123456789abcdeffedcba9g",
        "0x23456789abcdeffedcba98",
        " 123456789abcdeffedcba98", "+123456789abcdeffedcba98", "０123456789abcdeffedcb",
    ]) func refusesEverythingElse(_ text: String) {
        #expect(MessageID(text) == nil)
    }

    @Test func aGeneratorRepeatsNothingAcrossItsCounterTurningOver() {
        // 24 bits of the seed start the counter: all ones turn over at once.
        var generator = MessageIDGenerator(seed: 0xFF_FFFE_01_2345_6789)
        let ids = (0..<5000).map { _ in generator.next(at: Timestamp(milliseconds: 1_700_000_000_000)) }
        #expect(Set(ids).count == ids.count)
    }

    @Test func generatorsOfTwoProcessesDiffer() {
        let now = Timestamp(milliseconds: 1_700_000_000_000)
        var one = MessageIDGenerator(seed: 1)
        var two = MessageIDGenerator(seed: 2)
        let ids = (0..<1000).flatMap { _ in [one.next(at: now), two.next(at: now)] }
        #expect(Set(ids).count == ids.count)
    }

    @Test func anIDTellsItsSecond() {
        var generator = MessageIDGenerator(seed: 7)
        let id = generator.next(at: Timestamp(milliseconds: 1_700_000_000_999))
        #expect(id.high >> 32 == 1_700_000_000)
    }
}
