internal import EventLoop

/// The commands without an answer. Answers come in the order of the commands.
struct CommandPipeline {
    typealias Reply = Result<RedisValue, RedisError>
    typealias Handler = (Reply) -> Void

    struct Pending {
        /// Milliseconds of the loop's clock.
        let deadline: Int64
        /// Nil once its deadline has passed. The answer is then dropped when it comes.
        var handler: Handler?
        /// A script sent by its digest, which Redis may have forgotten.
        let script: RedisCommand?
        /// For reports of refusals.
        let name: RedisCommand.Name
    }

    private var queue = FIFO<Pending>()
    /// How many at the front have passed their deadline. Deadlines ascend, as all commands have the same time limit.
    private var expired = 0

    var count: Int { queue.count }

    /// The next deadline of a command, in milliseconds of the loop's clock.
    var nextDeadline: Int64? { expired < queue.count ? queue[expired].deadline : nil }

    mutating func didSend(
        _ name: RedisCommand.Name, deadline: Int64, script: RedisCommand?, _ handler: @escaping Handler
    ) {
        queue.append(Pending(deadline: deadline, handler: handler, script: script, name: name))
    }

    /// Takes the command that is answered next; nil when there is none.
    mutating func takeAnswered() -> Pending? {
        expired = max(0, expired - 1)
        return queue.popFirst()
    }

    /// Takes the handlers of the commands whose deadline has passed.
    mutating func expire(at now: Int64) -> [Handler] {
        var handlers: [Handler] = []
        while let deadline = nextDeadline, deadline <= now {
            if let handler = queue[expired].handler { handlers.append(handler) }
            queue[expired].handler = nil
            expired += 1
        }
        return handlers
    }

    /// Takes all handlers, after the connection has ended.
    mutating func abandon() -> [Handler] {
        var handlers: [Handler] = []
        while let pending = queue.popFirst() {
            if let handler = pending.handler { handlers.append(handler) }
        }
        expired = 0
        return handlers
    }
}
