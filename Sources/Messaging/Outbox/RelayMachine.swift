import ChatDomain
import Workers

/// Limits and intervals of the relay.
public struct RelayPacing: Sendable {
    /// The most events that may wait for the broker's answer.
    public var window = 1000
    /// The most messages of one read.
    public var batch = 500
    /// The least time between two reads: messages stored in the meantime are read together. When the last read took longer
    /// than this, the pause is as long as that read, so that a slow store has time for other callers.
    public var readSpacing = Duration.milliseconds(20)
    /// The least time between two clearings, by the same rule: events confirmed in the meantime are cleared together.
    public var clearSpacing = Duration.milliseconds(50)
    /// The time between two reads for messages that came without a hint.
    public var pollInterval = Duration.seconds(5)
    /// The longest pause after the first failure; it doubles with each further one.
    public var backoffBase = Duration.milliseconds(200)
    /// The longest pause after a failure.
    public var backoffLimit = Duration.seconds(10)

    public init() {}
}

/// The relay's rules: what to read, publish and clear next. Events leave in the store's order. A message is cleared once
/// each of its events is confirmed; every other message is read and sent again.
///
/// Inputs change the state. `next` then returns the actions one by one, until it returns nil.
struct RelayMachine {
    enum Action {
        case read(limit: Int, except: Set<MessageID>, epoch: UInt64)
        case publish([BrokerEvent])
        case clear([MessageID])
    }

    /// A message whose events are being published.
    private struct Publication {
        let addressed: AddressedEntry
        let eventCount: Int
        var published = 0
        var answered = 0
        var hasFailed = false
    }

    /// A moment before all others.
    private static let longAgo = Moment(milliseconds: .min / 2)

    private static let clearLimit = 500

    private let mode: EventMode
    private let pacing: RelayPacing

    private(set) var isConnected = false
    private var publications: [MessageID: Publication] = [:]
    /// The messages of the last read, in the store's order. The events of those before `outgoingHead` are published. Nothing
    /// is read before the end is reached.
    private var outgoing: [MessageID] = []
    private var outgoingHead = 0
    private var tags: [UInt64: MessageID] = [:]
    private var lastTag: UInt64 = 0
    /// Messages whose events are confirmed and that are not yet cleared; the store works on `clearing` now.
    private var confirmed: [MessageID] = []
    private var clearing: [MessageID] = []

    /// Counts how often all publications were dropped. A read that began before the last time brings messages out of order.
    private var epoch: UInt64 = 0
    private var isReading = false
    /// A hint came during a read.
    private var hasHint = false
    private var readStartedAt = longAgo
    /// The earliest moment at which a hint may cause a read.
    private var mayReadAt = longAgo
    private var clearStartedAt = longAgo
    private var readAt = longAgo
    private var clearAt = longAgo
    /// The broker did not take an event: nothing more is sent until the others are answered, and then a pause follows.
    private var isFailing = false
    private var brokerBackoff: Backoff
    private var storeBackoff: Backoff
    private var random: any RandomNumberGenerator & Sendable

    init(mode: EventMode, pacing: RelayPacing, random: any RandomNumberGenerator & Sendable) {
        self.mode = mode
        self.pacing = pacing
        self.random = random
        brokerBackoff = Backoff(base: pacing.backoffBase, limit: pacing.backoffLimit)
        storeBackoff = Backoff(base: pacing.backoffBase, limit: pacing.backoffLimit)
    }

    /// Whether nothing is being published, read or cleared, and no read is due.
    func isIdle(at now: Moment) -> Bool {
        publications.isEmpty && confirmed.isEmpty && clearing.isEmpty && !isReading && !hasHint && readAt > now
    }

    // MARK: Inputs

    /// This instance stored a message.
    mutating func receivedHint(at now: Moment) {
        if isReading { hasHint = true } else { readAt = min(readAt, max(now, mayReadAt)) }
    }

    mutating func didConnect(at now: Moment) {
        isConnected = true
        readAt = now
    }

    /// The outcome of all events without an answer is unknown: all of them are sent again.
    mutating func didDisconnect(at now: Moment) {
        isConnected = false
        dropPublications()
        readAt = now
    }

