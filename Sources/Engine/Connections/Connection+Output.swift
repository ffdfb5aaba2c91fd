import EventLoop
import Telemetry

/// What a connection is sent: queued in a turn, written at its end, by the rules of `ConnectionOutput`.
extension Connection {
    /// Bytes queued and not taken by the kernel yet.
    public var queuedBytes: Int { output.count + context.patient.frames.byteCount(of: patientOutput) }
    /// Those of them that the kernel was offered, because the peer is behind.
    public var untakenBytes: Int { output.isBlocked ? output.count : 0 }

    // MARK: Queueing

    /// Queues bytes for the end of the turn. Droppable ones are left out when the peer is behind.
    @inline(__always)
    public func send(_ bytes: [UInt8], isDroppable: Bool = false) {
        guard isOpen else { return }
        queuePatientOutput()
        if !output.isShort(with: bytes.count), !mayQueue(bytes.count, isDroppable: isDroppable) { return }
        output.append(bytes)
        scheduleFlush()
    }

    /// Queues bytes that may wait for others; `Patience` says how long. Droppable ones are left out when the peer is behind.
    ///
    /// - Parameter limit: how long they may wait while the loop is busy.
    public func sendPatiently(_ bytes: [UInt8], isDroppable: Bool = false, atMost limit: Duration) {
        guard mayWait(bytes.count), context.patient.frames.append(bytes, to: &patientOutput) else {
            return send(bytes, isDroppable: isDroppable)
        }
        context.patient.wait(atMost: limit)
        guard !outputState.contains(.isPatient) else { return }
        outputState.insert(.isPatient)
        context.patient.append(self)
    }

    /// Whether so many bytes may wait by themselves: not if there is a write anyway, or the peer is behind.
    private func mayWait(_ count: Int) -> Bool {
        isOpen && !outputState.contains(.waitsForFlush) && !output.isBlocked
            && output.isShort(with: context.patient.frames.byteCount(of: patientOutput) + count)
    }

    func endPatience() {
        outputState.remove(.isPatient)
        if !patientOutput.isEmpty { scheduleFlush() }
    }

    /// What has waited goes ahead of all that is queued from now on.
    @inline(__always)
    func queuePatientOutput() {
        if !patientOutput.isEmpty { output.append(context.patient.frames.take(&patientOutput)) }
    }

    private func mayQueue(_ count: Int, isDroppable: Bool) -> Bool {
        // Only bytes that the kernel refuses count; it has not been offered this turn's yet.
        if !output.isBlocked { context.write(self) }
        guard isOpen, output.isBlocked else { return isOpen }
        switch output.admit(
            count, isDroppable: isDroppable, limit: isStranger ? nil : context.configuration.hardOutputLimit)
        {
        case .admitted: return true
        case .dropped: context.metrics.dropped.add()
        case .refused:
            context.metrics.slowConsumers.add()
            closeSlowReader()
        }
        return false
    }

    /// Drops queued chunks and sends the reason only, which the reader may not take either.
    private func closeSlowReader() {
        // A refused TLS write has to be repeated as it was.
        guard !isSecure, let link else { return abort() }
        output.dropUnbegun()
        close(link, code: context.configuration.slowReaderCloseCode, reason: "too slow")
    }

    // MARK: Writing

    func scheduleFlush() {
        guard !outputState.contains(.waitsForFlush) else { return }
        outputState.insert(.waitsForFlush)
        context.flushLater(self)
    }

    func flush(scratch: UnsafeMutableRawBufferPointer) {
        outputState.remove(.waitsForFlush)
        queuePatientOutput()
        guard write(scratch: scratch), !isClosed else { return }
        if output.isBlocked || outputState.contains(.isInBacklog) { noteBacklog(output.count) }
        updateWatch()
        if output.hasDrainWaiter || input.isHeldUp { didDrain() }
        if output.isEmpty { endOutputIfFinishing() }
    }

    func noteBacklog(_ bytes: Int) {
        if context.noteBacklog(of: self, bytes: bytes) {
            outputState.insert(.isInBacklog)
        } else {
            outputState.remove(.isInBacklog)
        }
    }

    /// Offers the kernel the queued bytes; false when the connection broke over it.
    func write(scratch: UnsafeMutableRawBufferPointer) -> Bool {
        let isWhole = output.write(scratch: scratch) { bytes in
            context.metrics.writes.add()
            let result = transport.write(bytes)
            if case .bytes(let count) = result { context.metrics.bytesWritten.add(count) }
            return result
        }
        if !isWhole { abort() }
        return isWhole
    }

    /// Calls `action` once, in a turn to come, when no more than `bytes` are queued. A connection that ends calls nothing.
    public func whenDrained(to bytes: Int, _ action: @escaping () -> Void) {
        output.drainWaiter = DrainWaiter(bytes: bytes, action: action)
        scheduleFlush()
    }

    private func didDrain() {
        if let action = output.takeDrainAction() { context.loop.schedule(after: .zero, action) }
        guard input.isHeldUp, !owesReading else { return }
        input.isHeldUp = false
        context.loop.schedule(after: .zero) { [self] in readOn() }
    }
}
