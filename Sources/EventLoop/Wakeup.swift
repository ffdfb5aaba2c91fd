internal import CUV

/// Wakes a loop from other threads.
///
/// libuv's own means, `uv_async_t`, has the loop spin until the call of the thread that woke it has returned. Where the two share a
/// core, that thread returns only after the loop has spun in vain, for some twenty microseconds a wake-up.
struct Wakeup {
    /// The handle that the loop watches; its data is the owner's.
    let handle: UnsafeMutablePointer<uv_poll_t>
    private let reading: Int32
    private let writing: Int32

    /// - Parameter loop: initialised, and not yet running.
    init(_ loop: UnsafeMutablePointer<uv_loop_t>) {
        handle = .allocate(capacity: 1)
        var (reading, writing): (Int32, Int32) = (-1, -1)
        let isOpen = cuv_open_wakeup(&reading, &writing) == 0 && uv_poll_init(loop, handle, reading) == 0
        precondition(isOpen, "no event loop: out of descriptors")
        self.reading = reading
        self.writing = writing
    }

    /// Has the loop call `woken` after each wake-up, or after several of them.
    func start(_ woken: @escaping uv_poll_cb) { uv_poll_start(handle, Int32(UV_READABLE.rawValue), woken) }

    /// Wakes the loop. May be called from any thread.
    func wake() { cuv_wake(writing) }

    /// Takes the wake-ups until now, so that the next one calls again. Called on the loop.
    func take() { cuv_take_wakeups(reading) }
}
