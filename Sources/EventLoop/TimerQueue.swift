/// Names one scheduled action.
public struct TimerID: Hashable, Sendable {
    public let value: UInt64
    public init(_ value: UInt64) { self.value = value }
}

/// Pending actions by deadline: a binary heap, with cancelled entries skipped when they surface.
struct TimerQueue {
    private struct Entry {
        let deadline: Int64
        let id: UInt64
    }

    /// A closure that is a generic container's own element is kept with an allocation for each; a member of a struct is not.
    private struct Action {
        let run: () -> Void
    }

    private var heap: [Entry] = []
    private var actions: [UInt64: Action] = [:]
    private var lastID: UInt64 = 0

    /// The earliest deadline, nil when nothing is pending.
    var nextDeadline: Int64? { heap.first?.deadline }

    mutating func add(deadline: Int64, _ action: @escaping () -> Void) -> TimerID {
        lastID += 1
        actions[lastID] = Action(run: action)
        heap.append(Entry(deadline: deadline, id: lastID))
        siftUp(from: heap.count - 1)
        return TimerID(lastID)
    }

    mutating func cancel(_ id: TimerID) {
        guard actions.removeValue(forKey: id.value) != nil else { return }
        dropCancelled()
        // Cancelled entries wait deep in the heap for their deadline; too many of them are swept out.
        if heap.count > 64, heap.count > 2 * actions.count { rebuild() }
    }

    /// Takes the next action whose deadline has come.
    mutating func popDue(at now: Int64) -> (() -> Void)? {
        while let first = heap.first, first.deadline <= now {
            removeFirst()
            let action = actions.removeValue(forKey: first.id)
            dropCancelled()
            if let action { return action.run }
        }
        return nil
    }

    private mutating func dropCancelled() {
        while let first = heap.first, actions[first.id] == nil { removeFirst() }
    }

    private mutating func rebuild() {
        heap = heap.filter { actions[$0.id] != nil }.sorted { Self.precedes($0, $1) }
    }

    /// Equal deadlines run in the order they were added.
    private static func precedes(_ a: Entry, _ b: Entry) -> Bool { (a.deadline, a.id) < (b.deadline, b.id) }

    private mutating func removeFirst() {
        guard let last = heap.popLast(), !heap.isEmpty else { return }
        heap[0] = last
        siftDown()
    }

    private mutating func siftUp(from start: Int) {
        var child = start
        while child > 0 {
            let parent = (child - 1) / 2
            guard Self.precedes(heap[child], heap[parent]) else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    private mutating func siftDown() {
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < heap.count && Self.precedes(heap[child], heap[least]) {
                least = child
            }
            guard least != parent else { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
