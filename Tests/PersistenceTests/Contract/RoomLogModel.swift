import ChatDomain
import TestSupport

/// A room on two instances over one store under random use: messages, replies and changes, publications that are lost, and
/// clients that resume at any number, on either instance. A client that applied everything it was sent sees what history shows.
struct RoomLogModel {
    /// What a client made of what it was sent.
    struct Client {
        var messages: [SequenceNumber: Message] = [:]
        var last: SequenceNumber = 0
        /// Whether it has every message of the room, because it never had to begin again.
        var isWhole = true
        /// The instance that it is connected to; nil while it is away.
        var instance: Int?

        mutating func apply(_ entry: RoomLogEntry) {
            switch entry {
            case .message(let message): add(message)
            case .change(let change): messages[change.messageSequence]?.apply(change)
            }
            last = entry.sequence
        }

        mutating func apply(_ view: RoomView) {
            if view.needsResync { (messages, isWhole) = ([:], false) }
            for message in view.changed { messages[message.sequence] = message }
            for message in view.messages { add(message) }
            last = view.state.lastSequence
        }

        private mutating func add(_ message: Message) {
            if messages[message.sequence] == nil, let id = message.body.replyTo.flatMap({ MessageID($0) }),
                let target = messages.values.first(where: { $0.id == id })
            {
                messages[target.sequence]?.noteReply(message.sequence)
            }
            messages[message.sequence] = message
        }
    }

    static let room = RoomID(unchecked: "model")
    private static let emojis = ["👍", "❤️", ":party:", "é"].map { Emoji(unchecked: $0) }

    let store: any DurableStore
    private var random: SplitMix
    private var rooms: [LiveRoom]
    private var clients: [Client] = []
    private var ids: MessageIDGenerator
    private var known: [MessageID] = []
    private var now: Int64 = 0
    private var lastTicket: UInt64 = 0
    private(set) var problems: [String] = []
    private(set) var counts: (messages: Int, changes: Int, resumes: Int) = (0, 0, 0)

    init(seed: UInt64, store: any DurableStore) async throws {
        self.store = store
        random = SplitMix(seed: seed)
        ids = MessageIDGenerator(seed: seed &* 77)
        let created = try await store.create(
            Room(
                id: Self.room, kind: .group, isPrivate: false, owner: UserID(unchecked: "u0"),
                createdAt: Timestamp(milliseconds: 1)), participants: [])
        rooms = [created.snapshot, created.snapshot].map { LiveRoom($0, limits: RoomLimits()) }
    }

    mutating func run(steps: Int) async throws {
        for _ in 0..<steps { try await step() }
        try await comeToRest()
        try await check()
    }

