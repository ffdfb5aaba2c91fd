import ChatDomain
import JSON
import Testing
import TestSupport

@testable import PersistenceMongoDB
@testable import PersistenceRedis

/// What comes back from Redis is input. The fuzzers look for what is not thought of here.
@Suite struct StoredInputTests {
    private static let numbers = [
        "1e300", "-1e300", "1e17", "-1e17", "9223372036854775807", "-9223372036854775808", "18446744073709551615",
        "9007199254740992", "1.5", "-1", "0", "null", "true", #""7""#, "{}", "[]",
    ]

    @Test(arguments: numbers) func aRecordOfAnyNumbersIsNoneOrOfUse(_ number: String) {
        for member in ["connectedAt", "lastActiveAt", "order"] {
            var text = #"{"instance":"i","username":"u","wish":"online","connectedAt":1,"lastActiveAt":2,"order":3}"#
            text.replace(#""\#(member)":"#, with: #""\#(member)":\#(number),"was":"#)
            guard let found = PresenceCodec.record(SessionID("s"), of: "u", Array(text.utf8)) else { continue }
            #expect(found.record.connectedAt.iso8601.count == 24 && found.record.lastActiveAt.iso8601.count == 24)
        }
    }

    @Test(arguments: numbers) func aStandingOfAnyNumbersIsNoneOrOfUse(_ number: String) {
        for member in ["seen", "sessions"] {
            var text = #"{"own":"online","name":"n","seen":1,"sessions":2}"#
            text.replace(#""\#(member)":"#, with: #""\#(member)":\#(number),"was":"#)
            guard let standing = PresenceCodec.statement(of: "u", Array(text.utf8))?.presence else { continue }
            #expect(standing.lastSeen.iso8601.count == 24 && standing.sessions >= 0)
        }
    }

    @Test func numbersMayBeWrittenAsLuaWritesThem() throws {
        let text = #"{"own":"online","name":"n","seen":1.7e12,"sessions":2.0}"#
        let standing = try #require(PresenceCodec.statement(of: "u", Array(text.utf8))?.presence)
        #expect(standing.lastSeen == .at(1_700_000_000_000) && standing.sessions == 2)
    }

    @Test(arguments: numbers) func aKeptSessionOfAnyNumbersIsNoneOrOfUse(_ number: String) {
        let texts = [
            #"{"id":"s","userId":"u","username":"u","verified":true,"nameVerified":true,"rooms":[["r",\#(number)]],"sent":[]}"#,
            #"{"id":"s","userId":"u","username":"u","verified":true,"nameVerified":true,"rooms":[["r",1]],"sent":[[0,\#(number),9]]}"#,
            #"{"id":"s","userId":"u","username":"u","verified":true,"nameVerified":true,"rooms":[["r",1]],"sent":[[0,1,\#(number)]]}"#,
            #"{"id":"s","userId":"u","username":"u","verified":true,"nameVerified":true,"rooms":[["r",1]],"sent":[[\#(number),1,2]]}"#,
            #"{"id":"s","userId":"u","username":"u","verified":true,"nameVerified":true,"rooms":[],"sent":[],"expiresAt":\#(number)}"#,
        ]
        for text in texts {
            guard let session = RecoveryCodec.decode(Array(text.utf8)) else { continue }
            for sent in session.sent {
                let last = MessageOffset(room: sent.room, number: sent.numbers.upperBound)
                #expect(session.sent(upTo: last).last?.numbers == sent.numbers)
                #expect(session.seen(upTo: last)?[sent.room] == sent.numbers.upperBound)
            }
            #expect(session.tokenExpiresAt.map { $0.iso8601.count == 24 } ?? true)
        }
    }

    @Test func damagedTextsAreTakenApartWithoutATrap() {
        let session = RecoverableSession(
            id: SessionID("s"), user: RoomUser(userID: "u", username: "U"), profile: Profile(), isVerified: true,
            isUsernameVerified: false, tokenExpiresAt: .at(5), newest: ["r": 7],
            sent: [.init(room: "r", numbers: 3...7)])
        let record = SessionRecord(
            id: SessionID("s"), instance: InstanceID("i"), user: session.user, connectedAt: .at(5))
        let texts = [RecoveryCodec.encode(session) ?? [], PresenceCodec.encode(record)]
        let digits = Array("0123456789eE+-.[]{},:\"null".utf8)
        var random = SplitMix(seed: 11)
        for _ in 0..<20_000 {
            var text = texts[Int.random(in: 0..<2, using: &random)]
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: 0..<text.count, using: &random)
                text[place] = digits[Int.random(in: 0..<digits.count, using: &random)]
            }
            _ = RecoveryCodec.decode(text)
            _ = PresenceCodec.record(SessionID("s"), of: "u", text)
            _ = PresenceCodec.statement(of: "u", text)
            _ = PresenceCodec.news(text)
        }
    }

