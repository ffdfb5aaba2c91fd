/// Names one scheduled action of a loop.
public struct TimerID: Hashable, Sendable {
    /// Of 56 bits.
    public let value: UInt64
    public init(_ value: UInt64) { self.value = value }
}

/// Pending actions by deadline: a binary heap of places in a table, whose entries know where in the heap they are. So a timer that is
/// cancelled, as most are, leaves at once.
struct TimerQueue {
    private struct Entry {
        var deadline: Int64 = 0
        /// Counts the timers, in a circle: of two with one deadline it tells which was added first, and of a timer whether its place has
        /// another now.
        var number: UInt32 = 0
        /// The index in the heap; of a free place, the next free one.
        var link: UInt32 = 0
        /// nil for a free place.
        var action: (() -> Void)?
    }

    private static let none = UInt32.max
    /// There are fewer timers than this has numbers: a connection has two at most, and memory for it.
    private static let placeBits = 24

    private var entries: [Entry] = []
    private var firstFree = Self.none
    private var heap: [UInt32] = []
    private var lastNumber: UInt32 = 0

    /// The earliest deadline, nil when nothing is pending.
    var nextDeadline: Int64? { heap.first.map { entries[Int($0)].deadline } }

    mutating func add(deadline: Int64, _ action: @escaping () -> Void) -> TimerID {
        lastNumber &+= 1
        let place = takePlace()
        entries[place] = Entry(deadline: deadline, number: lastNumber, action: action)
        heap.append(UInt32(place))
        siftUp(from: heap.count - 1)
        return TimerID(UInt64(lastNumber) << Self.placeBits | UInt64(place))
    }

    mutating func cancel(_ id: TimerID) {
        let place = Int(id.value & (1 << Self.placeBits - 1))
        let isPending = entries.indices.contains(place) && entries[place].action != nil
        guard isPending, entries[place].number == id.value >> Self.placeBits else { return }
        remove(at: Int(entries[place].link))
    }

    /// Takes the next action whose deadline has come.
    mutating func popDue(at now: Int64) -> (() -> Void)? {
        guard let first = heap.first, entries[Int(first)].deadline <= now else { return nil }
        let action = entries[Int(first)].action
        remove(at: 0)
        return action
    }

    private mutating func takePlace() -> Int {
        guard firstFree == Self.none else {
            let place = Int(firstFree)
            firstFree = entries[place].link
            return place
        }
        if entries.count == entries.capacity {
            // By a quarter: there is a timer for each connection, and an array that doubles has half as many free places.
            entries.reserveCapacity(entries.count + entries.count / 4 + 16)
        }
        precondition(entries.count < 1 << Self.placeBits, "too many timers")
        entries.append(Entry())
        return entries.count - 1
    }

    private mutating func remove(at index: Int) {
        let place = heap[index]
        heap.swapAt(index, heap.count - 1)
        heap.removeLast()
        if index < heap.count {
            siftUp(from: index)
            siftDown(from: index)
        }
        entries[Int(place)] = Entry(link: firstFree)
        firstFree = place
    }

    private func precedes(_ a: UInt32, _ b: UInt32) -> Bool {
        let (a, b) = (Int(a), Int(b))
        guard entries[a].deadline == entries[b].deadline else { return entries[a].deadline < entries[b].deadline }
        return Int32(bitPattern: entries[a].number &- entries[b].number) < 0
    }

    private mutating func siftUp(from start: Int) {
        var child = start
        while child > 0, precedes(heap[child], heap[(child - 1) / 2]) {
            exchange(child, with: (child - 1) / 2)
            child = (child - 1) / 2
        }
        settle(child)
    }

    private mutating func siftDown(from start: Int) {
        var parent = start
        while true {
            var least = parent
            for child in 2 * parent + 1...2 * parent + 2
            where child < heap.count && precedes(heap[child], heap[least]) { least = child }
            guard least != parent else { break }
            exchange(parent, with: least)
            parent = least
        }
        settle(parent)
    }

    private mutating func exchange(_ index: Int, with other: Int) {
        heap.swapAt(index, other)
        settle(index)
    }

    /// Notes where in the heap an entry is.
    private mutating func settle(_ index: Int) { entries[Int(heap[index])].link = UInt32(index) }
}
