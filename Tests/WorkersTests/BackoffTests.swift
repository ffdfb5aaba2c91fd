import Testing
import Workers

@Suite struct BackoffTests {
    private struct Highest: RandomNumberGenerator {
        mutating func next() -> UInt64 { .max }
    }

    @Test func delaysDoubleToTheLimitAndStartAgain() {
        var backoff = Backoff(base: .milliseconds(100), limit: .seconds(1))
        var random = Highest()
        let delays = (1...6).map { _ in backoff.nextDelay(using: &random) }
        #expect(delays == [100, 200, 400, 800, 1000, 1000].map { .milliseconds($0) })
        backoff.reset()
        let first = backoff.nextDelay(using: &random)
        #expect(first == .milliseconds(100))
    }

    @Test func aBaseBelowAMillisecondIsOne() {
        var backoff = Backoff(base: .zero, limit: .zero)
        var random = Highest()
        let delays = (1...3).map { _ in backoff.nextDelay(using: &random) }
        #expect(delays == [1, 1, 1].map { .milliseconds($0) })
    }
}