    @Test func damagedDocumentsAreTakenApartWithoutATrap() {
        let document: BSONDocument = [
            "_id": .objectID(MessageID(high: 1, low: 2)), "roomId": 42, "seq": .double(3), "userId": .int64(7),
            "message": "text", "metadata": "{}", "timestamp": .date(5), "participants": [1, "2", .double(3)],
            "historyBase": .int64(4), "seqBase": .int32(2), "state": nil,
        ]
        let encoded = document.encoded
        var random = SplitMix(seed: 12)
        for _ in 0..<20_000 {
            var bytes = encoded
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(in: 0...255, using: &random)
            }
            guard let found = bytes.withUnsafeBytes({ BSONDocument(encoded: $0) }) else { continue }
            _ = (found.encoded, found.json, found.message()?.timestamp.iso8601, found.room, found.participants)
            _ = RoomDocuments.grouped([found])
        }
    }

    @Test(
        arguments: [
            (.double(1e300), nil), (.double(-.infinity), nil), (.double(.nan), nil), (.double(7), 7), (.int32(-1), nil),
            (.int64(.max), nil), (.int64(.min), nil), (.int64(0), nil),
            (.int64(9_007_199_254_740_991), 9_007_199_254_740_991),
            (.string("7"), nil), (.null, nil),
        ] as [(BSONValue, SequenceNumber?)])
    func aMessageHasANumberThatMessagesCanHave(_ stored: BSONValue, _ number: SequenceNumber?) {
        let document: BSONDocument = ["_id": "x", "roomId": "r", "seq": stored, "historyBase": stored]
        #expect(document.message()?.sequence == number)
        #expect(document.room?.historyBase == number ?? 0)
    }

    @Test(
        arguments: [
            (.double(42), "42"), (.double(42.5), nil), (.double(1e300), nil), (.double(-0.0), "0"), (.int32(-7), "-7"),
            (.int64(.min), "-9223372036854775808"), (.string("042"), "042"), (.bool(true), nil), (.null, nil),
            (.objectID(MessageID(high: 0, low: 15)), "00000000000000000000000f"),
        ] as [(BSONValue, String?)])
    func anIDIsFoundInTheFormItIsStoredIn(_ stored: BSONValue, _ text: String?) {
        #expect(stored.identifier == text)
        guard let text else { return }
        let forms = BSONValue.forms(of: RoomID(unchecked: text))
        #expect(forms.first == .string(text) && forms.allSatisfy { $0.identifier == text })
    }

    @Test func textsThatAreNoNumbersHaveOneForm() {
        for text in ["042", "+42", "4 2", "42.0", "9223372036854775808", "-0", "٤٢", "0000000000000000000000G0"] {
            #expect(BSONValue.forms(of: RoomID(unchecked: text)) == [.string(text)])
        }
        #expect(BSONValue.forms(of: RoomID(unchecked: "42")) == ["42", .int64(42)])
    }

    @Test func anErrorOfNoPartOfACommandIsNoIndex() {
        for value: BSONValue in [.int32(-1), .int32(3), .int64(.max), .int64(.min), .double(1e300), .null] {
            #expect((["index": value] as BSONDocument).index(below: 3) == nil)
        }
        #expect((["index": .double(2)] as BSONDocument).index(below: 3) == 2)
    }

    @Test func aRoomWithoutNumbersLeftRefuses() {
        let drafts = Drafts()
        let last = MessageNumbers.valid.upperBound
        for known in [last - 1, last] {
            let attempt = RoomAttempt(RoomWrite(roomID: "r", lastKnown: known, messages: drafts.many(2)))
            #expect(attempt.isFinished)
            #expect(attempt.outcomes.allSatisfy { if case .failed(.rejected) = $0 { true } else { false } })
        }
        var attempt = RoomAttempt(RoomWrite(roomID: "r", lastKnown: 1, messages: drafts.many(2)))
        #expect(attempt.receivedNewest(last) == .finished)
    }
}
