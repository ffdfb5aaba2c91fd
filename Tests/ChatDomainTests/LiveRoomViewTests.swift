import Testing

@testable import ChatDomain

/// What a joining session is shown.
@Suite struct LiveRoomViewTests {
    private var room = LiveRoom.open()

    /// What was read last, and the number delivered then.
    private var asked: (query: ViewQuery, delivered: SequenceNumber)?

    private enum Seen: Equatable {
        case shown([SequenceNumber], needsResync: Bool)
        case read(HistoryQuery)
    }

    private mutating func view(_ wish: HistoryRequest, page: ClosedRange<SequenceNumber>? = nil) -> Seen {
        view(
            wish,
            page: page.map { HistoryPage(messages: Message.numbers($0), hasMoreBefore: true, hasMoreAfter: false) })
    }

    private mutating func view(_ wish: HistoryRequest, page: HistoryPage?) -> Seen {
        let read = page.map { page in
            let asked = asked ?? (ViewQuery(history: HistoryQuery(.latest)), 0)
            return ViewPage(query: asked.query, delivered: asked.delivered, history: page, changed: ChangesPage())
        }
        switch room.view(wish, page: read) {
        case .view(let view): return .shown(view.messages.map(\.sequence), needsResync: view.needsResync)
        case .read(let query):
            asked = (query, room.lastSequence)
            return .read(query.history)
        }
    }

    private mutating func deliver(_ range: ClosedRange<SequenceNumber>) {
        _ = room.received(Message.numbers(range), at: .at(0))
    }

    @Test mutating func anEmptyRoomShowsNothing() {
        #expect(view(HistoryRequest()) == .shown([], needsResync: false))
        #expect(view(HistoryRequest(since: 0)) == .shown([], needsResync: false))
    }

    @Test mutating func theNewestComeFromMemoryWhereItHoldsThem() {
        deliver(1...60)
        #expect(view(HistoryRequest()) == .shown(Array(11...60), needsResync: false))
        #expect(view(HistoryRequest(limit: 3)) == .shown([58, 59, 60], needsResync: false))
        #expect(view(HistoryRequest(limit: 1000)) == .shown(Array(1...60), needsResync: false))
    }

    @Test mutating func aResumeSeesEverythingAfterItsMark() {
        deliver(1...60)
        #expect(view(HistoryRequest(since: 0)) == .shown(Array(1...60), needsResync: false))
        #expect(view(HistoryRequest(since: 58, limit: 1)) == .shown([59, 60], needsResync: false))
        #expect(view(HistoryRequest(since: 60)) == .shown([], needsResync: false))
    }

    @Test mutating func aMarkFromAnotherLifeOfTheRoomStartsOver() {
        deliver(1...60)
        #expect(view(HistoryRequest(since: 61, limit: 2)) == .shown([59, 60], needsResync: true))
    }

