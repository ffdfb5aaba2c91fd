import TestSupport

@testable import ChatDomain

/// A room under random use: a store shared with another instance, publications that come late, twice, turned round or
/// never, commits and reads that take their time, and sessions that write down what they see.
struct RoomModel {
    struct Client {
        var seen: [SequenceNumber] = []
        /// What `seen` must continue; nil when the client was shown the newest instead.
        var mark: SequenceNumber?
        var hasEntered = false
        var wish: HistoryRequest
    }

    var random: SplitMix
    var room: LiveRoom
    var now: Int64 = 0
    /// The durable truth, numbered from 1.
    var stored: [MessageDraft] = []
    var publications: [Message] = []
    var clients: [Int: Client] = [:]
    var pages: [(slot: Int, page: ViewPage)] = []
    var repairs: [HistoryPage] = []
    /// Requests that were not answered yet, and what went wrong.
    var asked: Set<RequestOrigin> = []
    var writing: RoomWrite?
    var acknowledged: [MessageID: SequenceNumber] = [:]
    var problems: [String] = []
    private var lastSlot = 0
    private var lastNumber = 0

    init(seed: UInt64) {
        random = SplitMix(seed: seed)
        var limits = RoomLimits()
        limits.announcedUsers = 3
        let earlier = Int.random(in: 0...300, using: &random)
        stored = (0..<earlier).map { .sample($0 + 1) }
        lastNumber = earlier
        room = .open(last: SequenceNumber(earlier), limits: limits)
    }

