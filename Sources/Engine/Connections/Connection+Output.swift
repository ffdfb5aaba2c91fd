import Crypto
import EventLoop
import Telemetry

/// What goes out: queued during a turn, written once at its end, bounded where the peer does not read.
extension Connection {
    /// Queues bytes for the end of the turn. Droppable ones are left out when the peer is behind.
    @inline(__always)
    public func send(_ bytes: [UInt8], isDroppable: Bool = false) {
        guard isOpen else { return }
        if output.count + bytes.count > outputMark, !mayQueue(bytes.count, isDroppable: isDroppable) { return }
        output.append(bytes)
        touch()
    }

    /// Queues the connection's last words.
    func sendLast(_ bytes: [UInt8]) {
        output.append(bytes)
        touch()
    }

    /// Answers to requests go out one at a time, however long; a WebSocket's queue is looked at once it is not short.
    func markOutput() {
        let configuration = context.configuration
        guard case .webSocket = phase else { return outputMark = .max }
        outputMark = isStranger ? configuration.strangerOutputLimit : configuration.softOutputLimit
    }

    private func mayQueue(_ count: Int, isDroppable: Bool) -> Bool {
        // Only what the kernel refuses counts; it has not been asked yet for what this turn queued.
        if !isBlocked { context.write(self) }
        guard isOpen, isBlocked else { return isOpen }
        let after = output.count + count
        guard after > outputMark else { return true }
        if isDroppable {
            context.metrics.dropped.add()
            return false
        }
        if !isStranger,
            allowance.admits(
                count, behind: output.count, mark: outputMark, limit: context.configuration.hardOutputLimit)
        {
            return true
        }
        context.metrics.slowConsumers.add()
        closeSlowly()
        return false
    }

    /// A reader this far behind gets nothing more but the reason, if it takes even that.
    private func closeSlowly() {
        // A refused TLS write has to be repeated as it was.
        if tls == nil, case .webSocket(let link) = phase {
            output.dropUnbegun()
            link.close(self, code: 4008, reason: "too slow")
        } else {
            abort()
        }
    }

    func touch() {
        guard !isTouched else { return }
        isTouched = true
        context.touch(self)
    }

    func flush(scratch: UnsafeMutableRawBufferPointer) {
        isTouched = false
        guard write(scratch: scratch) else { return }
        if case .closed = phase { return }
        if isBlocked || isBehind { isBehind = context.noteBacklog(of: self, bytes: output.count) }
        watch()
        if drainWaiter != nil || isHeldUp { didDrain() }
        if output.isEmpty, shutsDownAfterFlush { endOutput() }
    }

    /// Offers the kernel what is queued; false when the connection broke over it.
    func write(scratch: UnsafeMutableRawBufferPointer) -> Bool {
        while !output.isEmpty, !isBlocked {
            let result = output.write(scratch: scratch) { bytes in
                let result = transmit(bytes)
                if case .bytes(let count) = result {
                    // A short write means the kernel is full: another try would only be refused.
                    return (count, count < bytes.count ? .wouldBlock : result)
                }
                return (0, result)
            }
            switch result {
            case .bytes: continue
            case .wouldBlock: isBlocked = true
            default:
                abort()
                return false
            }
        }
        return true
    }

    private func transmit(_ bytes: UnsafeRawBufferPointer) -> IOResult {
        context.metrics.writes.add()
        let result: IOResult
        if let tls {
            switch tls.write(bytes) {
            case .bytes(let count): result = .bytes(count)
            case .wantRead, .wantWrite: result = .wouldBlock
            case .closed, .failed: result = .failed(0)
            }
        } else {
            result = socket.write(bytes)
        }
        if case .bytes(let count) = result { context.metrics.bytesWritten.add(count) }
        return result
    }

    // MARK: Room

    /// Calls `action` once, in a turn to come, when no more than `bytes` are queued. A connection that ends calls nothing.
    public func whenDrained(to bytes: Int, _ action: @escaping () -> Void) {
        drainWaiter = DrainWaiter(bytes: bytes, action: action)
        touch()
    }

    private func didDrain() {
        if let waiter = drainWaiter, output.count <= waiter.bytes {
            drainWaiter = nil
            context.loop.schedule(after: 0, waiter.action)
        }
        guard isHeldUp, !owesReading else { return }
        isHeldUp = false
        context.loop.schedule(after: 0) { [self] in readOn() }
    }
}

/// What is to be done when a queue has become short.
struct DrainWaiter {
    let bytes: Int
    let action: () -> Void
}