    /// - Returns: the messages whose events are all confirmed now.
    @discardableResult
    mutating func receivedOutcomes(
        _ outcomes: [(tag: UInt64, outcome: BrokerOutcome)], at now: Moment
    ) -> [MessageID] {
        var completed: [MessageID] = []
        for (tag, outcome) in outcomes {
            // An unknown tag belongs to a publication that was dropped.
            guard let id = tags.removeValue(forKey: tag), var publication = publications[id] else { continue }
            publication.answered += 1
            if outcome != .confirmed {
                publication.hasFailed = true
                isFailing = true
            }
            if publication.answered == publication.eventCount, !publication.hasFailed {
                publications[id] = nil
                confirm(id, at: now)
                completed.append(id)
            } else {
                publications[id] = publication
            }
        }
        if !isFailing {
            brokerBackoff.reset()
        } else if tags.isEmpty {
            dropPublications()
            readAt = now + brokerBackoff.nextDelay(using: &random)
        }
        return completed
    }

    mutating func receivedMessages(_ messages: [AddressedEntry], limit: Int, epoch: UInt64, at now: Moment) {
        isReading = false
        defer { hasHint = false }
        guard epoch == self.epoch else { return }
        storeBackoff.reset()
        mayReadAt = max(readStartedAt + pacing.readSpacing, now + (now - readStartedAt))
        if messages.count == limit {
            readAt = now
        } else {
            readAt = hasHint ? mayReadAt : now + pacing.pollInterval
        }
        outgoing = []
        outgoingHead = 0
        for addressed in messages { add(addressed, at: now) }
    }

    mutating func didFailReading(at now: Moment) {
        isReading = false
        hasHint = false
        readAt = now + storeBackoff.nextDelay(using: &random)
    }

    mutating func didClear(at now: Moment) {
        clearing = []
        clearAt = max(clearAt, now + (now - clearStartedAt))
    }

    mutating func didFailClearing(at now: Moment) {
        confirmed = clearing + confirmed
        clearing = []
        clearAt = now + storeBackoff.nextDelay(using: &random)
    }

    // MARK: Actions

    mutating func next(at now: Moment) -> Action? {
        if clearing.isEmpty, !confirmed.isEmpty, now >= clearAt { return clear(at: now) }
        guard isConnected, !isFailing else { return nil }
        if outgoingHead < outgoing.count { return publish() }
        guard canRead, now >= readAt else { return nil }
        isReading = true
        readStartedAt = now
        let except = Set(publications.keys).union(confirmed).union(clearing)
        return .read(limit: pacing.batch, except: except, epoch: epoch)
    }

    /// When to call `next` again if no input comes before.
    var deadline: Moment? {
        let clear = clearing.isEmpty && !confirmed.isEmpty ? clearAt : nil
        let read = isConnected && !isFailing && canRead ? readAt : nil
        return [clear, read].compactMap { $0 }.min()
    }

    /// False while clearing does not keep up or the window is full.
    private var canRead: Bool {
        !isReading && outgoingHead == outgoing.count && tags.count < pacing.window
            && confirmed.count + clearing.count < Self.clearLimit * 4
    }

    private mutating func clear(at now: Moment) -> Action {
        clearing = Array(confirmed.prefix(Self.clearLimit))
        confirmed.removeFirst(clearing.count)
        clearAt = now + pacing.clearSpacing
        clearStartedAt = now
        return .clear(clearing)
    }

    /// As many events as the window has room for; nil when the window is full.
    private mutating func publish() -> Action? {
        var events: [BrokerEvent] = []
        while outgoingHead < outgoing.count, tags.count < pacing.window {
            let id = outgoing[outgoingHead]
            guard var publication = publications[id] else {
                outgoingHead += 1
                continue
            }
            let end = min(publication.eventCount, publication.published + pacing.window - tags.count)
            for index in publication.published..<end {
                lastTag += 1
                tags[lastTag] = id
                events.append(MessageEvent.make(publication.addressed, index: index, mode: mode, tag: lastTag))
            }
            publication.published = end
            publications[id] = publication
            if end == publication.eventCount { outgoingHead += 1 }
        }
        return events.isEmpty ? nil : .publish(events)
    }

    private mutating func add(_ addressed: AddressedEntry, at now: Moment) {
        let id = addressed.entry.id
        let count = addressed.eventCount(mode)
        guard count > 0 else { return confirm(id, at: now) }
        publications[id] = Publication(addressed: addressed, eventCount: count)
        outgoing.append(id)
    }

    private mutating func confirm(_ id: MessageID, at now: Moment) {
        if confirmed.isEmpty { clearAt = max(clearAt, now + pacing.clearSpacing) }
        confirmed.append(id)
    }

    private mutating func dropPublications() {
        publications = [:]
        tags = [:]
        outgoing = []
        outgoingHead = 0
        isFailing = false
        epoch += 1
    }
}
