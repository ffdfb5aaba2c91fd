public import ChatDomain
import JSON
import Synchronization
public import Telemetry

/// Publishes who came online and who went offline, each user's events in order, at least once while this process lives.
///
/// One batch is under way at a time. Where the broker does not take an event, it and everything behind it go again, so that
/// no later event of a user overtakes an earlier one. What waits is bounded: past that the oldest is dropped, since the
/// newest says how a user stands.
public final class PresenceEvents: Sendable {
    private static let batchSize = 256
    private static let maximumWaiting = 100_000
    private static let pause: Duration = .seconds(1)

    private struct State {
        var waiting: [BrokerEvent] = []
        var lastTag: UInt64 = 0
        var isConnected = false
        /// Events of the batch under way, from the front of `waiting`, and those of them without an answer.
        var batch = 0
        var unanswered: Set<UInt64> = []
        var firstRefused: UInt64?
    }

    private let broker: any EventBroker
    /// Tells this process's events from any other's.
    private let prefix: String
    private let trouble: OccasionalLogger
    private let state = Mutex(State())

    public init(instance: InstanceID, startedAt: Timestamp, broker: any EventBroker, logger: Logger) {
        self.broker = broker
        prefix = "\(instance)-\(startedAt.milliseconds)-"
        trouble = OccasionalLogger(logger)
    }

    public func start() { broker.start { [weak self] in self?.report($0) } }

    public func stop() async { await broker.stop() }

    /// Takes an edge; one between two statuses of somebody who is there is no event.
    public func note(_ edge: PresenceEdge, at now: Timestamp) {
        guard edge.before.isOnline != edge.presence.status.isOnline else { return }
        state.withLock { state in
            if state.waiting.count - state.batch >= Self.maximumWaiting {
                state.waiting.remove(at: state.batch)
                trouble.warning("presence events dropped: the broker has been away for too long")
            }
            state.lastTag += 1
            state.waiting.append(event(edge.presence, tag: state.lastTag, at: now))
            sendNext(&state)
        }
    }

    private func event(_ presence: UserPresence, tag: UInt64, at now: Timestamp) -> BrokerEvent {
        let type = presence.status.isOnline ? "presence.online" : "presence.offline"
        var out = JSONWriter()
        out.object { out in
            out.key("eventType")
            out.string(type)
            out.key("timestamp")
            out.string(now.iso8601)
            out.key("data")
            out.object { out in
                out.key("userId")
                out.string(presence.user.userID.value)
                out.key("username")
                out.string(presence.user.username)
                out.key("status")
                out.string(presence.status.rawValue)
                out.key("lastSeen")
                out.string(presence.lastSeen.iso8601)
            }
        }
        return BrokerEvent(
            tag: tag, messageID: prefix + String(tag), type: type,
            timestampSeconds: UInt64(max(now.milliseconds, 0) / 1000), body: out.bytes)
    }

    private func sendNext(_ state: inout State) {
        guard state.isConnected, state.batch == 0, !state.waiting.isEmpty else { return }
        let events = Array(state.waiting.prefix(Self.batchSize))
        state.batch = events.count
        state.unanswered = Set(events.map(\.tag))
        state.firstRefused = nil
        broker.publish(events)
    }

    private func report(_ report: BrokerReport) {
        state.withLock { state in
            switch report {
            case .connected:
                state.isConnected = true
                state.batch = 0
                sendNext(&state)
            case .disconnected(let error):
                state.isConnected = false
                state.batch = 0
                trouble.warning("presence events wait", ["reason": "\(error)"])
            case .settled(let settled): settle(settled, &state)
            }
        }
    }

    private func settle(_ settled: [(tag: UInt64, outcome: BrokerOutcome)], _ state: inout State) {
        guard state.batch > 0 else { return }
        for (tag, outcome) in settled where state.unanswered.remove(tag) != nil && outcome != .confirmed {
            state.firstRefused = min(state.firstRefused ?? tag, tag)
        }
        guard state.unanswered.isEmpty else { return }
        guard let refused = state.firstRefused else {
            state.waiting.removeFirst(state.batch)
            state.batch = 0
            return sendNext(&state)
        }
        state.waiting.removeAll { $0.tag < refused }
        // Not at once: a queue that is gone stays gone for a while.
        state.batch = min(state.waiting.count, Self.batchSize)
        Task { [weak self] in
            try? await Task.sleep(for: Self.pause)
            self?.tryAgain()
        }
    }

    private func tryAgain() {
        state.withLock { state in
            guard state.unanswered.isEmpty else { return }
            state.batch = 0
            sendNext(&state)
        }
    }
}
