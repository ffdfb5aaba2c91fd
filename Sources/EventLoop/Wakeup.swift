internal import CSockets

/// Wakes a loop from other threads.
struct Wakeup {
    let watch: Watch
    private let writing: Int32

    init(_ queue: ReadinessQueue) {
        var (reading, writing): (Int32, Int32) = (-1, -1)
        let isOpen = csockets_open_wakeup(&reading, &writing) == 0
        watch = Watch(descriptor: reading, tag: WatchedSockets.unusedTag)
        self.writing = writing
        precondition(isOpen && queue.change(watch, from: [], to: .readable), "no event loop: out of descriptors")
    }

    /// Wakes the loop. May be called from any thread.
    func wake() { csockets_wake(writing) }

    /// Takes the wake-ups until now, so that the next one is an event again. Called on the loop.
    func take() { csockets_take_wakeups(watch.descriptor) }

    func close() {
        CSockets.close(watch.descriptor)
        if writing != watch.descriptor { CSockets.close(writing) }
    }
}
