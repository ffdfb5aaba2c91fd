import Synchronization
import Telemetry
import TestSupport
import Testing

@Suite struct LogThrottleTests {
    @Test func letsOneThroughPerInterval() {
        var throttle = LogThrottle(interval: .seconds(1))
        #expect(throttle.decide(at: 5) == .write(suppressed: 0))
        #expect(throttle.decide(at: 6) == .suppress)
        #expect(throttle.decide(at: 1004) == .suppress)
        #expect(throttle.decide(at: 1005) == .write(suppressed: 2))
        #expect(throttle.decide(at: 9000) == .write(suppressed: 0))
    }

    @Test func reportsHowManyItSuppressed() {
        let sink = CollectingSink()
        let now = Mutex<Int64>(0)
        let logger = Logger(level: .warning, format: .pretty(colours: false), sink: sink, clock: { sometime })
        let occasional = OccasionalLogger(logger, interval: .seconds(1), clock: { now.withLock { $0 } })
        for _ in 0..<5 { occasional.warning("bad reply", ["from": "redis"]) }
        now.withLock { $0 = 1000 }
        occasional.error("bad reply")
        #expect(
            sink.lines == [
                "2026-01-02T03:04:05.678Z warning bad reply from=redis\n",
                "2026-01-02T03:04:05.678Z error   bad reply suppressed=4\n",
            ])
    }

    @Test func linesBelowTheLevelDoNotStartAnInterval() {
        let sink = CollectingSink()
        let logger = Logger(level: .error, format: .json, sink: sink, clock: { sometime })
        let occasional = OccasionalLogger(logger, interval: .seconds(1), clock: { 0 })
        occasional.warning("w")
        occasional.error("e")
        #expect(sink.lines.count == 1)
    }
}
