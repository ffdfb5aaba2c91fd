import ChatDomain
import JSON
import ChatProtocol
import RedisLink
import Telemetry

/// Rooms' newest messages in Redis: one list `chat:history:<roomId>` of message JSON per room, oldest first.
///
/// Numbers have holes in a list where changes have them, so the number that it reaches to is kept beside it, in the same slot. A change
/// removes the list and leaves that number: nothing older comes back into the list, and the next page read from the store fills it.
///
/// Redis is not trusted with the truth: a page is returned only when every entry of it is a message of that room, in order. A list
/// that holds anything else is dropped, and counted.
public final class RedisHistoryCache: HistoryCache {
    private static let keyPrefix = Array("chat:history:".utf8)
    /// The list may grow between two readings of one page. After this many readings the page counts as missing.
    private static let readings = 3
    /// Bytes of one write at most, so that other commands of the connection do not wait long for it.
    private static let bytesPerWrite = 1 << 20

    private let client: RedisClient
    private let maximumMessages: Int
    private let timeToLive: Duration
    private let readTimeout: Duration
    private let metrics: HistoryCacheMetrics
    private let missed = MissedChanges()

    /// - Parameters:
    ///   - client: stays the caller's to close.
    ///   - maximumMessages: how many messages of a room are held.
    ///   - timeToLive: how long a quiet room's list stays, in whole seconds, at least one.
    ///   - readTimeout: how long a page may take. By default the time after which the store is faster than a Redis that hangs.
    public init(
        client: RedisClient, maximumMessages: Int, timeToLive: Duration, readTimeout: Duration = .milliseconds(250),
        registry: MetricsRegistry
    ) {
        self.client = client
        self.maximumMessages = max(1, maximumMessages)
        self.timeToLive = max(.seconds(1), timeToLive)
        self.readTimeout = readTimeout
        metrics = HistoryCacheMetrics(registry)
        client.observe { [weak self] state in
            if state == .connected { self?.repeatMissed() }
        }
    }

    public func append(_ entries: [RoomLogEntry], to room: RoomID) {
        if let change = entries.last(where: { $0.change != nil }) {
            noteChange(change.sequence, in: room) {}
        }
        let messages = entries.reversed().prefix { $0.change == nil }.reversed().compactMap(\.message)
        let kept = newest(of: messages)
        guard let first = kept.first, let last = kept.last else { return }
        // The script relies on it: a hole here would be a hole in the list.
        guard zip(kept, kept.dropFirst()).allSatisfy({ $1.sequence == $0.sequence + 1 }) else { return drop(room) }
        write(HistoryScripts.append, [RedisArgument(first.sequence), RedisArgument(last.sequence)], kept, to: room)
    }

    public func fill(_ room: RoomID, with newest: [Message], upTo sequence: SequenceNumber) {
        let kept = self.newest(of: newest)
        guard !kept.isEmpty else { return }
        write(HistoryScripts.fill, [RedisArgument(sequence)], kept, to: room)
    }

    public func drop(_ room: RoomID) {
        guard let keys = Self.keys(of: room) else { return }
        client.perform(keys.map { ["DEL", $0] })
    }

    public func noteChange(_ sequence: SequenceNumber, in room: RoomID, completion: @escaping @Sendable () -> Void) {
        guard let command = changeScript(of: room, sequence) else { return completion() }
        client.perform([command]) { [missed, metrics] replies in
            if case .failure = replies[0] {
                metrics.failures.add()
                missed.add(sequence, in: room)
            }
            completion()
        }
    }

    /// Tells Redis of changes that it did not take when they came.
    private func repeatMissed() {
        for (room, sequence) in missed.take() { noteChange(sequence, in: room) {} }
    }

    public func history(of room: RoomID, _ query: HistoryQuery, newest: SequenceNumber) async -> HistoryPage? {
        let page = await page(of: room, query, newest: newest)
        if page == nil { metrics.misses.add() } else { metrics.hits.add() }
        return page
    }

    // MARK: Writing

    /// - Parameter numbers: where the messages belong; see the script.
    private func write(
        _ script: RedisScript, _ numbers: [RedisArgument], _ messages: ArraySlice<Message>, to room: RoomID
    ) {
        guard let keys = Self.keys(of: room) else { return }
        let arguments: [RedisArgument] =
            [RedisArgument(maximumMessages), RedisArgument(timeToLive.components.seconds)] + numbers
            + messages.map { RedisArgument(MessageJSON.encode($0)) }
        client.perform([.script(script, keys: keys, arguments: arguments)]) { [metrics] replies in
            switch replies[0].map(\.integer) {
            case .success(1): break
            case .success(-1): metrics.malformed.add()
            case .success(0) where script == HistoryScripts.append: metrics.contradicted.add()
            case .success(0): break
            default: metrics.failures.add()
            }
        }
    }

