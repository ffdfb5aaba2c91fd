import ChatDomain
import Workers

/// What the relay is paced by. Times in milliseconds.
public struct RelayPacing: Sendable {
    /// Events at the broker that it has not answered for yet, at most.
    public var window = 1000
    /// Messages read at once, at most.
    public var batch = 500
    /// Between two reads, at least: what is stored in the meantime is read together. As long as the last read took, when
    /// that is longer, so that a slow store has time for others.
    public var readSpacing: Int64 = 20
    /// Between two clearings, likewise: what is confirmed in the meantime is cleared together.
    public var clearSpacing: Int64 = 50
    /// Between two looks for messages that nobody gave a hint of.
    public var pollInterval: Int64 = 5000
    /// The longest pause after a failure.
    public var backoffLimit: Int64 = 10_000

    public init() {}
}

/// The relay's rules: what to read, to publish and to clear next. Events leave in the store's order; a message is cleared
/// once each of its events is confirmed, and everything else is read and sent again.
///
/// Inputs change the state; `next` then says what to do, until it says nothing.
struct RelayMachine {
    enum Action {
        case read(limit: Int, except: Set<MessageID>, epoch: UInt64)
        case publish([BrokerEvent])
        case clear([MessageID])
    }

    /// A message that is being published.
    struct Flight {
        let addressed: AddressedMessage
        let eventCount: Int
        var published = 0
        var settled = 0
        var hasFailed = false
    }

    private static let clearLimit = 500

    let mode: EventMode
    let pacing: RelayPacing

    private(set) var isConnected = false
    private var flights: [MessageID: Flight] = [:]
    /// What was read last, in the store's order, and where the events still to be published begin. Nothing is read before
    /// the end is reached.
    private var outgoing: [MessageID] = []
    private var outgoingHead = 0
    private var tags: [UInt64: MessageID] = [:]
    private var lastTag: UInt64 = 0
    /// Published, and not yet known to be cleared; `clearing` is on its way to the store.
    private var confirmed: [MessageID] = []
    private var clearing: [MessageID] = []

    /// A read that began before everything in flight was given up brings messages out of turn.
    private var epoch: UInt64 = 0
    private var isReading = false
    private var isWoken = false
    private var lastRead = Moment(milliseconds: .min / 2)
    /// Not before this does a hint lead to the next read.
    private var mayReadAt = Moment(milliseconds: .min / 2)
    private var clearedAt = Moment(milliseconds: .min / 2)
    private var readAt = Moment(milliseconds: .min / 2)
    private var clearAt = Moment(milliseconds: .min / 2)
    /// An event came back: nothing more is sent until the rest is answered, and then a pause is made.
    private var isFailing = false
    private var brokerBackoff: Backoff
    private var storeBackoff: Backoff
    private var random: any RandomNumberGenerator & Sendable

    init(mode: EventMode, pacing: RelayPacing, random: any RandomNumberGenerator & Sendable) {
        self.mode = mode
        self.pacing = pacing
        self.random = random
        brokerBackoff = Backoff(base: 200, limit: pacing.backoffLimit)
        storeBackoff = Backoff(base: 200, limit: pacing.backoffLimit)
    }

    /// Nothing is on its way, and nothing was there to read.
    func isIdle(at now: Moment) -> Bool {
        flights.isEmpty && confirmed.isEmpty && clearing.isEmpty && !isReading && !isWoken && readAt > now
    }

    // MARK: What happened

    /// Something was stored.
    mutating func woken(at now: Moment) {
        if isReading { isWoken = true } else { readAt = min(readAt, max(now, mayReadAt)) }
    }

    mutating func connected(at now: Moment) {
        isConnected = true
        readAt = now
    }

    /// What was on its way may have arrived or not: all of it goes again.
    mutating func disconnected(at now: Moment) {
        isConnected = false
        giveUpFlights()
        readAt = now
    }

