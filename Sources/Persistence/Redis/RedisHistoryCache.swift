import ChatDomain
import JSON
import ChatProtocol
import RedisLink
import Telemetry

/// Rooms' newest messages in Redis: one list `chat:history:<roomId>` of message JSON per room, oldest first.
///
/// Redis is not trusted with the truth: a page is returned only when every entry of it is a message of that room under the
/// expected number. A list that holds anything else is dropped, and counted.
public final class RedisHistoryCache: HistoryCache {
    private static let keyPrefix = Array("chat:history:".utf8)
    /// The list may grow between two readings of one page. After this many readings the page counts as missing.
    private static let readings = 3
    /// After this time the store is faster than a Redis that hangs.
    private static let readTimeout: Duration = .milliseconds(250)
    /// Bytes of one write at most, so that other commands of the connection do not wait long for it.
    private static let bytesPerWrite = 1 << 20

    private let client: RedisClient
    private let maximumMessages: Int
    private let timeToLive: Duration
    private let metrics: HistoryCacheMetrics

    /// - Parameters:
    ///   - client: stays the caller's to close.
    ///   - maximumMessages: how many messages of a room are held.
    ///   - timeToLive: how long a quiet room's list stays, in whole seconds, at least one.
    public init(client: RedisClient, maximumMessages: Int, timeToLive: Duration, registry: MetricsRegistry) {
        self.client = client
        self.maximumMessages = max(1, maximumMessages)
        self.timeToLive = max(.seconds(1), timeToLive)
        metrics = HistoryCacheMetrics(registry)
    }

    public func append(_ entries: [RoomLogEntry], to room: RoomID) {
        let messages = entries.compactMap(\.message)
        // What is held of a changed message is outdated.
        guard messages.count == entries.count else { return drop(room) }
        write(HistoryScripts.append, messages, to: room)
    }

    public func fill(_ room: RoomID, with newest: [Message]) { write(HistoryScripts.fill, newest, to: room) }

    public func drop(_ room: RoomID) { client.perform([["DEL", Self.key(of: room)]]) }

    public func history(of room: RoomID, _ query: HistoryQuery, newest: SequenceNumber) async -> HistoryPage? {
        let page = await page(of: room, query, newest: newest)
        if page == nil { metrics.misses.add() } else { metrics.hits.add() }
        return page
    }

    // MARK: Writing

    private func write(_ script: RedisScript, _ messages: [Message], to room: RoomID) {
        let messages = newest(of: messages)
        guard let first = messages.first else { return }
        // The script relies on it: a hole here would be a hole in the list.
        guard zip(messages, messages.dropFirst()).allSatisfy({ $1.sequence == $0.sequence + 1 }) else {
            return drop(room)
        }
        let arguments: [RedisArgument] =
            [
                RedisArgument(maximumMessages), RedisArgument(timeToLive.components.seconds),
                RedisArgument(first.sequence),
            ]
            + messages.map { RedisArgument(MessageJSON.encode($0)) }
        client.perform([.script(script, keys: [Self.key(of: room)], arguments: arguments)]) { [metrics] replies in
            switch replies[0].map(\.integer) {
            case .success(1): break
            case .success(-1): metrics.malformed.add()
            case .success(0) where script == HistoryScripts.append: metrics.contradicted.add()
            case .success(0): break
            default: metrics.failures.add()
            }
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
            let range = HistoryRange(query, newest: newest)
            switch await parts(of: room, range, newest: newest) {
            case .held(let parts): return range.page(of: parts)
            case .grown(let tail): newest = tail
            case .foreign: return rejected(room)
            case .missing: return nil
            }
        }
        return nil
    }

    private enum Reading {
        case held([HistoryPart])
        /// The list's newest message has this number, which is not the expected one.
        case grown(SequenceNumber)
        case foreign
        case missing
    }

    private func parts(of room: RoomID, _ range: HistoryRange, newest: SequenceNumber) async -> Reading {
        var parts: [HistoryPart] = []
        // An empty page depends on the list's end too.
        for whole in range.isEmpty ? [.nothing] : range.stretches {
            // The list has no holes.
            let stretch = whole.asNumbers
            guard let reply = await read(stretch, of: room), let tail = reply.first?.integer else { return .missing }
            guard MessageNumbers.boundary(tail) != nil else { return .foreign }
            guard tail <= newest else { return .grown(tail) }
            guard tail == newest else { return .missing }
            guard stretch.count > 0 else { continue }
            guard let isFull = reply.dropFirst().first?.integer.map({ $0 == 1 }) else { return .missing }
            let entries = reply.dropFirst(2)
            guard isFull ? 1..<stretch.count ~= entries.count : entries.count == stretch.count else { return .missing }
            let first = stretch.isNewestFirst ? stretch.last - SequenceNumber(entries.count) + 1 : stretch.first
            guard let messages = decode(entries, of: room, from: first) else { return .foreign }
            parts.append(HistoryPart(stretch: stretch, messages: messages, isFull: isFull))
        }
        return .held(parts)
    }

    private func read(_ stretch: HistoryRange.Stretch, of room: RoomID) async -> [RedisValue]? {
        do throws(RedisError) {
            return try await client.run(
                HistoryScripts.read, keys: [Self.key(of: room)],
                arguments: [
                    RedisArgument(stretch.first), RedisArgument(stretch.last),
                    RedisArgument(stretch.isNewestFirst ? 1 : 0), RedisArgument(stretch.bytes),
                ], within: Self.readTimeout
            ).array
        } catch {
            metrics.failures.add()
            return nil
        }
    }

    private func decode(_ entries: ArraySlice<RedisValue>, of room: RoomID, from first: SequenceNumber) -> [Message]? {
        let parser = JSONParser()
        var messages: [Message] = []
        messages.reserveCapacity(entries.count)
        for (entry, sequence) in zip(entries, first...) {
            let message: Message? = entry.bytes?.withUnsafeBytes { bytes in
                (try? parser.parse(bytes)).flatMap { MessageJSON.decode($0, in: room) }
            }
            guard let message, message.sequence == sequence else { return nil }
            messages.append(message)
        }
        return messages
    }

    private func rejected(_ room: RoomID) -> HistoryPage? {
        metrics.malformed.add()
        drop(room)
        return nil
    }

    private static func key(of room: RoomID) -> RedisArgument { RedisArgument(keyPrefix + room.value.utf8) }
}

extension HistoryRange.Stretch {
    /// The stretch where numbers are only messages': no more of them than it may hold messages.
    fileprivate var asNumbers: Self {
        var stretch = self
        let count = SequenceNumber(limit)
        if isNewestFirst {
            stretch.first = max(first, last - count + 1)
        } else {
            stretch.last = min(last, first + count - 1)
        }
        return stretch
    }

    fileprivate var count: Int { max(0, Int(last - first) + 1) }
}
