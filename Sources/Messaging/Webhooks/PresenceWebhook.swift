import ChatDomain
import Crypto
import Synchronization
import Telemetry
import Workers

/// Sends presence to one receiver, at most once: each user's newest state, many users in one request. Nothing of it is stored.
final class PresenceWebhook: Sendable {
    private static let capacity = 10_000
    private static let batch = 100

    private struct State {
        var newest: [UserID: UserPresence] = [:]
        /// The users of `newest`, in the order of their changes.
        var order: [UserID] = []
        var isStopping = false
    }

    private let sender: WebhookSender
    private let schedule: RetrySchedule
    private let dropped: Counter
    private let clock: @Sendable () -> Timestamp
    private let signal = Signal()
    private let state = Mutex(State())

    /// - Parameter sender: makes the other deliveries to the same receiver.
    init(
        beside sender: WebhookSender, schedule: RetrySchedule, dropped: Counter,
        clock: @escaping @Sendable () -> Timestamp
    ) {
        self.sender = sender
        self.schedule = schedule
        self.dropped = dropped
        self.clock = clock
    }

    private var receiver: WebhookReceiver { sender.receiver }

    /// Takes a user that came online or went offline. Past the capacity new users are dropped.
    func add(_ presence: UserPresence) {
        guard !receiver.isDisabled else { return }
        let user = presence.user.userID
        let isFull = state.withLock { state in
            guard state.newest[user] != nil || state.order.count < Self.capacity else { return true }
            if state.newest.updateValue(presence, forKey: user) == nil { state.order.append(user) }
            return false
        }
        if isFull { dropped.add() } else { signal.raise() }
    }

    /// Ends `run` after the request that is under way. What waits is dropped.
    func stop() {
        state.withLock { $0.isStopping = true }
        signal.raise()
    }

    func run() async {
        while !state.withLock({ $0.isStopping }) {
            let now = clock()
            let pause = receiver.pause(at: now).map { Duration.milliseconds($0.milliseconds - now.milliseconds) }
            let users = pause == nil ? take() : []
            if users.isEmpty { await signal.wait(upTo: pause ?? .seconds(60)) } else { await send(users) }
        }
    }

    private func take() -> [UserPresence] {
        state.withLock { state in
            let users = state.order.prefix(Self.batch)
            state.order.removeFirst(users.count)
            return users.compactMap { state.newest.removeValue(forKey: $0) }
        }
    }

    private func send(_ users: [UserPresence]) async {
        let now = clock()
        let body = WebhookEvent.presence(users, at: now)
        let outcome = await receiver.attempt(id: "prs_" + SecureRandom.hex(bytes: 12), body: body, at: now)
        guard let outcome else { return }
        // The first attempt is the last one.
        switch schedule.decision(on: outcome, after: .max, at: clock(), random: 0) {
        case .done: return
        case .gone: sender.disable()
        case .retry(_, _, let pause), .dead(_, let pause): if let pause { receiver.pause(until: pause) }
        }
        dropped.add(users.count)
    }
}