    private mutating func step() async throws {
        now += Int64.random(in: 1...60, using: &random)
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<70: try await write()
        case 70..<80: try await resume()
        case 80..<85:
            if let index = clients.indices.randomElement(using: &random) { clients[index].instance = nil }
        case 85..<88: try await forget()
        default: try await tick()
        }
    }

    // MARK: Writing

    private mutating func write() async throws {
        let instance = Int.random(in: 0..<rooms.count, using: &random)
        for _ in 0..<Int.random(in: 1...4, using: &random) { ask(instance) }
        guard let write = rooms[instance].nextWrite(at: moment) else { return }
        let outcomes = await store.commit([write])
        for case .stored(let sequence) in outcomes[0].drafts where sequence > 0 { counts.messages += 1 }
        for case .changed in outcomes[0].drafts { counts.changes += 1 }
        for (draft, outcome) in zip(write.drafts, outcomes[0].drafts) {
            if case .message(let message) = draft, case .stored = outcome { known.append(message.id) }
            if case .failed(let error) = outcome { problems.append("\(error)") }
        }
        try await perform(rooms[instance].committed(outcomes[0], at: moment), on: instance)
    }

    private mutating func ask(_ instance: Int) {
        let user = RoomUser(
            userID: UserID(unchecked: "u\(Int.random(in: 0..<30, using: &random))"), username: "User")
        let wall = Timestamp(milliseconds: 1_700_000_000_000 + now)
        let id = ids.next(at: wall)
        lastTicket += 1
        let clientID = random.chance(1, in: 5) ? "c\(Int.random(in: 0..<40, using: &random))" : nil
        let target =
            random.chance(1, in: 50)
            ? id
            : known.suffix(random.chance(1, in: 2) ? 5 : 500)
                .randomElement(using: &random)
        guard let target, !random.chance(2, in: 5) else {
            let replyTo = random.chance(1, in: 4) ? target?.description : nil
            let draft = MessageDraft(
                id: id,
                body: MessageBody(
                    author: user.userID, username: user.username, text: "text \(lastTicket)",
                    clientMessageID: clientID, metadata: random.chance(1, in: 5) ? #"{"a":1}"# : nil, replyTo: replyTo,
                    mentions: random.chance(1, in: 5) ? [user.userID] : []), timestamp: wall)
            _ = rooms[instance].send(draft, from: nil, origin: .call(lastTicket), at: moment)
            return
        }
        let request = MessageChangeRequest(messageID: target, request(), clientMessageID: clientID)
        _ = rooms[instance].change(
            request, by: user, isService: random.chance(2, in: 3), as: id, from: nil, origin: .call(lastTicket),
            at: Now(wall: wall, monotonic: moment))
    }

    private mutating func request() -> ChangeRequest {
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<2:
            return .edit(
                MessageEdit(
                    text: "edit \(lastTicket)", metadata: random.chance(1, in: 3) ? #"{"b":2}"# : nil,
                    mentions: random.chance(1, in: 3) ? [UserID(unchecked: "u1")] : []))
        case 2: return .delete
        case 3: return .pin(random.chance(1, in: 2))
        default:
            return .react(
                Self.emojis[Int.random(in: 0..<Self.emojis.count, using: &random)],
                isRemoved: random.chance(1, in: 3))
        }
    }

    // MARK: Reading

    /// A client comes back, or a new one comes, on either instance.
    private mutating func resume() async throws {
        counts.resumes += 1
        let index = clients.indices.filter { clients[$0].instance == nil }.randomElement(using: &random)
        let client = index.map { clients[$0] } ?? Client()
        let instance = Int.random(in: 0..<rooms.count, using: &random)
        guard client.last <= rooms[instance].lastSequence else { return }
        let history = HistoryRequest(since: client.last)
        var page: ViewPage?
        for _ in 0..<8 {
            switch rooms[instance].view(history, page: page) {
            case .view(let view):
                var client = client
                client.apply(view)
                client.instance = instance
                if let index { clients[index] = client } else { clients.append(client) }
                return
            case .read(let query):
                let delivered = rooms[instance].lastSequence
                let found = try await store.history(of: Self.room, query.history)
                var changed = ChangesPage()
                if let changes = query.changes {
                    if random.chance(1, in: 2) { try await write() }
                    changed = try await store.changedMessages(of: Self.room, changes)
                }
                page = ViewPage(query: query, delivered: delivered, history: found, changed: changed)
                if random.chance(1, in: 2) { try await write() }
            }
        }
        problems.append("a resume came to no end")
    }

    /// An instance restarts: its room is loaded again, and its clients are away.
    private mutating func forget() async throws {
        let instance = Int.random(in: 0..<rooms.count, using: &random)
        guard let snapshot = try await store.room(Self.room) else { return problems.append("the room is gone") }
        rooms[instance] = LiveRoom(snapshot, limits: RoomLimits())
        for index in clients.indices where clients[index].instance == instance { clients[index].instance = nil }
    }

    private mutating func tick() async throws {
        for instance in rooms.indices { try await perform(rooms[instance].tick(at: moment), on: instance) }
    }

    private mutating func perform(_ effects: [RoomEffect], on instance: Int) async throws {
        for effect in effects {
            switch effect {
            case .deliver(let entries):
                for index in clients.indices where clients[index].instance == instance {
                    for entry in entries {
                        if entry.sequence != clients[index].last + 1 {
                            problems.append("a hole before \(entry.sequence)")
                        }
                        clients[index].apply(entry)
                    }
                }
            case .publish(let entries):
                for other in rooms.indices where other != instance {
                    let heard = entries.filter { _ in !random.chance(1, in: 4) }
                    try await perform(rooms[other].received(heard, at: moment), on: other)
                }
            case .repair(let after):
                let page = try await store.log(
                    of: Self.room, after: after, limit: Int.random(in: 1...200, using: &random))
                try await perform(
                    rooms[instance].repaired(page.entries, reachedEnd: !page.hasMore, at: moment), on: instance)
            case .resync(let sequence): problems.append("nothing after \(sequence) was lost")
            default: break
            }
        }
    }

    private mutating func comeToRest() async throws {
        let newest = try await store.lastSequences(of: [Self.room])[Self.room] ?? 0
        for _ in 0..<100 {
            now += 200
            for instance in rooms.indices { rooms[instance].announced(lastSequence: newest, at: moment) }
            now += 200
            try await tick()
        }
        for room in rooms where room.lastSequence != newest { problems.append("an instance stays behind \(newest)") }
    }

    // MARK: Judging

    private mutating func check() async throws {
        let history = try await wholeHistory()
        let log = try await wholeLog()
        if log.map(\.sequence) != log.indices.map({ SequenceNumber($0) + 1 }) { problems.append("the log has holes") }
        for (index, client) in clients.enumerated() where client.instance != nil {
            let seen = client.messages.values.sorted { $0.sequence < $1.sequence }
            let shown = client.isWhole ? history : history.filter { client.messages[$0.sequence] != nil }
            for (mine, theirs) in zip(seen, shown) where mine != theirs {
                problems.append("client \(index) sees \(mine) instead of \(theirs)")
                break
            }
            if seen.count != shown.count { problems.append("client \(index) sees \(seen.count) of \(shown.count)") }
        }
        var changed = ChangesPage(hasMore: true)
        var after: SequenceNumber = 0
        var all: [Message] = []
        while changed.hasMore {
            changed = try await store.changedMessages(of: Self.room, ChangesQuery(after: after, limit: 7))
            all += changed.messages
            after = changed.messages.last?.changeSequence ?? after
        }
        let expected = history.filter { $0.changeSequence > 0 }.sorted { $0.changeSequence < $1.changeSequence }
        if all != expected { problems.append("changed messages differ from history") }
        for message in history.prefix(50) {
            let found = try await store.message(message.id, in: Self.room, above: 0)
            if found != message { problems.append("\(message.sequence) is read as something else") }
            let replies = try await store.replies(to: message.id, in: Self.room, HistoryQuery(.after(0), limit: 1000))
            if replies.messages != history.filter({ $0.body.replyTo == message.id.description })
                || replies.messages.count != message.state?.replyCount ?? 0
            {
                problems.append("the replies to \(message.sequence) are not those of history")
            }
        }
    }

    private func wholeHistory() async throws -> [Message] {
        var messages: [Message] = []
        while true {
            let page = try await store.history(
                of: Self.room, HistoryQuery(.after(messages.last?.sequence ?? 0), limit: 33))
            messages += page.messages
            if !page.hasMoreAfter { return messages }
        }
    }

    private func wholeLog() async throws -> [RoomLogEntry] {
        var entries: [RoomLogEntry] = []
        while true {
            let page = try await store.log(of: Self.room, after: entries.last?.sequence ?? 0, limit: 50)
            entries += page.entries
            if !page.hasMore { return entries }
        }
    }

    private var moment: Moment { Moment(milliseconds: 1_000_000 + now) }
}
