import Crypto
import EventLoop
import Telemetry

/// What goes out: queued during a turn, written once at its end, bounded where the peer does not read.
extension Connection {
    /// Queues bytes for the end of the turn. Droppable ones are left out when the peer is behind.
    @inline(__always)
    public func send(_ bytes: [UInt8], isDroppable: Bool = false) {
        guard isOpen else { return }
        // Only what the kernel refused counts: a large answer is not slowness.
        if isBlocked, !mayQueue(bytes.count, isDroppable: isDroppable) { return }
        output.append(bytes)
        touch()
    }

    /// Queues the connection's last words.
    func sendLast(_ bytes: [UInt8]) {
        output.append(bytes)
        touch()
    }

    private func mayQueue(_ count: Int, isDroppable: Bool) -> Bool {
        if isDroppable, output.count + count > context.configuration.softOutputLimit {
            context.metrics.dropped.add()
            return false
        }
        guard output.count + count <= context.configuration.hardOutputLimit else {
            context.metrics.slowConsumers.add()
            closeSlowly()
            return false
        }
        return true
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
            default: return abort()
            }
        }
        if case .closed = phase { return }
        if isBlocked || isBehind { isBehind = context.noteBacklog(of: self, bytes: output.count) }
        watch()
        if output.isEmpty, shutsDownAfterFlush { endOutput() }
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
}
