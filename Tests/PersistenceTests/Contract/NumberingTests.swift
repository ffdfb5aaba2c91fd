import ChatDomain
import Testing

/// Numbering is storing: 1, 2, 3 … without holes, in the order things were given.
@Suite struct NumberingTests {
    private let drafts = Drafts()

    @Test(arguments: StoreKind.allCases)
    func numbersStartAtOneAndGoOn(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            #expect(await store.append(drafts.many(3), to: "a") == [.stored(1), .stored(2), .stored(3)])
            #expect(await store.append(drafts.many(2), to: "a", lastKnown: 3) == [.stored(4), .stored(5)])
            #expect(await store.append(drafts.many(1), to: "b") == [.stored(1)])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func oneWriteOfManyRoomsAnswersInOrder(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            let writes = (0..<40).map { room in
                RoomWrite(roomID: RoomID(unchecked: "room \(room)"), lastKnown: 0, messages: drafts.many(room % 3 + 1))
            }
            let outcomes = await store.commit(writes)
            #expect(outcomes.map(\.roomID) == writes.map(\.roomID))
            for (write, outcome) in zip(writes, outcomes) {
                #expect(outcome.drafts == (1...write.drafts.count).map { .stored(SequenceNumber($0)) })
                let page = try await store.history(of: write.roomID, HistoryQuery(.latest))
                #expect(page.messages.map(\.id) == write.drafts.map(\.id))
            }
            let last = try await store.lastSequences(of: writes.map(\.roomID) + ["nowhere"])
            #expect(last.count == 40)
            #expect(last["room 2"] == 3)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aWrongHintIsOnlyAHint(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            await store.append(drafts.many(4), to: "a")
            #expect(await store.append(drafts.many(2), to: "a", lastKnown: 1) == [.stored(5), .stored(6)])
            #expect(await store.append(drafts.many(1), to: "a", lastKnown: 0) == [.stored(7)])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func concurrentWritersLeaveNoHole(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            let writers = 6
            let rounds = 12
            let stored = await withTaskGroup(of: [SequenceNumber].self) { group in
                for writer in 0..<writers {
                    group.addTask {
                        var numbers: [SequenceNumber] = []
                        for round in 0..<rounds {
                            let draft = drafts.next("\(writer)/\(round)", by: "user \(writer)")
                            // A writer that loses too many races is refused, and nothing was stored.
                            var outcome: RoomWriteOutcome.Draft
                            repeat {
                                outcome = await store.append([draft], to: "a", lastKnown: numbers.last ?? 0)[0]
                            } while outcome.isUnavailable
                            numbers += [outcome].compactMap(\.storedSequence)
                        }
                        return numbers
                    }
                }
                return await group.reduce(into: [[SequenceNumber]]()) { $0.append($1) }
            }
            for numbers in stored { #expect(numbers == numbers.sorted()) }
            #expect(stored.flatMap { $0 }.sorted() == (1...SequenceNumber(writers * rounds)).map { $0 })
            let page = try await store.history(of: "a", HistoryQuery(.after(0), limit: 1000))
            #expect(page.messages.map(\.sequence) == (1...SequenceNumber(writers * rounds)).map { $0 })
            for writer in 0..<writers {
                let texts = page.messages.map(\.body.text).filter { $0.hasPrefix("\(writer)/") }
                #expect(texts == (0..<rounds).map { "\(writer)/\($0)" })
            }
        }
    }

    @Test(arguments: StoreKind.allCases)
    func everythingOfAMessageIsKeptVerbatim(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            let said = [
                drafts.next("👩‍👩‍👧‍👦 naïve e\u{301} \u{202E}rtl\u{202C} \"quotes\" \\ $dollar.dot", by: "zoë", client: "c-1"),
                drafts.next(" ", kind: "image", metadata: #"{"b":1,"a":{"$x":[1.0,null,"ü"]}}"#),
                drafts.next("line\nbreak\ttab \u{7f}", metadata: "{}", username: ""),
                drafts.next(String(repeating: "long ", count: 3000)),
            ]
            await store.append(said, to: "room: ünïcode/$.")
            let page = try await store.history(of: "room: ünïcode/$.", HistoryQuery(.latest))
            let expected = said.enumerated().map {
                Message($0.element, in: "room: ünïcode/$.", sequence: SequenceNumber($0.offset + 1))
            }
            #expect(page.messages == expected)
            for (kept, sent) in zip(page.messages, said) {
                #expect(Array(kept.body.text.utf8) == Array(sent.body.text.utf8))
                #expect(kept.id.description.count == 24)
                #expect(kept.id.description.allSatisfy { $0.isHexDigit && !$0.isUppercase })
            }
        }
    }

    @Test(arguments: StoreKind.allCases)
    func identifiersDifferByBytes(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            let composed = RoomID(unchecked: "caf\u{e9}")
            let decomposed = RoomID(unchecked: "cafe\u{301}")
            #expect(await store.append(drafts.many(2), to: composed) == [.stored(1), .stored(2)])
            #expect(await store.append(drafts.many(1), to: decomposed) == [.stored(1)])
            #expect(try await store.numbers(of: composed, HistoryQuery(.latest)) == [1, 2])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func numberingContinuesAfterReopening(_ kind: StoreKind) async throws {
        try await withHome(kind) { home async throws in
            let first = try await home.open(StoreOptions())
            await first.append(drafts.many(3), to: "a")
            await first.close()
            let second = try await home.open(StoreOptions())
            #expect(try await second.lastSequences(of: ["a"]) == ["a": 3])
            #expect(await second.append(drafts.many(1), to: "a") == [.stored(4)])
            try await second.probe()
            await second.close()
        }
    }

    @Test(arguments: StoreKind.allCases)
    func unannouncedChangesAreCounted(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            #expect(try await store.unannouncedChanges() == 0)
            for _ in 0..<2 { try await store.noteUnannouncedChange() }
            #expect(try await store.unannouncedChanges() == 2)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aClosedStoreRefuses(_ kind: StoreKind) async throws {
        try await withHome(kind) { home async throws in
            let store = try await home.open(StoreOptions())
            await store.close()
            let outcomes = await store.append(drafts.many(2), to: "a")
            #expect(outcomes.count == 2)
            #expect(outcomes.filter(\.isUnavailable).count == 2)
            await #expect(throws: StoreError.self) { try await store.history(of: "a", HistoryQuery(.latest)) }
        }
    }
}
