/// How the rest is written to the peer of a connection that ends: a peer that takes some of it in each period may continue.
struct FinalWrite {
    /// How long the peer may go without taking anything.
    let stallTimeout: Duration
    private var queuedBytes: Int

    init(queuedBytes: Int, stallTimeout: Duration) {
        self.queuedBytes = queuedBytes
        self.stallTimeout = stallTimeout
    }

    /// Whether the peer has taken something since this was last asked.
    mutating func hasProgressed(to queuedBytes: Int) -> Bool {
        defer { self.queuedBytes = queuedBytes }
        return queuedBytes < self.queuedBytes
    }
}
