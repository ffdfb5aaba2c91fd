import ChatDomain

/// Which published events the broker has not answered for yet (publisher confirms).
///
/// The broker numbers a channel's publications from 1. It may answer for one or for all up to one, and announces an event
/// that no queue took, by its message id, before it acknowledges it.
struct ConfirmTracker {
    private struct Entry {
        let delivery: UInt64
        let tag: UInt64
        /// As bytes: ids that are canonically equivalent texts name two events.
        let messageID: [UInt8]
    }

    private var entries: [Entry] = []
    private var returned: Set<[UInt8]> = []
    private var lastDelivery: UInt64 = 0

    var isEmpty: Bool { entries.isEmpty }

    mutating func published(tag: UInt64, messageID: String) {
        lastDelivery += 1
        entries.append(Entry(delivery: lastDelivery, tag: tag, messageID: Array(messageID.utf8)))
    }

    mutating func returned(messageID: String) {
        // Only what is awaited: a broker that makes ids up must not fill the memory.
        let id = Array(messageID.utf8)
        if entries.contains(where: { $0.messageID == id }) { returned.insert(id) }
    }

    /// - Parameter multiple: whether everything up to `delivery` is meant; 0 then means everything.
    mutating func answered(
        delivery: UInt64, multiple: Bool, taken: Bool
    ) -> [(tag: UInt64, outcome: BrokerOutcome)] {
        let range: Range<Int>
        if multiple {
            let end = delivery == 0 ? entries.count : position(after: delivery)
            range = 0..<end
        } else {
            let end = position(after: delivery)
            guard end > 0, entries[end - 1].delivery == delivery else { return [] }
            range = end - 1..<end
        }
        let settled = entries[range].map { entry in
            let isReturned = returned.remove(entry.messageID) != nil
            return (entry.tag, !taken ? BrokerOutcome.refused : isReturned ? .returned : .confirmed)
        }
        entries.removeSubrange(range)
        return settled
    }

    /// Where the entries behind `delivery` begin; they are in order.
    private func position(after delivery: UInt64) -> Int {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].delivery <= delivery { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
