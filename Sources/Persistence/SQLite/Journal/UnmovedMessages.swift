import ChatDomain
import Synchronization

/// The messages that are durable in the journal and that the table of messages may not have yet, for readers.
///
/// A reader looks here before it looks into the table: a message that has left here by then is in the table. A message here
/// may be in the table already. The writer bounds the number of messages here, see `Journal.limit`.
final class UnmovedMessages: Sendable {
    /// Messages by room. The writer hands them over as it has them, and whoever asks first has them sorted by room: most are moved before
    /// anybody asks.
    private struct Part {
        private var rooms: [RoomID: [Message]] = [:]
        private var unsorted: [[Message]] = []

        mutating func add(_ messages: [Message]) { unsorted.append(messages) }

        /// Each room's without holes, oldest first.
        mutating func sorted() -> [RoomID: [Message]] {
            sort()
            return rooms
        }

        mutating func messages(of room: RoomID) -> [Message]? {
            sort()
            return rooms[room]
        }

        mutating func replace(_ message: Message) {
            sort()
            rooms[message.roomID]?.replace(message)
        }

        private mutating func sort() {
            guard !unsorted.isEmpty else { return }
            for message in unsorted.joined() { rooms[message.roomID, default: []].append(message) }
            unsorted = []
        }
    }

    private struct State {
        var gathered = Part()
        var moving = Part()

        mutating func newest(in room: RoomID) -> Message? {
            gathered.messages(of: room)?.last ?? moving.messages(of: room)?.last
        }

        mutating func parts(of room: RoomID) -> [[Message]] {
            [moving.messages(of: room), gathered.messages(of: room)].compactMap(\.self)
        }
    }

    private let state = Mutex(State())

    // MARK: Reading

    func newest(in room: RoomID) -> Message? { state.withLock { $0.newest(in: room) } }

    /// Those of these rooms that have messages here.
    func rooms(_ rooms: [RoomID]) -> [RoomID: UnmovedRoom] {
        state.withLock { state in
            var found: [RoomID: UnmovedRoom] = [:]
            for room in rooms {
                let parts = state.parts(of: room)
                if !parts.isEmpty { found[room] = UnmovedRoom(parts: parts) }
            }
            return found
        }
    }

    func newest(in rooms: [RoomID]) -> [RoomID: Message] { self.rooms(rooms).compactMapValues(\.newest) }

    func message(_ sequence: SequenceNumber, in room: RoomID) -> Message? {
        state.withLock { state in
            for part in state.parts(of: room) {
                if let message = part.within(sequence, sequence).first { return message }
            }
            return nil
        }
    }

    func message(_ id: MessageID, in room: RoomID) -> Message? {
        state.withLock { state in
            for part in state.parts(of: room).reversed() {
                if let message = part.last(where: { $0.id == id }) { return message }
            }
            return nil
        }
    }

    /// The message that the author sent under this client id.
    func message(sentAs clientMessageID: String, by author: UserID, in room: RoomID) -> Message? {
        state.withLock { state in
            for part in state.parts(of: room).reversed() {
                let sent = part.last {
                    $0.body.author == author && $0.body.clientMessageID?.hasSameBytes(as: clientMessageID) ?? false
                }
                if let sent { return sent }
            }
            return nil
        }
    }

    /// Messages that answer this one, oldest first.
    func replies(to id: MessageID, in room: RoomID) -> [Message] {
        let id = id.description
        return state.withLock { state in
            state.parts(of: room).flatMap { $0.filter { $0.body.replyTo?.hasSameBytes(as: id) ?? false } }
        }
    }

    /// The messages that a query asks for of the room; nil when the table has all of them.
    func tail(of room: RoomID, _ query: HistoryQuery) -> UnmovedTail? {
        state.withLock { state in
            let parts = state.parts(of: room)
            guard let first = parts.first?.first, let newest = parts.last?.last else { return nil }
            let range = HistoryRange(query, newest: newest.sequence)
            return UnmovedTail(
                range: range, start: first.sequence, messages: range.stretches.flatMap { Self.messages(of: $0, parts) })
        }
    }