    @Test mutating func aMarkTooFarBackStartsOver() {
        room = .open(last: 5000)
        let wish = HistoryRequest(since: 3999, limit: 2)
        #expect(view(wish) == .read(HistoryQuery(.after(3999), limit: 1000)))
        let page = HistoryPage(messages: Message.numbers(4000...4999), hasMoreBefore: true, hasMoreAfter: true)
        #expect(view(wish, page: page) == .read(HistoryQuery(.before(5001), limit: 2)))
        #expect(
            view(HistoryRequest(since: 3999, limit: 2), page: 4999...5000) == .shown([4999, 5000], needsResync: true))
    }

    @Test mutating func aMarkJustNearEnoughIsReplayed() {
        room = .open(last: 5000)
        #expect(view(HistoryRequest(since: 4000)) == .read(HistoryQuery(.after(4000), limit: 1000)))
        #expect(view(HistoryRequest(since: 4000), page: 4001...5000) == .shown(Array(4001...5000), needsResync: false))
    }

    @Test mutating func aPageThatWasReadServesTheNextFromMemory() {
        room = .open(last: 100)
        #expect(view(HistoryRequest()) == .read(HistoryQuery(.before(101), limit: 50)))
        #expect(view(HistoryRequest(), page: 51...100) == .shown(Array(51...100), needsResync: false))
        #expect(view(HistoryRequest()) == .shown(Array(51...100), needsResync: false))
    }

    @Test mutating func messagesDeliveredMeanwhileFollowThePage() {
        room = .open(last: 100)
        #expect(view(HistoryRequest(since: 90)) == .read(HistoryQuery(.after(90), limit: 1000)))
        deliver(101...103)
        #expect(view(HistoryRequest(since: 90), page: 91...100) == .shown(Array(91...103), needsResync: false))
        // The page may know more than was delivered here; that comes live.
        #expect(view(HistoryRequest(since: 90), page: 91...110) == .shown(Array(91...103), needsResync: false))
    }

    @Test mutating func aPageFromBeforeAHoleInMemoryIsReadAgain() {
        room = .open(last: 100)
        _ = view(HistoryRequest(since: 0))
        deliver(101...400)
        // 300 more came than memory holds: what was read ends before memory begins.
        #expect(view(HistoryRequest(since: 0), page: 1...100) == .read(HistoryQuery(.after(0), limit: 1000)))
        #expect(view(HistoryRequest(since: 0), page: 1...400) == .shown(Array(1...400), needsResync: false))
    }

    /// What the store answers when some of what was asked for was erased.
    private mutating func view(
        _ wish: HistoryRequest, found numbers: [SequenceNumber], hasMoreAfter: Bool = false
    ) -> Seen {
        let first = view(wish)
        guard case .read = first else { return first }
        let page = HistoryPage(
            messages: numbers.map { .number($0) }, hasMoreBefore: true, hasMoreAfter: hasMoreAfter)
        return view(wish, page: page)
    }

    @Test(
        arguments: [
            [93, 94, 97, 100], [97, 98, 99, 100], [91, 92], [], [100],
        ] as [[SequenceNumber]]) mutating func aResumeOverErasedNumbersShowsTheRemainingMessages(
            _ left: [SequenceNumber]
        )
    {
        room = .open(last: 100)
        #expect(view(HistoryRequest(since: 90), found: left) == .shown(left, needsResync: false))
        // The next comes from memory, from wherever it continues.
        for since in SequenceNumber(90)...100 {
            #expect(view(HistoryRequest(since: since)) == .shown(left.filter { $0 > since }, needsResync: false))
        }
        deliver(101...102)
        #expect(view(HistoryRequest(since: 96)) == .shown(left.filter { $0 > 96 } + [101, 102], needsResync: false))
    }

    @Test mutating func aPageWithMoreBehindItIsNotTakenForAll() {
        room = .open(last: 100)
        let newest = HistoryQuery(.before(101), limit: 50)
        #expect(view(HistoryRequest(since: 90), found: [92, 95], hasMoreAfter: true) == .read(newest))
    }

    @Test mutating func aRoomMadeAgainShowsNothingFromBefore() {
        room = .open(last: 100, base: 100)
        #expect(view(HistoryRequest()) == .shown([], needsResync: false))
        #expect(view(HistoryRequest(since: 40)) == .shown([], needsResync: false))
        deliver(101...103)
        #expect(view(HistoryRequest()) == .shown([101, 102, 103], needsResync: false))
        #expect(view(HistoryRequest(since: 40)) == .shown([101, 102, 103], needsResync: false))
        #expect(view(HistoryRequest(since: 102)) == .shown([103], needsResync: false))
        room = .open(last: 110, base: 100)
        #expect(view(HistoryRequest()) == .read(HistoryQuery(.before(111), limit: 50, base: 100)))
    }

    /// Messages of so many bytes each, as JSON.
    private func long(_ range: ClosedRange<SequenceNumber>, bytes: Int) -> [Message] {
        range.map { .number($0, text: String(repeating: "\u{1}", count: bytes / 6)) }
    }

    @Test mutating func aResumeOfTooManyBytesStartsOverWithTheNewestThatFit() {
        _ = room.received(long(1...30, bytes: 90_000), at: .at(0))
        #expect(view(HistoryRequest(since: 22)) == .shown(Array(23...30), needsResync: false))
        #expect(view(HistoryRequest(since: 10)) == .shown(Array(21...30), needsResync: true))
        #expect(view(HistoryRequest()) == .shown(Array(21...30), needsResync: false))
        #expect(view(HistoryRequest(limit: 4)) == .shown(Array(27...30), needsResync: false))
    }

    @Test mutating func aPageThatWasFullTooEarlyStartsOver() {
        room = .open(last: 1000)
        let wish = HistoryRequest(since: 0)
        #expect(view(wish) == .read(HistoryQuery(.after(0), limit: 1000)))
        let page = HistoryPage(
            messages: long(1...9, bytes: 90_000), hasMoreBefore: false, hasMoreAfter: true, isFull: true)
        #expect(view(wish, page: page) == .read(HistoryQuery(.before(1001), limit: 50)))
        let newest = HistoryPage(
            messages: long(992...1000, bytes: 90_000), hasMoreBefore: true, hasMoreAfter: false, isFull: true)
        #expect(view(wish, page: newest) == .shown(Array(992...1000), needsResync: true))
    }

    @Test mutating func theViewHoldsTheRoomInNumbersAndAtMostSoManyUsers() {
        var limits = RoomLimits()
        limits.announcedUsers = 2
        room = .open(last: 0, participants: Set((0..<5).map { RoomUser.number($0).userID }), limits: limits)
        for number in 0..<5 { _ = room.join(.number(number), session: .slot(number), at: .at(0)) }
        guard case .view(let view) = room.view(HistoryRequest()) else {
            Issue.record("an empty room needs no reading")
            return
        }
        #expect(view.users.count == 2)
        #expect(view.state == RoomState(roomID: "room", lastSequence: 0, members: 5, online: 5))
    }
}
