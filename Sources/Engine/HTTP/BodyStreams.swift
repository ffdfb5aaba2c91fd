/// Takes the body of one request in parts. Called on the connection's loop.
public protocol RequestBodyReceiver: AnyObject {
    /// The next bytes. A receiver that is not ready for more pauses the connection, so that its peer has to wait.
    func received(_ part: [UInt8])
    /// The body is complete, and the request is to be answered.
    func receivedEnd()
    /// No more of the body comes: the connection ended, or the body was refused. The request cannot be answered.
    func cutOff()
}

/// Gives the body of one answer in parts. Called on the connection's loop.
public protocol ResponseBodySource: AnyObject {
    /// The peer can take more: the next part is to be passed to `Connection.sendBody`, now or later on the loop. It is asked
    /// for one part at a time.
    func produce()
    /// No further part is wanted: the body is complete, or the connection ended.
    func stop()
}

/// How fast the bytes of a request's body come. Time is the caller's: it asks once for each interval.
struct IncomingProgress {
    /// Bytes that have to come in each interval.
    let minimumBytes: Int
    private var bytes = 0
    private var wasHeldUp = false

    init(minimumBytes: Int) { self.minimumBytes = minimumBytes }

    mutating func received(_ count: Int) { bytes += count }

    /// Whether enough came in the interval that ends now.
    ///
    /// - Parameter isHeldUp: whether the server is not reading now. Intervals that begin or end so do not count against the
    ///   peer.
    mutating func isEnough(isHeldUp: Bool) -> Bool {
        defer { (bytes, wasHeldUp) = (0, isHeldUp) }
        return isHeldUp || wasHeldUp || bytes >= minimumBytes
    }
}

/// The body of an answer on its way to the peer: how much is still to be sent, and whether the peer takes it.
struct OutgoingBody {
    enum Step: Equatable {
        /// The next part is wanted when the queue is short.
        case more
        case done
        /// The part does not fit the length that was announced: none, or too much.
        case broken
    }

    let source: any ResponseBodySource
    private var remaining: Int
    private var sent = 0
    private var taken = 0

    /// - Parameter length: bytes of the body, at least one.
    init(source: any ResponseBodySource, length: Int) {
        self.source = source
        remaining = length
    }

    mutating func willSend(_ count: Int) -> Step {
        guard count > 0, count <= remaining else { return .broken }
        remaining -= count
        sent += count
        return remaining == 0 ? .done : .more
    }

    /// Whether the peer took something since this was last asked, or has nothing to take.
    ///
    /// - Parameter queuedBytes: bytes that wait for the peer now.
    mutating func hasProgressed(queuedBytes: Int) -> Bool {
        let before = taken
        taken = sent - queuedBytes
        return queuedBytes == 0 || taken > before
    }
}
