/// One event on its way to one webhook receiver.
public struct WebhookDelivery: Hashable, Sendable {
    /// What the receiver gets.
    public enum Content: Hashable, Sendable {
        /// An entry of a room's log. It is read when it is sent, so that no text of it is kept here.
        case entry(RoomID, SequenceNumber)
        /// A JSON text. It goes when the data of this user are erased.
        case body(String, about: UserID?)
    }

    /// Which delivery it is.
    public struct ID: Hashable, Sendable {
        /// Names the event for its receivers, the same on every repeat.
        public var event: String
        /// The receiver, by the name that its URL gives it.
        public var receiver: String

        public init(event: String, receiver: String) {
            self.event = event
            self.receiver = receiver
        }
    }

    public var id: ID
    /// The kind of event, such as `message.sent`.
    public var type: String
    public var content: Content
    public var createdAt: Timestamp
    /// Attempts that failed.
    public var attempts: Int
    /// When the next attempt is due; nil for a dead letter, which is not attempted any more.
    public var dueAt: Timestamp?
    /// Why the last attempt failed.
    public var failure: String?

    public init(
        _ id: ID, type: String, content: Content, createdAt: Timestamp, attempts: Int = 0, dueAt: Timestamp?,
        failure: String? = nil
    ) {
        self.id = id
        self.type = type
        self.content = content
        self.createdAt = createdAt
        self.attempts = attempts
        self.dueAt = dueAt
        self.failure = failure
    }
}

/// A delivery that is to be attempted now.
public struct DueDelivery: Hashable, Sendable {
    public var delivery: WebhookDelivery
    /// The entry that the delivery is of, as it is now; nil where it is gone, and for a delivery that has its body with it.
    public var entry: RoomLogEntry?

    public init(_ delivery: WebhookDelivery, entry: RoomLogEntry? = nil) {
        self.delivery = delivery
        self.entry = entry
    }
}

/// What became of an attempt.
public struct WebhookResult: Hashable, Sendable {
    public enum Outcome: Hashable, Sendable {
        /// The delivery is done, and is removed.
        case done
        case retry(at: Timestamp, failure: String)
        /// It becomes a dead letter.
        case dead(at: Timestamp, failure: String)
    }

    public var id: WebhookDelivery.ID
    public var outcome: Outcome

    public init(_ id: WebhookDelivery.ID, _ outcome: Outcome) {
        self.id = id
        self.outcome = outcome
    }
}

/// How many deliveries of one receiver wait, and how many are dead letters.
public struct WebhookCounts: Hashable, Sendable {
    public var waiting: Int
    public var dead: Int

    public init(waiting: Int = 0, dead: Int = 0) {
        self.waiting = waiting
        self.dead = dead
    }
}

/// Keeps what is owed to webhook receivers until they have taken it, and what they never took. See `MessageStore` for the duties
/// common to all store ports.
public protocol WebhookStore: Sendable {
    /// Stores deliveries that `owner` is to make. Those that are there already stay as they are.
    func addDeliveries(_ deliveries: [WebhookDelivery], owner: InstanceID) async throws(StoreError)

    /// Deliveries of `owner` to the receiver that are due, those that are due longest first.
    func dueDeliveries(
        of owner: InstanceID, to receiver: String, at now: Timestamp, limit: Int
    ) async throws(StoreError) -> [DueDelivery]

    /// Records what became of attempts. Results of deliveries that are not there have no effect.
    func record(_ results: [WebhookResult]) async throws(StoreError)

    /// Makes dead letters of all that `owner` owes to receivers other than these.
    ///
    /// - Returns: how many.
    func abandonDeliveries(
        of owner: InstanceID, notTo receivers: Set<String>, at now: Timestamp, failure: String
    ) async throws(StoreError) -> Int

    /// Takes over everything that an instance owes whose lease is dead; the number taken.
    func adoptDeliveries(of dead: InstanceID, by owner: InstanceID) async throws(StoreError) -> Int

    /// Instances that owe deliveries.
    func deliveryOwners() async throws(StoreError) -> [InstanceID]

    /// The numbers of each receiver that has any.
    func deliveryCounts() async throws(StoreError) -> [String: WebhookCounts]

    /// Dead letters, ordered by event and receiver (as bytes), those behind `cursor`.
    func deadLetters(after cursor: WebhookDelivery.ID?, limit: Int) async throws(StoreError) -> [WebhookDelivery]

    /// Has dead letters attempted again, from the first attempt on, by `owner`.
    ///
    /// - Parameter event: those of this event; nil for all.
    /// - Returns: how many there were.
    func replayDeadLetters(
        _ event: String?, by owner: InstanceID, at now: Timestamp
    ) async throws(StoreError) -> Int

    /// Removes the oldest dead letters until `limit` are left; how many were removed.
    func trimDeadLetters(to limit: Int) async throws(StoreError) -> Int
}
