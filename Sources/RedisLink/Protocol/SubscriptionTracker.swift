/// The channels that are wanted, and the subscriptions that Redis has been asked for.
struct SubscriptionTracker {
    typealias Channel = [UInt8]

    /// The commands to send to Redis, and changes that need no command.
    struct Changes: Equatable {
        var subscribe: [Channel] = []
        var unsubscribe: [Channel] = []
        /// Channels that were subscribed again while their subscription was confirmed.
        var confirmed: [Channel] = []
    }

    private struct Entry {
        var isWanted = false
        /// The last command sent about it was SUBSCRIBE.
        var isAsked = false
        /// Commands sent about it and not yet confirmed.
        var unanswered = 0
        /// A call of `subscribe` is to be answered when it is confirmed.
        var isAwaited = false
        var isChanged = false
    }

    private var entries: [Channel: Entry] = [:]
    private var changed: [Channel] = []

    /// How many channels are wanted, or their unsubscription is not confirmed.
    var count: Int { entries.count }

    mutating func want(_ channel: Channel) { change(channel, isWanted: true) }
    mutating func unwant(_ channel: Channel) { change(channel, isWanted: false) }

    private mutating func change(_ channel: Channel, isWanted: Bool) {
        guard isWanted || entries[channel] != nil else { return }
        var entry = entries[channel] ?? Entry()
        entry.isWanted = isWanted
        entry.isAwaited = isWanted
        if !entry.isChanged { changed.append(channel) }
        entry.isChanged = true
        entries[channel] = entry
    }

    /// The changes since the last call. A change that was taken back is left out.
    mutating func takeChanges() -> Changes {
        var changes = Changes()
        for channel in changed {
            guard var entry = entries[channel] else { continue }
            entry.isChanged = false
            switch (entry.isWanted, entry.isAsked) {
            case (true, false): changes.subscribe.append(channel)
            case (false, true): changes.unsubscribe.append(channel)
            case (true, true):
                if entry.unanswered == 0, entry.isAwaited {
                    entry.isAwaited = false
                    changes.confirmed.append(channel)
                }
            case (false, false): break
            }
            if entry.isWanted != entry.isAsked {
                entry.isAsked = entry.isWanted
                entry.unanswered += 1
            }
            keep(entry, for: channel)
        }
        changed.removeAll(keepingCapacity: changed.count <= 1024)
        return changes
    }

    /// Redis confirmed a command about the channel.
    ///
    /// - Returns: whether a call of `subscribe` is answered by that.
    mutating func confirmed(_ channel: Channel) -> Bool {
        guard var entry = entries[channel], entry.unanswered > 0 else { return false }
        entry.unanswered -= 1
        let isAnswer = entry.unanswered == 0 && entry.isAsked && entry.isWanted && entry.isAwaited
        if isAnswer { entry.isAwaited = false }
        keep(entry, for: channel)
        return isAnswer
    }

    /// Redis ended a subscription by itself.
    ///
    /// - Returns: false where the channel was not subscribed; then this confirms an UNSUBSCRIBE.
    mutating func drop(_ channel: Channel) -> Bool {
        guard let entry = entries[channel], entry.isAsked, entry.isWanted, entry.unanswered == 0 else { return false }
        entries[channel] = nil
        return true
    }

    /// These channels are not subscribed at this server, and are not wanted there any more.
    mutating func forget(where isForgotten: (Channel) -> Bool) {
        entries = entries.filter { !isForgotten($0.key) }
    }

    func isWanted(_ channel: Channel) -> Bool { entries[channel]?.isWanted ?? false }

    /// A new connection has no subscriptions, so everything wanted counts as changed.
    mutating func connectionLost() {
        entries = entries.compactMapValues { entry in
            entry.isWanted ? Entry(isWanted: true, isAwaited: entry.isAwaited, isChanged: true) : nil
        }
        changed = Array(entries.keys)
    }

    private mutating func keep(_ entry: Entry, for channel: Channel) {
        let isDone = !entry.isWanted && !entry.isAsked && entry.unanswered == 0 && !entry.isChanged
        entries[channel] = isDone ? nil : entry
    }
}
