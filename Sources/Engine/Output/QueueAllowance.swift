/// How much may be queued for one peer. A long answer does not make a peer slow: where little waits it is taken whole, and chunks
/// behind it are counted without it.
struct QueueAllowance {
    private var granted = 0

    /// Whether a chunk may be queued behind `queued` bytes.
    ///
    /// - Parameters:
    ///   - mark: bytes up to which a peer is not behind.
    ///   - limit: bytes that may wait besides a long answer; at least twice the mark.
    mutating func admits(_ bytes: Int, behind queued: Int, mark: Int, limit: Int) -> Bool {
        guard queued > mark else {
            granted = bytes > mark / 2 ? bytes : 0
            return true
        }
        return queued + bytes - granted <= limit
    }
}
