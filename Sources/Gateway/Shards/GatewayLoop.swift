import ChatCore
import ChatDomain
import EventLoop

/// An event loop as the chat sees it.
final class GatewayLoop: LoopContext {
    private let loop: EventLoop
    private let index: UInt16
    private let mailboxes: [Mailbox<ShardMessage>]
    /// Messages of this shard to itself.
    private var local = TurnQueue<ShardMessage>()
    private var batch: [ShardMessage] = []
    /// Whether a message is being handled: another one has to wait until that is done.
    private var isDispatching = false
    /// Messages to the other shards, by shard. Gathered for the turn: a shard that was woken for the first would handle that one
    /// alone, and write twice to a session that gets two.
    private var outgoing: [[ShardMessage]]
    private var continuations: [UInt64: (any Sendable) -> Void] = [:]
    private var lastTicket: UInt64 = 0
    /// Called from any thread; has `finished` called on the loop.
    private let finish: @Sendable (_ ticket: UInt64, _ value: any Sendable) -> Void

    init(
        _ loop: EventLoop, index: UInt16, mailboxes: [Mailbox<ShardMessage>],
        finish: @escaping @Sendable (_ ticket: UInt64, _ value: any Sendable) -> Void
    ) {
        self.loop = loop
        self.index = index
        self.mailboxes = mailboxes
        outgoing = Array(repeating: [], count: mailboxes.count)
        self.finish = finish
    }

    var now: Now {
        Now(
            wall: Timestamp(milliseconds: loop.wallMilliseconds),
            monotonic: Moment(milliseconds: loop.monotonicMilliseconds))
    }

    func schedule(after span: Duration, _ action: @escaping () -> Void) -> LoopTimer {
        LoopTimer(loop.schedule(after: span, action).value)
    }

    func cancel(_ timer: LoopTimer) { loop.cancel(TimerID(timer.value)) }

    func run<Value: Sendable>(
        _ operation: @escaping @Sendable () async -> Value, then: @escaping (Value) -> Void
    ) {
        // What runs off the loop may post too, and must not overtake what was posted before.
        postOutgoing()
        lastTicket += 1
        continuations[lastTicket] = { value in
            guard let value = value as? Value else {
                preconditionFailure("the result of ticket \(Value.self) has another type")
            }
            then(value)
        }
        Task { [finish, ticket = lastTicket] in finish(ticket, await operation()) }
    }

    /// As `runHere`, but begins before it returns; not for what handles a message.
    func runAtOnce<Value: Sendable>(
        _ operation: @escaping @Sendable () async -> Value, then: @escaping (Value) -> Void
    ) {
        postOutgoing()
        loop.runAtOnce(operation, then: then)
    }

    func runHere<Value: Sendable>(
        _ operation: @escaping @Sendable () async -> Value, then: @escaping (Value) -> Void
    ) {
        postOutgoing()
        loop.run(operation, then: then)
    }

    func finished(_ ticket: UInt64, _ value: any Sendable) { continuations.removeValue(forKey: ticket)?(value) }

    // MARK: Messages

    func post(_ message: ShardMessage, to shard: UInt16) {
        if shard == index { local.append(message) } else { outgoing[Int(shard)].append(message) }
    }

    /// Hands the other shards what was posted to them. To be called at the end of a turn.
    func postOutgoing() {
        for shard in outgoing.indices where !outgoing[shard].isEmpty {
            mailboxes[shard].post(taking: &outgoing[shard])
        }
    }

    /// Whether messages of this shard to itself wait.
    var hasLocal: Bool { !local.isEmpty }

    /// Handles what other threads posted.
    func drainMailbox(_ dispatch: (ShardMessage) -> Void) {
        mailboxes[Int(index)].takeAll(leaving: &batch)
        handle(batch, dispatch)
        batch.removeAll(keepingCapacity: batch.count <= 1024)
    }

    /// Handles what this shard posted to itself, and what that brings about.
    func drainLocal(_ dispatch: (ShardMessage) -> Void) {
        while !local.isEmpty {
            var batch = local.take()
            handle(batch, dispatch)
            local.recycle(&batch)
        }
    }

    /// Handles a message now, unless others wait or one is being handled; whether it did.
    func takeAtOnce(_ message: ShardMessage, _ dispatch: (ShardMessage) -> Void) -> Bool {
        guard !isDispatching, local.isEmpty, mailboxes[Int(index)].isEmpty else { return false }
        isDispatching = true
        dispatch(message)
        isDispatching = false
        return true
    }

    private func handle(_ messages: [ShardMessage], _ dispatch: (ShardMessage) -> Void) {
        isDispatching = true
        for message in messages { dispatch(message) }
        isDispatching = false
    }
}
