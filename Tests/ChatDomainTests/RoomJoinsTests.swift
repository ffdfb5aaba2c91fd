import Testing

@testable import ChatDomain

/// The way of a join, step by step.
@Suite struct RoomJoinsTests {
    private var joins = RoomJoins(isShared: true)
    private var room = LiveRoom.open(last: 500, participants: ["ann", "bob", "cat"])
    private var shown: Set<SessionAddress> = []

    private mutating func join(
        _ user: RoomUser, _ slot: Int, since: SequenceNumber? = nil, isSubscribed: Bool = true, at now: Int64 = 0
    ) -> [String] {
        let request = JoinRequest(
            session: .slot(slot), request: 1, user: user, history: HistoryRequest(since: since, limit: 50),
            form: EventForm(code: 0))
        return names(
            joins.received(request, in: &room, isSubscribed: isSubscribed, isHidden: { _ in false }, at: .at(now)))
    }

    private func names(_ actions: [RoomJoins.Action]) -> [String] {
        actions.compactMap { action in
            switch action {
            case .perform: nil
            case .countListeners(let round): "count \(round)"
            case .catchUp(let after, let number): "catchUp \(after) \(number)"
            case .readPage(let query, _): "page \(query.history.cursor)"
            case .takeTurn(let number): "turn \(number)"
            case .show(let join, let view): "show \(join.session.slot) \(view.messages.count)"
            case .refuse(let join, let error): "refuse \(join.session.slot) \(error.code.rawValue)"
            }
        }
    }

    private mutating func turn(_ number: Int) -> [String] {
        names(joins.didGetTurn(number: number, in: &room, isShown: shown.contains, at: .at(0)))
    }

    private mutating func page(
        _ query: ViewQuery, _ page: HistoryPage?, delivered: SequenceNumber = 500, at now: Int64 = 0
    ) -> [String] {
        let result: Result<ViewPage, StoreError> =
            page.map { .success(ViewPage(query: query, delivered: delivered, history: $0, changed: ChangesPage())) }
            ?? .failure(.unavailable(reason: "down"))
        return names(joins.didReadPage(query, result, in: &room, isShown: shown.contains, at: .at(now)))
    }

    private let newest = ViewQuery(history: HistoryQuery(.before(501), limit: 50))
    private let newestPage = HistoryPage(messages: Message.numbers(451...500), hasMoreBefore: true, hasMoreAfter: false)

    // MARK: Being shown the room

    @Test mutating func joinsThatNeedTheSamePageShareOneRead() {
        #expect(join(.ann, 1) == ["turn 1"] && join(.bob, 2) == ["turn 2"])
        #expect(turn(1) == ["page before(501)"])
        #expect(turn(2) == [])
        #expect(page(newest, newestPage) == ["turn 1", "turn 2"])
        #expect(turn(1) == ["show 1 50"] && turn(2) == ["show 2 50"])
        #expect(turn(1) == [] && page(newest, newestPage) == [], "what comes twice")
        #expect(joins.isEmpty && joins.deadline == nil && !joins.needsTraffic)
    }

    @Test mutating func whatComesWhileThePageIsReadIsPartOfTheView() {
        _ = join(.ann, 1)
        _ = turn(1)
        _ = room.received(Message.numbers(501...502), at: .at(1))
        #expect(page(newest, newestPage) == ["turn 1"])
        #expect(turn(1) == ["show 1 50"])
    }

    @Test mutating func aRoomThatOutrunsItsReadsIsUnavailable() {
        _ = join(.ann, 1, since: 400)
        #expect(turn(1) == ["page after(400)"])
        let query = ViewQuery(
            history: HistoryQuery(.after(400), limit: 1000), changes: ChangesQuery(after: 400, upTo: 400))
        for number in 1...4 {
            let last = room.lastSequence
            _ = room.received(Message.numbers(last + 1...last + 300), at: .at(0))
            let found = HistoryPage(
                messages: Message.numbers(401...last), hasMoreBefore: true, hasMoreAfter: false)
            #expect(page(query, found, delivered: last) == ["turn 1"])
            #expect(turn(1) == [number < 4 ? "page after(400)" : "refuse 1 storage_unavailable"])
        }
        #expect(!room.members.contains(.slot(1)) && joins.isEmpty)
    }

    @Test mutating func aSessionThatWasShownTheRoomStaysInItWhenAPageFails() {
        _ = join(.ann, 1)
        _ = join(.bob, 2)
        shown = [.slot(1)]
        _ = turn(1)
        _ = turn(2)
        #expect(page(newest, nil) == ["refuse 1 storage_unavailable", "refuse 2 storage_unavailable"])
        #expect(room.members.contains(.slot(1)) && !room.members.contains(.slot(2)))
    }

    @Test mutating func aPageThatDoesNotComeIsGivenUp() {
        _ = join(.ann, 1)
        _ = turn(1)
        #expect(joins.deadline == .at(5000))
        #expect(names(joins.tick(&room, isShown: shown.contains, at: .at(4999))) == [])
        #expect(names(joins.tick(&room, isShown: shown.contains, at: .at(5000))) == ["refuse 1 storage_unavailable"])
        #expect(page(newest, newestPage, at: 5001) == [] && joins.deadline == nil)
    }

    // MARK: Enrolling

