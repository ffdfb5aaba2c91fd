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
        // U+00A0 and a scalar whose last byte is that of a control are none.
        for text in [
            "a", "Ünï-çødé 👩‍👩‍👧‍👦", " ", "\u{A0}", "\u{700}", String(repeating: "x", count: 128),
            String(repeating: "é", count: 128), String(repeating: "😀", count: 128),
        ] {
            #expect(try UserID(validating: text, field: "userId").value == text)
        }
    }

    @Test func refusesEmptyOverlongAndControls() {
        #expect(refusal("") == "roomId must not be empty")
        #expect(refusal(String(repeating: "x", count: 129)) == "roomId must be at most 128 characters")
        #expect(refusal(String(repeating: "é", count: 129)) == "roomId must be at most 128 characters")
        for control in ["\0", "\u{1F}", "\n", "\u{7F}", "\u{80}", "\u{9F}"] {
            #expect(refusal("a\(control)b") == "roomId must not contain control characters")
            #expect(refusal("a" + control) == "roomId must not contain control characters")
        }
    }

    @Test(arguments: [128, 130, 511, 2000]) func boundsTheBytesOfFewCharacters(_ marks: Int) {
        // One character may be made of any number of combining marks.
        let tall = "e" + String(repeating: "\u{301}", count: marks)
        #expect(tall.count == 1)
        #expect(refusal(tall) == "roomId must be at most 128 characters")
    }

    @Test func aLongTextIsCutByItsScalars() {
        let tall = "e" + String(repeating: "\u{301}", count: 500)
        #expect(ShortText.cut(tall, maximumCharacters: 64).utf8.count == 1 + 63 * 2)
        #expect(ShortText.cut("short", maximumCharacters: 64) == "short")
    }

    @Test func identifiersSortAsDatabasesDo() {
        // As characters the first two are equal; by bytes the composed one comes last.
        let sorted = ["\u{E9}", "f", "e\u{301}"].map { UserID(unchecked: $0) }.sorted().map { Array($0.value.utf8) }
        #expect(sorted == [Array("e\u{301}".utf8), Array("f".utf8), Array("\u{E9}".utf8)])
    }

    @Test func identifiersThatLookAlikeAreTheSameOnlyByTheirBytes() {
        // Both are an é: composed, and an e with its accent. A database distinguishes them, so must we.
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
