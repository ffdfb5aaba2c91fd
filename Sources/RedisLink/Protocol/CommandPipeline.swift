/// Who waits for which answer: answers come in the order of the commands.
struct CommandPipeline {
    typealias Handler = (Result<RedisValue, RedisError>) -> Void

    struct Pending {
        /// Milliseconds of the loop's clock.
        let deadline: Int64
        /// Nil once its deadline has passed; the answer is still owed and is dropped when it comes.
        var handler: Handler?
        /// A script sent by its digest, which Redis may have forgotten.
        let script: RedisCommand?
        /// What was asked, for whoever is told that it was refused.
        let name: RedisCommand.Name
    }

    private var queue = FIFO<Pending>()
    /// How many at the front have been given up already. Deadlines ascend, since all commands have the same patience.
    private var expired = 0

    var count: Int { queue.count }

    /// When the next command is to be given up.
    var nextDeadline: Int64? { expired < queue.count ? queue[expired].deadline : nil }

    mutating func sent(
        _ name: RedisCommand.Name, deadline: Int64, script: RedisCommand?, _ handler: @escaping Handler
    ) {
        queue.append(Pending(deadline: deadline, handler: handler, script: script, name: name))
    }

    /// Whose answer this is; nil when nobody asked.
    mutating func answered() -> Pending? {
        expired = max(0, expired - 1)
        return queue.popFirst()
    }

    /// Those whose time is up.
    mutating func expire(at now: Int64) -> [Handler] {
        var handlers: [Handler] = []
        while let deadline = nextDeadline, deadline <= now {
            if let handler = queue[expired].handler { handlers.append(handler) }
            queue[expired].handler = nil
            expired += 1
        }
        return handlers
    }

    /// Everybody who still waits; the connection is gone.
    mutating func abandon() -> [Handler] {
        var handlers: [Handler] = []
        while let pending = queue.popFirst() {
            if let handler = pending.handler { handlers.append(handler) }
        }
        expired = 0
        return handlers
    }
}
