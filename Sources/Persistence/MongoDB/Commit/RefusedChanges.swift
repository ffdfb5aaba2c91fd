import ChatDomain

/// Changes of messages, which this store does not keep yet.
extension RoomWrite {
    var withoutChanges: RoomWrite {
        var write = self
        write.drafts.removeAll { $0.change != nil }
        return write
    }
}

extension RoomWriteOutcome {
    /// The outcome of the whole write, from that of its messages.
    func refusingChanges(of write: RoomWrite) -> RoomWriteOutcome {
        var outcome = self
        var stored = drafts[...]
        outcome.drafts = write.drafts.map { draft in
            draft.change != nil ? .refused(.storageUnavailable) : stored.popFirst() ?? .conflict
        }
        return outcome
    }
}