    private func changeScript(of room: RoomID, _ sequence: SequenceNumber) -> RedisCommand? {
        Self.keys(of: room).map {
            .script(
                HistoryScripts.change, keys: $0,
                arguments: [RedisArgument(timeToLive.components.seconds), RedisArgument(sequence)])
        }
    }

    /// As many of the newest as the list holds and the limit of one write allows.
    private func newest(of messages: [Message]) -> ArraySlice<Message> {
        var (count, bytes) = (0, 0)
        for message in messages.reversed() {
            bytes += message.body.approximateBytes
            guard count < maximumMessages, count == 0 || bytes <= Self.bytesPerWrite else { break }
            count += 1
        }
        return messages.suffix(count)
    }

    // MARK: Reading

    private func page(of room: RoomID, _ query: HistoryQuery, newest: SequenceNumber) async -> HistoryPage? {
        var newest = newest
        for _ in 1...Self.readings {
            switch await read(of: room, query, newest: newest) {
            case .held(let range, let parts): return range.page(of: parts)
            case .grown(let tail): newest = tail
            case .foreign: return rejected(room)
            case .missing: return nil
            }
        }
        return nil
    }

    private enum Reading {
        case held(HistoryRange, [HistoryPart])
        /// The list reaches to this number, which is not the expected one.
        case grown(SequenceNumber)
        case foreign
        case missing
    }

    private func read(of room: RoomID, _ query: HistoryQuery, newest: SequenceNumber) async -> Reading {
        var parts: [HistoryPart] = []
        let stretches = HistoryRange(query, newest: newest).stretches
        var lastMessage: SequenceNumber = 0
        // An empty page depends on the list's end too.
        for stretch in stretches.isEmpty ? [.nothing] : stretches {
            guard let reply = await read(stretch, of: room), let reach = reply.first?.integer else { return .missing }
            guard MessageNumbers.boundary(reach) != nil else { return .foreign }
            guard reach <= newest else { return .grown(reach) }
            guard reach == newest, reply.count > 2, let last = MessageNumbers.message(reply[1].integer),
                let isFull = reply[2].integer.map({ $0 == 1 })
            else { return .missing }
            lastMessage = last
            guard stretch.first <= stretch.last else { continue }
            guard let messages = decode(reply.dropFirst(3), of: room, in: stretch) else { return .foreign }
            parts.append(HistoryPart(stretch: stretch, messages: messages, isFull: isFull))
        }
        return .held(HistoryRange(query, newest: lastMessage), parts)
    }

    private func read(_ stretch: HistoryRange.Stretch, of room: RoomID) async -> [RedisValue]? {
        guard let keys = Self.keys(of: room) else { return nil }
        do throws(RedisError) {
            return try await client.run(
                HistoryScripts.read, keys: keys,
                arguments: [
                    RedisArgument(stretch.first), RedisArgument(stretch.last),
                    RedisArgument(stretch.isNewestFirst ? 1 : 0), RedisArgument(stretch.limit),
                    RedisArgument(stretch.bytes),
                ], within: readTimeout
            ).array
        } catch {
            metrics.failures.add()
            return nil
        }
    }

    private func decode(
        _ entries: ArraySlice<RedisValue>, of room: RoomID, in stretch: HistoryRange.Stretch
    ) -> [Message]? {
        guard entries.count <= stretch.limit else { return nil }
        let parser = JSONParser()
        var messages: [Message] = []
        messages.reserveCapacity(entries.count)
        for entry in entries {
            let message: Message? = entry.bytes?.withUnsafeBytes { bytes in
                (try? parser.parse(bytes)).flatMap { MessageJSON.decode($0, in: room) }
            }
            guard let message, message.sequence >= stretch.first, message.sequence <= stretch.last,
                message.sequence > messages.last?.sequence ?? 0
            else { return nil }
            messages.append(message)
        }
        return messages
    }

    private func rejected(_ room: RoomID) -> HistoryPage? {
        metrics.malformed.add()
        drop(room)
        return nil
    }

    /// The list's key, and the key beside it in the same slot of a cluster: a part in braces decides about the slot. Nil for the few
    /// rooms whose ids allow no such key; they are not held.
    private static func keys(of room: RoomID) -> [RedisArgument]? {
        let list = keyPrefix + room.value.utf8
        let suffix = Array(":reach".utf8)
        if let open = list.firstIndex(of: UInt8(ascii: "{")),
            let close = list[open...].firstIndex(of: UInt8(ascii: "}")), close > open + 1
        {
            return [RedisArgument(list), RedisArgument(list + suffix)]
        }
        guard !list.contains(UInt8(ascii: "}")), !list.contains(UInt8(ascii: "{")) else { return nil }
        return [RedisArgument(list), RedisArgument([UInt8(ascii: "{")] + list + [UInt8(ascii: "}")] + suffix)]
    }
}
