import ChatDomain

/// Tracks the published events that the broker has not answered yet (RabbitMQ publisher confirms).
///
/// The broker numbers a channel's publications from 1. It answers one of them or all up to one. It returns an event that
/// reached no queue, under its message id, before it acknowledges it.
struct ConfirmTracker {
    private struct Entry {
        let delivery: UInt64
        let tag: UInt64
        /// As bytes, because canonically equivalent texts are two ids.
        let messageID: [UInt8]
    }

    private var entries: [Entry] = []
    private var returned: Set<[UInt8]> = []
    private var lastDelivery: UInt64 = 0

    var isEmpty: Bool { entries.isEmpty }

    mutating func didPublish(tag: UInt64, messageID: String) {
        lastDelivery += 1
        entries.append(Entry(delivery: lastDelivery, tag: tag, messageID: Array(messageID.utf8)))
    }

    mutating func receivedReturn(messageID: String) {
        // Unknown ids are dropped, so that a faulty broker cannot fill the memory.
        let id = Array(messageID.utf8)
        if entries.contains(where: { $0.messageID == id }) { returned.insert(id) }
    }

    /// - Parameters:
    ///   - multiple: whether the answer is for all events up to `delivery`; a `delivery` of 0 then means all events.
    ///   - isAcknowledged: false for a negative acknowledgement.
    mutating func receivedAnswer(
        delivery: UInt64, multiple: Bool, isAcknowledged: Bool
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
        let answers = entries[range].map { entry in
            let isReturned = returned.remove(entry.messageID) != nil
            return (entry.tag, !isAcknowledged ? BrokerOutcome.refused : isReturned ? .returned : .confirmed)
        }
        entries.removeSubrange(range)
        return answers
    }

    /// The index of the first entry behind `delivery`; entries are in order.
    private func position(after delivery: UInt64) -> Int {
        entries.firstIndex(notBefore: { $0.delivery <= delivery })
    }
}
