// Links everything.
import ChatDomain

@testable import MessagingWebhooks

/// What other servers answer: the hook before a message with a verdict, a receiver with the time after which it may be asked again.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzWebhookAnswers(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard let (seed, bytes) = seedAndBytes(start, count) else { return 0 }
    switch HookMessages.verdict(status: 200, body: Array(bytes), maximumBytes: 100) {
    case .replace(let text): precondition(!text.isEmpty && text.utf8.count <= 100 && !text.utf8.contains(0))
    case .refuse(let error):
        precondition(ShortText.isFit(error.message, maximumCharacters: HookMessages.maximumReasonCharacters))
    case .allow, nil: break
    }
    let now = Timestamp(milliseconds: Int64(seed) &* 1_000_000_007)
    let text = String(decoding: bytes, as: UTF8.self)
    if let span = RetrySchedule.span(retryAfter: text, at: now) { precondition(span >= .zero) }
    let outcome = AttemptOutcome.answered(status: 503, retryAfter: text)
    if case .retry(let time, _, let pause) = RetrySchedule().decision(on: outcome, after: 0, at: now, random: 0) {
        precondition(time >= now && pause ?? now >= now)
    }
    return 0
}
