import ChatDomain
import Testing

@testable import MessagingWebhooks

/// When a delivery is attempted again.
@Suite struct RetryScheduleTests {
    private let now = Timestamp(milliseconds: 1_700_000_000_000)
    private let schedule = RetrySchedule(delays: [.seconds(5), .seconds(300)])

    private func decide(
        _ outcome: AttemptOutcome, after attempts: Int = 0, random: Double = 0
    ) -> RetrySchedule.Decision { schedule.decision(on: outcome, after: attempts, at: now, random: random) }

    private func later(_ seconds: Int64) -> Timestamp { Timestamp(milliseconds: now.milliseconds + seconds * 1000) }

    @Test(arguments: [200, 201, 204, 299])
    func anAnswerOfSuccessIsTheEnd(_ status: Int) { #expect(decide(.answered(status: status)) == .done) }

    @Test(arguments: [302, 307, 400, 401, 404, 500, 503])
    func otherAnswersAreAttemptedAgain(_ status: Int) {
        let failure = "the receiver answered \(status)"
        #expect(decide(.answered(status: status)) == .retry(at: later(5), failure: failure, pause: nil))
        #expect(decide(.answered(status: status), after: 1) == .retry(at: later(300), failure: failure, pause: nil))
        #expect(decide(.answered(status: status), after: 2) == .dead(failure: failure, pause: nil))
    }

    @Test func noAnswerIsAttemptedAgain() {
        #expect(decide(.failed("no answer in time")) == .retry(at: later(5), failure: "no answer in time", pause: nil))
        #expect(decide(.failed("x"), after: 2) == .dead(failure: "x", pause: nil))
        #expect(decide(.failed("x"), after: .max) == .dead(failure: "x", pause: nil))
        #expect(decide(.failed("x"), after: -1) == .dead(failure: "x", pause: nil))
    }

    @Test func aReceiverThatIsGoneGetsNothingMore() {
        guard case .gone = decide(.answered(status: 410)) else {
            Issue.record("410 is the end")
            return
        }
    }

    @Test(arguments: [429, 503])
    func aReceiverThatAsksForAPauseGetsIt(_ status: Int) {
        let failure = "the receiver answered \(status)"
        let answer = AttemptOutcome.answered(status: status, retryAfter: "60")
        #expect(decide(answer) == .retry(at: later(60), failure: failure, pause: later(60)))
        #expect(decide(answer, after: 1) == .retry(at: later(300), failure: failure, pause: later(60)))
        #expect(decide(answer, after: 2) == .dead(failure: failure, pause: later(60)))
        let endless = AttemptOutcome.answered(status: status, retryAfter: "9223372036854775807")
        #expect(decide(endless) == .retry(at: later(3600), failure: failure, pause: later(3600)))
    }

    @Test func otherStatusesDoNotPause() {
        #expect(
            decide(.answered(status: 500, retryAfter: "60"))
                == .retry(at: later(5), failure: "the receiver answered 500", pause: nil))
    }

    @Test func jitterMakesDelaysLongerByATenth() {
        guard case .retry(let time, _, _) = decide(.failed("x"), after: 1, random: 1) else {
            Issue.record("it is attempted again")
            return
        }
        #expect(time == later(330))
    }

    @Test func aDateIsATimeToWaitUntil() {
        let date = "Tue, 14 Nov 2023 22:14:20 GMT"
        #expect(RetrySchedule.span(retryAfter: date, at: now) == .seconds(60))
        #expect(RetrySchedule.span(retryAfter: "Tue, 14 Nov 2000 22:14:20 GMT", at: now) == .zero)
    }

    @Test(arguments: ["", "soon", "-1", "1.5", "Tue, 14 Nov 2023", "Tue, 99 Foo 2023 22:14:20 GMT", "a b c d e GMT"])
    func otherTextsAreNoTime(_ text: String) { #expect(RetrySchedule.span(retryAfter: text, at: now) == nil) }
}
