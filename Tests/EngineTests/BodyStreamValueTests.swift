import Testing

@testable import Engine

/// The rules of streamed bodies, without a socket.
@Suite struct BodyStreamValueTests {
    @Test func enoughHasToComeInEachInterval() {
        var progress = IncomingProgress(minimumBytes: 10)
        progress.received(4)
        progress.received(6)
        let first = progress.isEnough(isHeldUp: false)
        progress.received(9)
        let second = progress.isEnough(isHeldUp: false)
        #expect(first && !second)
    }

    @Test func intervalsInWhichTheServerDoesNotReadDoNotCount() {
        var progress = IncomingProgress(minimumBytes: 10)
        let heldUp = progress.isEnough(isHeldUp: true)
        let after = progress.isEnough(isHeldUp: false)
        let later = progress.isEnough(isHeldUp: false)
        #expect(heldUp && after && !later)
    }

    @Test func anAnswerIsAsLongAsItSaid() {
        var body = OutgoingBody(source: NoSource(), length: 10)
        #expect(body.willSend(6) == .more)
        #expect(body.willSend(5) == .broken)
        #expect(body.willSend(0) == .broken)
        #expect(body.willSend(4) == .done)
    }

    @Test func thePeerHasToTakeSomething() {
        var body = OutgoingBody(source: NoSource(), length: 100)
        _ = body.willSend(60)
        let began = body.hasProgressed(queuedBytes: 50)
        let stalled = body.hasProgressed(queuedBytes: 50)
        let idle = body.hasProgressed(queuedBytes: 0)
        #expect(began && !stalled && idle)
    }
}

private final class NoSource: ResponseBodySource {
    func produce() {}
    func stop() {}
}