    /// As many of the stretch's messages as it asks for, oldest first.
    private static func messages(of stretch: HistoryRange.Stretch, _ parts: [[Message]]) -> [Message] {
        var found: [Message] = []
        for part in stretch.isNewestFirst ? parts.reversed() : parts {
            let slice = part.within(stretch.first, stretch.last)
            let rest = stretch.limit - found.count
            if stretch.isNewestFirst { found = slice.suffix(rest) + found } else { found += slice.prefix(rest) }
        }
        return found
    }

    /// All of them.
    func snapshot() -> UnmovedSnapshot {
        let (moving, gathered) = state.withLock { ($0.moving.sorted(), $0.gathered.sorted()) }
        return UnmovedSnapshot(parts: [gathered, moving])
    }

    // MARK: Writing

    func add(_ messages: [Message]) { state.withLock { $0.gathered.add(messages) } }

    /// Puts changed messages in place of what is here of them.
    func update(_ changed: [Message]) {
        state.withLock { state in
            for message in changed {
                state.gathered.replace(message)
                state.moving.replace(message)
            }
        }
    }

    func moveBegan() {
        state.withLock { state in
            state.moving = state.gathered
            state.gathered = Part()
        }
    }

    func moveEnded() {
        // What becomes free is not freed under the lock.
        _ = state.withLock { state in
            defer { state.moving = Part() }
            return state.moving
        }
    }

    /// For when the whole journal was moved.
    func removeAll() { state.withLock { $0 = State() } }
}

/// The part of a page of history that the table of messages may not have.
struct UnmovedTail: Sendable {
    var range: HistoryRange
    /// Messages from this number on are not to be looked for in the table.
    var start: SequenceNumber
    /// Those that the page may hold, oldest first.
    var messages: [Message]
}

extension [Message] {
    /// Those numbered `first` to `last`, of messages in the order of their numbers.
    func within(_ first: SequenceNumber, _ last: SequenceNumber) -> ArraySlice<Message> {
        guard first <= last else { return [] }
        return self[index(from: first)..<(last == .max ? count : index(from: last + 1))]
    }

    mutating func replace(_ message: Message) {
        let place = index(from: message.sequence)
        if place < count, self[place].id == message.id { self[place] = message }
    }

    /// The place of the first message with this number or a later one.
    private func index(from sequence: SequenceNumber) -> Int {
        firstIndex(notBefore: { $0.sequence < sequence })
    }
}

/// The messages of one room that its table may not have, at one moment.
struct UnmovedRoom: Sendable {
    /// Oldest first.
    fileprivate let parts: [[Message]]

    var newest: Message? { parts.last?.last }
    /// Messages of the room from this number on are here.
    var start: SequenceNumber { parts.first?.first?.sequence ?? .max }

    /// The number of the user's newest message; 0 for none.
    func lastSent(by user: UserID) -> SequenceNumber {
        for part in parts.reversed() {
            if let message = part.last(where: { $0.body.author == user }) { return message.sequence }
        }
        return 0
    }

    /// How many messages behind a number mention the user.
    func mentions(of user: UserID, after start: SequenceNumber) -> Int {
        parts.reduce(0) { $0 + $1.within(start + 1, .max).count { $0.body.mentions.contains(user) } }
    }
}

/// What the table of messages may not have, at one moment.
struct UnmovedSnapshot: Sendable {
    /// The newest first.
    let messages: [Message]
    private var starts: [RoomID: SequenceNumber] = [:]

    /// - Parameter parts: messages of each room, the oldest first; the newer part first.
    fileprivate init(parts: [[RoomID: [Message]]]) {
        messages = parts.flatMap { part in
            part.values.joined().sorted { a, b in
                (a.timestamp.milliseconds, a.roomID, a.sequence) > (b.timestamp.milliseconds, b.roomID, b.sequence)
            }
        }
        for part in parts {
            for (room, messages) in part { starts[room] = messages.first?.sequence ?? starts[room] }
        }
    }

    /// Messages of the room from this number on are here.
    func start(of room: RoomID) -> SequenceNumber { starts[room] ?? .max }
}
