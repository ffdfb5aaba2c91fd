import ChatDomain

/// An event loop as chat code sees it: its clock, its timers, and the ways off it and back.
///
/// Everything here is called on the loop, and calls back on it. Tests fulfil it with manual time.
package protocol LoopContext: AnyObject {
    /// Both clocks, as read at the beginning of this turn.
    var now: Now { get }

    /// Hands a message to a shard, this one included; messages of one sender arrive in the order they were posted.
    func post(_ message: ShardMessage, to shard: UInt16)

    /// Runs `action` once, `span` from now or later. An action whose time has come already runs in a later turn.
    @discardableResult
    func schedule(after span: Duration, _ action: @escaping () -> Void) -> LoopTimer

    /// Does nothing for a timer that has run or was cancelled.
    func cancel(_ timer: LoopTimer)

    /// Runs `operation` off the loop, and `then` on it with the result.
    func run<Value: Sendable>(
        _ operation: @escaping @Sendable () async -> Value, then: @escaping (Value) -> Void)

    /// Runs `operation` on the loop, as far as it does not wait for other threads, and `then` with its result. For what takes
    /// little time: changing threads would cost more.
    func runHere<Value: Sendable>(
        _ operation: @escaping @Sendable () async -> Value, then: @escaping (Value) -> Void)
}

/// Names one scheduled action of a loop. It has seven bytes, so that an optional one takes a word: each session has one.
package struct LoopTimer: Hashable, Sendable {
    private let low: UInt32
    private let middle: UInt16
    private let high: UInt8

    /// - Parameter value: of 56 bits.
    package init(_ value: UInt64) {
        precondition(value >> 56 == 0, "a timer's name has 56 bits")
        low = UInt32(truncatingIfNeeded: value)
        middle = UInt16(truncatingIfNeeded: value >> 32)
        high = UInt8(truncatingIfNeeded: value >> 48)
    }

    package var value: UInt64 { UInt64(high) << 48 | UInt64(middle) << 32 | UInt64(low) }
}