    mutating func step() {
        now += Int64.random(in: 0...40, using: &random)
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<10: join()
        case 10..<16: leave()
        case 16..<45: send()
        case 45..<60: beginWrite()
        case 60..<75: endWrite()
        case 75..<83: storeElsewhere()
        case 83..<92: receiveOne()
        case 92..<94: room.announced(lastSequence: SequenceNumber(stored.count), at: .at(now))
        case 94..<97: answerReads()
        default: perform(room.tick(at: .at(now)))
        }
    }

    /// Lets everything come to rest.
    mutating func comeToRest() {
        for _ in 0..<200 {
            now += 100
            if writing == nil { beginWrite() }
            endWrite()
            while !publications.isEmpty { receiveOne() }
            room.announced(lastSequence: SequenceNumber(stored.count), at: .at(now))
            answerReads()
            perform(room.tick(at: .at(now)))
        }
    }

    // MARK: Sessions

    private mutating func join() {
        lastSlot += 1
        let slot = lastSlot
        let resumed = clients.values.randomElement(using: &random)?.seen.last
        let since: SequenceNumber? =
            switch Int.random(in: 0..<4, using: &random) {
            case 0: nil
            case 1: SequenceNumber.random(in: 0...(room.lastSequence + 2), using: &random)
            default: resumed
            }
        let wish = HistoryRequest(since: since, limit: Int.random(in: 1...80, using: &random))
        clients[slot] = Client(mark: since, wish: wish)
        perform(room.join(.number(slot % 6), session: .slot(slot), at: .at(now)).effects)
        show(slot, page: nil)
    }

    private mutating func show(_ slot: Int, page: ViewPage?) {
        guard var client = clients[slot] else { return }
        switch room.view(client.wish, page: page) {
        case .view(let view):
            client.hasEntered = true
            client.seen = view.messages.map(\.sequence)
            if view.needsResync { client.mark = nil }
            if client.seen.last ?? room.lastSequence != room.lastSequence {
                problems.append("the view of \(slot) ends early")
            }
            clients[slot] = client
        case .read(let query):
            let page = ViewPage(
                query: query, delivered: room.lastSequence, history: read(query.history), changed: ChangesPage())
            pages.append((slot, page))
        }
    }

    private mutating func leave() {
        guard let slot = clients.keys.sorted().randomElement(using: &random) else { return }
        check(slot)
        clients[slot] = nil
        perform(room.leave(.slot(slot), isBroken: random.chance(1, in: 2), at: .at(now)))
    }

    // MARK: Messages

    private mutating func send() {
        guard let slot = clients.keys.sorted().randomElement(using: &random) else { return }
        lastNumber += 1
        let origin = RequestOrigin.request(lastNumber, of: slot)
        asked.insert(origin)
        perform(room.send(.sample(lastNumber), from: .slot(slot), origin: origin, at: .at(now)).effects)
    }

    private mutating func beginWrite() {
        if let write = room.nextWrite(at: .at(now)) { writing = write }
    }

    private mutating func endWrite() {
        guard let write = writing else { return }
        writing = nil
        let outcome: [RoomWriteOutcome.Draft] = write.drafts.map { draft in
            switch Int.random(in: 0..<10, using: &random) {
            case 0: return .failed(.unavailable(reason: "down"))
            case 1: return .conflict
            case 2 where !stored.isEmpty:
                let place = Int.random(in: 0..<stored.count, using: &random)
                return .duplicate(
                    id: stored[place].id, sequence: SequenceNumber(place + 1), timestamp: stored[place].timestamp)
            default:
                if random.chance(1, in: 4) { storeElsewhere() }
                draft.message.map { stored.append($0) }
                return .stored(SequenceNumber(stored.count))
            }
        }
        perform(
            room.committed(RoomWriteOutcome(roomID: "room", drafts: outcome, readMarks: []), at: .at(now)))
    }

    private mutating func storeElsewhere() {
        lastNumber += 1
        stored.append(.sample(lastNumber))
        guard let draft = stored.last, !random.chance(1, in: 5) else { return }
        publications.append(Message(draft, in: "room", sequence: SequenceNumber(stored.count)))
    }

    private mutating func receiveOne() {
        guard let place = publications.indices.randomElement(using: &random) else { return }
        let message = publications[place]
        if !random.chance(1, in: 6) { publications.remove(at: place) }
        perform(room.received([message], at: .at(now)))
    }

    // MARK: Reading

    private func read(_ query: HistoryQuery) -> HistoryPage {
        let all = stored.indices.map { SequenceNumber($0 + 1) }
        let numbers: [SequenceNumber] =
            switch query.cursor {
            case .after(let sequence): Array(all.filter { $0 > sequence }.prefix(query.limit))
            case .before(let sequence): all.filter { $0 < sequence }.suffix(query.limit)
            case .latest, .around: []
            }
        return HistoryPage(
            messages: numbers.map { Message(stored[Int($0) - 1], in: "room", sequence: $0) },
            hasMoreBefore: (numbers.first ?? 1) > 1, hasMoreAfter: (numbers.last ?? 0) < stored.count)
    }

    private mutating func answerReads() {
        let ready = pages
        pages = []
        for (slot, page) in ready { show(slot, page: page) }
        let found = repairs
        repairs = []
        for page in found {
            let fails = random.chance(1, in: 4)
            perform(
                room.repaired(
                    fails ? [] : page.messages, reachedEnd: !fails && !page.hasMoreAfter, at: .at(now)))
        }
    }

    // MARK: What comes out

    private mutating func perform(_ effects: [RoomEffect]) {
        for effect in effects {
            switch effect {
            case .deliver(let entries):
                for slot in clients.keys where clients[slot]?.hasEntered == true {
                    clients[slot]?.seen += entries.map(\.sequence)
                }
            case .reply(let origin, let reply):
                if asked.remove(origin) == nil { problems.append("\(origin) was answered twice or never asked") }
                if case .sent(let id, let sequence, _, _) = reply { acknowledged[id] = sequence }
            case .repair(let after): repairs.append(read(HistoryQuery(.after(after), limit: 1000)))
            case .resync(let sequence): problems.append("nothing after \(sequence) was lost")
            case .publish, .share, .announce, .unrecord, .enrolled, .tellDevices, .readNewest: break
            }
        }
    }

    /// The messages a session saw are gapless and without repeats, and continue where it asked.
    mutating func check(_ slot: Int) {
        guard let client = clients[slot], client.hasEntered else { return }
        let start = client.mark ?? client.seen.first.map { $0 - 1 } ?? 0
        let expected = client.seen.indices.map { start + SequenceNumber($0) + 1 }
        if client.seen != expected { problems.append("session \(slot) saw \(client.seen) after \(start)") }
    }
}
