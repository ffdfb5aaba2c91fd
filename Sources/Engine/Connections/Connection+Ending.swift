import Crypto
import EventLoop

/// How a connection ends, and what it does when its time is up.
extension Connection {
    /// Sends what is queued, tells the peer that this was all, and waits a little for it to go.
    func finishWriting() {
        guard isOpen else { return }
        // An answer may be long, and the system takes it in large bites from a slow reader; a WebSocket's close is not.
        if case .http = phase {
            stallMilliseconds = context.configuration.bodyMilliseconds
        } else {
            stallMilliseconds = context.configuration.finishMilliseconds
        }
        leave(.finishing)
        // Nothing that came is read any more.
        leftover = []
        drainWaiter = nil
        isPaused = false
        shutsDownAfterFlush = true
        bytesAtLinger = output.count
        setTimer(after: stallMilliseconds)
        touch()
    }

    /// Gives up a peer that neither goes nor takes what is left for it.
    private func continueFinishing() {
        guard !output.isEmpty, output.count < bytesAtLinger else { return abort() }
        bytesAtLinger = output.count
        setTimer(after: stallMilliseconds)
    }

    func endOutput() {
        shutsDownAfterFlush = false
        tls?.shutdown()
        socket.shutdownWriting()
        // Who has ended its side already will not be heard of again.
        if hasPeerEnded { abort() } else { setTimer(after: context.configuration.finishMilliseconds) }
    }

    /// Ends the connection once the answer at hand is written.
    public func closeAfterAnswer() {
        if case .http(let exchange) = phase { exchange.isLast = true }
    }

    /// Ends the connection at once, with whatever is queued.
    public func abort() {
        if case .closed = phase { return }
        leave(.closed)
        cancelTimer()
        drainWaiter = nil
        output.clear()
        if isBehind { isBehind = context.noteBacklog(of: self, bytes: 0) }
        leftover = []
        tls = nil
        socket.close()
        attachment = nil
        context.remove(self)
    }

    /// Tells the handler of the phase that is left; it must not hear of this connection again.
    private func leave(_ next: Phase) {
        let left = phase
        phase = next
        switch left {
        case .http(let exchange) where exchange.isAnswering: context.handler?.abandoned(self)
        case .webSocket(let link): link.ended(self)
        default: break
        }
    }

    // MARK: Time

    func cancelTimer() {
        if let timer { context.loop.cancel(timer) }
        timer = nil
    }

    func setTimer(after milliseconds: Int64) {
        cancelTimer()
        timer = context.loop.schedule(after: milliseconds) { [self] in
            timer = nil
            timeOut()
        }
    }

    private func timeOut() {
        switch phase {
        case .http(let exchange): exchange.timedOut(self)
        case .webSocket(let link): link.tick(self, context)
        case .handshakingTLS: abort()
        case .finishing: continueFinishing()
        case .closed: break
        }
    }
}