    @Test mutating func aNewParticipantWaitsForTheStore() {
        #expect(join(.number(7), 7) == [])
        #expect(!joins.isEmpty && !joins.needsTraffic)
        #expect(enrolled(7) == ["turn 2"])
        #expect(enrolled(7) == [], "what comes twice")
    }

    private mutating func enrolled(_ slot: Int) -> [String] {
        let origin = RequestOrigin.session(.slot(slot), request: 1)
        return names(
            joins.didEnrol(origin, in: &room, isSubscribed: true, isHidden: { _ in false }, at: .at(0)))
    }

    @Test mutating func aJoinThatTheRoomAnsweredIsOver() {
        _ = join(.number(7), 7)
        joins.didAnswer(.session(.slot(7), request: 1))
        #expect(joins.isEmpty && enrolled(7) == [])
    }

    @Test mutating func aSessionThatLeavesWhileItsUserIsRecordedIsRefusedThen() {
        _ = join(.number(7), 7)
        #expect(names(joins.didLeave(.slot(7))) == [])
        #expect(enrolled(7) == ["refuse 7 forbidden"] && joins.isEmpty)
        #expect(!room.members.contains(.slot(7)))
    }

    @Test mutating func aUserThatMayNotEnterIsRefused() {
        room = .closed(to: ["ann"])
        #expect(join(.bob, 2) == ["refuse 2 forbidden"] && joins.isEmpty)
    }

    // MARK: Waiting for other instances

    @Test mutating func theFirstJoinsWaitForTheRostersOfAllOthers() {
        #expect(join(.ann, 1, isSubscribed: false) == [] && join(.bob, 2) == [])
        #expect(joins.needsTraffic)
        #expect(names(joins.didSubscribe()) == ["count 1"])
        #expect(names(joins.didCountListeners(round: 1, others: 2, in: &room, at: .at(1))) == [])
        for _ in 1...2 { #expect(roster("one") == []) }
        #expect(roster("two") == [], "the room is being read again")
        #expect(names(joins.didRefresh(&room, at: .at(2))) == ["turn 1", "turn 2"])
        #expect(roster("three") == [] && names(joins.didSubscribe()) == [])
    }

    private mutating func roster(_ instance: String) -> [String] {
        names(joins.receivedRoster(of: InstanceID(instance), in: &room, at: .at(1)))
    }

    @Test mutating func othersAreNotWaitedForForever() {
        _ = join(.ann, 1, isSubscribed: false)
        _ = join(.bob, 2, at: 150)
        #expect(joins.deadline == .at(200))
        #expect(names(joins.tick(&room, isShown: shown.contains, at: .at(200))) == ["turn 1", "turn 2"])
        #expect(join(.cat, 3, isSubscribed: false, at: 300) == [])
        #expect(
            names(joins.didCountListeners(round: 1, others: 0, in: &room, at: .at(301))) == [], "of an earlier wait")
        #expect(names(joins.didCountListeners(round: 2, others: 0, in: &room, at: .at(302))) == ["turn 3"])
    }

    @Test mutating func anInstanceByItselfWaitsForNoOther() {
        joins = RoomJoins(isShared: false)
        #expect(join(.ann, 1, since: 600, isSubscribed: false) == ["turn 1"])
    }

    // MARK: Catching up

    @Test mutating func aSessionThatSawMoreWaitsUntilItIsReadHere() {
        #expect(join(.ann, 1, since: 502) == ["catchUp 500 2"])
        #expect(join(.bob, 2, since: 510) == [])
        let page = RoomLogPage(entries: Message.numbers(501...503).entries, hasMore: true)
        #expect(catchUp(2, page) == ["turn 1", "catchUp 503 4"])
        #expect(room.lastSequence == 503 && catchUp(2, page) == [])
        let none = RoomLogPage(hasMore: true)
        #expect(catchUp(4, none) == ["turn 3"], "another read would find the same")
        #expect(turn(1) == ["show 1 1"])
    }

    private mutating func catchUp(_ number: Int, _ page: RoomLogPage?, at now: Int64 = 0) -> [String] {
        let result: Result<RoomLogPage, StoreError> =
            page.map { .success($0) } ?? .failure(.unavailable(reason: "down"))
        return names(joins.didCatchUp(number: number, result, in: &room, isShown: shown.contains, at: .at(now)))
    }

    @Test mutating func aStoreThatFailsEndsTheCatchUp() {
        _ = join(.ann, 1, since: 502)
        #expect(catchUp(2, nil) == ["refuse 1 storage_unavailable"])
        _ = join(.bob, 2, since: 502)
        #expect(names(joins.tick(&room, isShown: shown.contains, at: .at(5000))) == ["refuse 2 storage_unavailable"])
    }

    // MARK: Going

    @Test mutating func aSessionThatLeavesIsAnswered() {
        _ = join(.ann, 1)
        _ = turn(1)
        #expect(names(joins.didLeave(.slot(1))) == ["refuse 1 forbidden"])
        #expect(names(joins.didLeave(.slot(1))) == [] && page(newest, newestPage) == [])
    }

    @Test mutating func aClosedRoomAnswersEveryJoin() {
        _ = join(.ann, 1)
        _ = turn(1)
        _ = join(.bob, 2, since: 502)
        _ = join(.number(7), 7)
        #expect(names(joins.didClose()) == ["refuse 1 forbidden", "refuse 2 forbidden", "refuse 7 forbidden"])
        #expect(joins.isEmpty && joins.deadline == nil && enrolled(7) == [] && page(newest, newestPage) == [])
    }
}
