internal import EventLoop

/// Keeps the commands of each slot in order while the slot changes its node. A value without I/O.
///
/// A node that gave a slot away answers every command that is still on its way with a redirection. A command that is sent to the new
/// node before all of these answers are here would overtake them. So the slot waits for the answers, and the commands go to the
/// new node in the order of their callers.
struct SlotQueues<Node: Equatable, Command> {
    private struct Queue {
        /// Commands without an answer, all at one node.
        var unanswered = 0
        var node: Node?
        /// Commands that are to be sent again, in the order they were given. They come before `waiting`.
        var repeated: [(order: UInt64, command: Command)] = []
        var waiting = FIFO<Command>()

        var isWaiting: Bool { !repeated.isEmpty || !waiting.isEmpty }

        func maySend(to node: Node) -> Bool { unanswered == 0 || repeated.isEmpty && self.node == node }
    }

    private var queues: [HashSlot: Queue] = [:]
    private(set) var waitingSlots: Set<HashSlot> = []
    /// Commands that wait, of all slots.
    private(set) var waitingCount = 0

    func isWaiting(_ slot: HashSlot) -> Bool { waitingSlots.contains(slot) }

    /// Whether a new command may be sent at once; else it has to wait.
    func maySend(to node: Node, in slot: HashSlot) -> Bool {
        queues[slot].map { !$0.isWaiting && $0.maySend(to: node) } ?? true
    }

    mutating func wait(_ command: Command, in slot: HashSlot) {
        queues[slot, default: Queue()].waiting.append(command)
        waitingSlots.insert(slot)
        waitingCount += 1
    }

    mutating func didSend(to node: Node, in slot: HashSlot) {
        queues[slot, default: Queue()].unanswered += 1
        queues[slot]?.node = node
    }

    /// A command that was sent has an answer, or will have none.
    mutating func didAnswer(in slot: HashSlot) {
        guard var queue = queues[slot] else { return }
        queue.unanswered = max(0, queue.unanswered - 1)
        keep(queue, for: slot)
    }

    /// A command has taken effect.
    ///
    /// - Parameter order: the command's place in the order of all commands.
    /// - Returns: commands that were given before it and would be repeated behind it. They must fail instead.
    mutating func takeOvertaken(by order: UInt64, in slot: HashSlot) -> [Command] {
        guard var queue = queues[slot], queue.repeated.contains(where: { $0.order < order }) else { return [] }
        let overtaken = queue.repeated.filter { $0.order < order }
        queue.repeated.removeAll { $0.order < order }
        waitingCount -= overtaken.count
        keep(queue, for: slot)
        return overtaken.map(\.command)
    }

    /// A command is to be sent again.
    mutating func willRepeat(_ command: Command, _ order: UInt64, in slot: HashSlot) {
        var queue = queues[slot] ?? Queue()
        let place = queue.repeated.lastIndex { $0.order < order }.map { $0 + 1 } ?? 0
        queue.repeated.insert((order, command), at: place)
        waitingCount += 1
        keep(queue, for: slot)
    }

    /// The next command to send to the node; nil while commands at another one have no answer.
    mutating func takeNext(for node: Node, in slot: HashSlot) -> Command? {
        guard var queue = queues[slot], queue.maySend(to: node) else { return nil }
        if !queue.repeated.isEmpty {
            var merged = FIFO<Command>()
            for entry in queue.repeated { merged.append(entry.command) }
            while let command = queue.waiting.popFirst() { merged.append(command) }
            queue.repeated = []
            queue.waiting = merged
        }
        guard let command = queue.waiting.popFirst() else { return nil }
        waitingCount -= 1
        keep(queue, for: slot)
        return command
    }

    /// Takes the commands that fulfil a condition out of those that wait, in order.
    mutating func take(where isTaken: (Command) -> Bool) -> [Command] {
        var taken: [Command] = []
        for slot in waitingSlots {
            guard var queue = queues[slot] else { continue }
            taken += queue.repeated.map(\.command).filter(isTaken)
            queue.repeated.removeAll { isTaken($0.command) }
            var left = FIFO<Command>()
            while let command = queue.waiting.popFirst() {
                if isTaken(command) { taken.append(command) } else { left.append(command) }
            }
            queue.waiting = left
            keep(queue, for: slot)
        }
        waitingCount -= taken.count
        return taken
    }

    private mutating func keep(_ queue: Queue, for slot: HashSlot) {
        queues[slot] = queue.unanswered == 0 && !queue.isWaiting ? nil : queue
        if queue.isWaiting { waitingSlots.insert(slot) } else { waitingSlots.remove(slot) }
    }
}
