internal import CSockets

/// What a descriptor is watched for, or what has happened on it.
struct Readiness: OptionSet {
    let rawValue: Int32

    static let readable = Readiness(rawValue: Int32(csockets_readable))
    static let writable = Readiness(rawValue: Int32(csockets_writable))
    /// Reported whatever is watched.
    static let broken = Readiness(rawValue: Int32(csockets_broken))
}

/// One watch of a descriptor. The tag tells it from earlier watches of a descriptor with the same number.
struct Watch: Equatable {
    let descriptor: Int32
    let tag: UInt32
}

/// The system's queue of what happens on watched descriptors: epoll, or kqueue where there is no epoll.
///
/// `epoll(7)`, level-triggered: what is left unread is reported again by the next wait. Closing a descriptor ends its watch.
struct ReadinessQueue {
    struct Event {
        let watch: Watch
        let readiness: Readiness
    }

    /// Events that one wait takes at most; the others come with the next.
    private static let eventsPerWait = 1024

    private let descriptor: Int32
    private let events: UnsafeMutablePointer<csockets_event>

    init() {
        descriptor = csockets_queue_open()
        precondition(descriptor >= 0, "no event loop: out of descriptors")
        events = .allocate(capacity: Self.eventsPerWait)
    }

    /// Changes what `watch` is for, and ends it for nothing.
    ///
    /// - Returns: false where the system cannot watch the descriptor.
    func change(_ watch: Watch, from before: Readiness, to after: Readiness) -> Bool {
        csockets_queue_watch(descriptor, watch.descriptor, watch.tag, before.rawValue, after.rawValue) == 0
    }

    /// Waits until something happens.
    ///
    /// - Parameter milliseconds: the longest wait; negative for no limit.
    /// - Returns: the number of events, which are there until the next wait. None after the time, or when a signal came.
    func wait(milliseconds: Int32) -> Int {
        let count = csockets_queue_wait(descriptor, events, Int32(Self.eventsPerWait), milliseconds)
        precondition(count >= 0, "the event loop cannot wait")
        return Int(count)
    }

    subscript(index: Int) -> Event {
        let event = events + index
        return Event(
            watch: Watch(descriptor: csockets_event_descriptor(event), tag: csockets_event_tag(event)),
            readiness: Readiness(rawValue: csockets_event_kinds(event)))
    }

    func close() {
        CSockets.close(descriptor)
        events.deallocate()
    }
}
