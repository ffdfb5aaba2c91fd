/// The messages of one segment by term, while they are gathered.
///
/// Terms stand one behind the other in one buffer, and so do the places of messages: neither costs memory of its own.
struct PostingLists {
    private struct Entry {
        /// Where the term stands in `text`.
        var start: Int
        var end: Int
        var hash: Int
        /// Its first and its last place.
        var first: Int
        var last: Int
    }

    /// A message that has the term, and the index of the next one.
    private struct Place {
        var document: UInt16
        var next: Int
    }

    private static let none = -1

    private var text: [UInt8] = []
    private var entries: [Entry] = []
    private var places: [Place] = []
    /// Indices of `entries` at the hashes of their terms, or at the next free slot behind. At most half of the slots are taken; their number
    /// is a power of two.
    private var slots: [Int] = []

    /// How many terms there are.
    var count: Int { entries.count }

    /// Adds a message to a term. Messages come in order, and one that the term has already is passed over.
    mutating func add(_ term: UnsafeRawBufferPointer, _ document: Int) {
        let document = UInt16(truncatingIfNeeded: document)
        let hash = Self.hash(term)
        guard let entry = entry(of: term, hash) else { return insert(term, hash, document) }
        let last = entries[entry].last
        guard places[last].document != document else { return }
        places[last].next = places.count
        entries[entry].last = places.count
        places.append(Place(document: document, next: Self.none))
    }

    private mutating func insert(_ term: UnsafeRawBufferPointer, _ hash: Int, _ document: UInt16) {
        if entries.count * 2 >= slots.count { growSlots() }
        place(entries.count, hash)
        entries.append(
            Entry(
                start: text.count, end: text.count + term.count, hash: hash, first: places.count, last: places.count))
        text.append(contentsOf: term)
        places.append(Place(document: document, next: Self.none))
    }

    /// Keyed, so that no sender can choose words that fall together.
    private static func hash(_ term: UnsafeRawBufferPointer) -> Int {
        var hasher = Hasher()
        hasher.combine(bytes: term)
        return hasher.finalize()
    }

    /// The index of the term; nil for a new one.
    private func entry(of term: UnsafeRawBufferPointer, _ hash: Int) -> Int? {
        guard !slots.isEmpty else { return nil }
        let mask = slots.count - 1
        var slot = hash & mask
        while slots[slot] != Self.none {
            if isTerm(term, hash, of: entries[slots[slot]]) { return slots[slot] }
            slot = (slot + 1) & mask
        }
        return nil
    }

    private func isTerm(_ term: UnsafeRawBufferPointer, _ hash: Int, of entry: Entry) -> Bool {
        entry.hash == hash && text.withUnsafeBytes { $0[entry.start..<entry.end].elementsEqual(term) }
    }

    private mutating func growSlots() {
        slots = Array(repeating: Self.none, count: max(1024, slots.count * 2))
        for (index, entry) in entries.enumerated() { place(index, entry.hash) }
    }

    /// Puts a term that has no slot into one.
    private mutating func place(_ index: Int, _ hash: Int) {
        let mask = slots.count - 1
        var slot = hash & mask
        while slots[slot] != Self.none { slot = (slot + 1) & mask }
        slots[slot] = index
    }

    /// Brings the terms into the order of their bytes. Nothing may be added from here on.
    mutating func sort() {
        slots = []
        text.withUnsafeBytes { text in
            entries.sort { a, b in
                text[a.start..<a.end].lexicographicallyPrecedes(text[b.start..<b.end])
            }
        }
    }

    /// Calls `body` with a term and the list of its messages, as it is stored. Both are valid during the call.
    ///
    /// - Parameter list: memory for the list, which is overwritten.
    func withList<Failure: Error>(
        at index: Int, using list: inout [UInt8],
        _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        let entry = entries[index]
        list.removeAll(keepingCapacity: true)
        var next = entry.first
        while next != Self.none {
            DocumentSet.store(Int(places[next].document), to: &list)
            next = places[next].next
        }
        try text.withUnsafeBufferPointer { text throws(Failure) in
            try list.withUnsafeBufferPointer { list throws(Failure) in
                try body(
                    UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(text)[entry.start..<entry.end]),
                    UnsafeRawBufferPointer(list))
            }
        }
    }
}
