/// The order in which the addresses of brokers are tried. A value without I/O.
///
/// After a failure or a loss the next address is tried at once. When every address has failed once in a row, a pause is due,
/// and the order starts again at the first.
struct FailoverOrder {
    private let count: Int
    private var failures = 0
    /// The index of the address to try now.
    private(set) var current = 0

    /// - Parameter count: the number of addresses, at least 1.
    init(count: Int) { self.count = max(1, count) }

    /// A connection lasted long enough to count as a success.
    mutating func didSucceed() { failures = 0 }

    /// The connection to the current address failed or was lost. Moves on to the next address.
    ///
    /// - Returns: whether to pause before it is tried.
    mutating func didFail() -> Bool {
        failures += 1
        guard failures < count else {
            (failures, current) = (0, 0)
            return true
        }
        current = (current + 1) % count
        return false
    }
}