    mutating func settled(_ outcomes: [(tag: UInt64, outcome: BrokerOutcome)], at now: Moment) {
        for (tag, outcome) in outcomes {
            // A tag that is not known is of a flight given up.
            guard let id = tags.removeValue(forKey: tag), var flight = flights[id] else { continue }
            flight.settled += 1
            if outcome != .confirmed {
                flight.hasFailed = true
                isFailing = true
            }
            if flight.settled == flight.eventCount, !flight.hasFailed {
                flights[id] = nil
                confirm(id, at: now)
            } else {
                flights[id] = flight
            }
        }
        if !isFailing {
            brokerBackoff.reset()
        } else if tags.isEmpty {
            giveUpFlights()
            readAt = now + brokerBackoff.next(using: &random)
        }
    }

    mutating func read(_ messages: [AddressedMessage], limit: Int, epoch: UInt64, at now: Moment) {
        isReading = false
        defer { isWoken = false }
        guard epoch == self.epoch else { return }
        storeBackoff.reset()
        mayReadAt = max(lastRead + pacing.readSpacing, now + (now - lastRead))
        if messages.count == limit {
            readAt = now
        } else {
            readAt = isWoken ? mayReadAt : now + pacing.pollInterval
        }
        outgoing = []
        outgoingHead = 0
        for addressed in messages { take(addressed, at: now) }
    }

    mutating func readFailed(at now: Moment) {
        isReading = false
        isWoken = false
        readAt = now + storeBackoff.next(using: &random)
    }

    mutating func cleared(at now: Moment) {
        clearing = []
        clearAt = max(clearAt, now + (now - clearedAt))
    }

    mutating func clearFailed(at now: Moment) {
        confirmed = clearing + confirmed
        clearing = []
        clearAt = now + storeBackoff.next(using: &random)
    }

    // MARK: What to do

    mutating func next(at now: Moment) -> Action? {
        if clearing.isEmpty, !confirmed.isEmpty, now >= clearAt { return clear(at: now) }
        guard isConnected, !isFailing else { return nil }
        if outgoingHead < outgoing.count { return publish() }
        guard canRead, now >= readAt else { return nil }
        isReading = true
        lastRead = now
        let except = Set(flights.keys).union(confirmed).union(clearing)
        return .read(limit: pacing.batch, except: except, epoch: epoch)
    }

    /// When to ask `next` again, if nothing else happens before.
    var deadline: Moment? {
        let clear = clearing.isEmpty && !confirmed.isEmpty ? clearAt : nil
        let read = isConnected && !isFailing && canRead ? readAt : nil
        return [clear, read].compactMap { $0 }.min()
    }

    /// Where clearing does not keep up, or the window is full, nothing more is taken on.
    private var canRead: Bool {
        !isReading && outgoingHead == outgoing.count && tags.count < pacing.window
            && confirmed.count + clearing.count < Self.clearLimit * 4
    }

    private mutating func clear(at now: Moment) -> Action {
        clearing = Array(confirmed.prefix(Self.clearLimit))
        confirmed.removeFirst(clearing.count)
        clearAt = now + pacing.clearSpacing
        clearedAt = now
        return .clear(clearing)
    }

    /// As many events as the window has room for; nil when it has none.
    private mutating func publish() -> Action? {
        var events: [BrokerEvent] = []
        while outgoingHead < outgoing.count, tags.count < pacing.window {
            let id = outgoing[outgoingHead]
            guard var flight = flights[id] else {
                outgoingHead += 1
                continue
            }
            let end = min(flight.eventCount, flight.published + pacing.window - tags.count)
            for index in flight.published..<end {
                lastTag += 1
                tags[lastTag] = id
                events.append(MessageEvent.make(flight.addressed, index: index, mode: mode, tag: lastTag))
            }
            flight.published = end
            flights[id] = flight
            if end == flight.eventCount { outgoingHead += 1 }
        }
        return events.isEmpty ? nil : .publish(events)
    }

    private mutating func take(_ addressed: AddressedMessage, at now: Moment) {
        let id = addressed.message.id
        let count = addressed.eventCount(mode)
        guard count > 0 else { return confirm(id, at: now) }
        flights[id] = Flight(addressed: addressed, eventCount: count)
        outgoing.append(id)
    }

    private mutating func confirm(_ id: MessageID, at now: Moment) {
        if confirmed.isEmpty { clearAt = max(clearAt, now + pacing.clearSpacing) }
        confirmed.append(id)
    }

    private mutating func giveUpFlights() {
        flights = [:]
        tags = [:]
        outgoing = []
        outgoingHead = 0
        isFailing = false
        epoch += 1
    }
}
