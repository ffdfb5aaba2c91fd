import ChatDomain
import Testing

@testable import ChatCore

@Suite struct CallTableTests {
    private func ticket(_ origin: RequestOrigin) -> UInt64? {
        if case .call(let ticket) = origin { ticket } else { nil }
    }

    @Test func eachCallGetsItsOwnAnswer() async {
        let calls = CallTable()
        async let first = calls.call { [self] origin in calls.answer(ticket(origin) ?? 0, .done) }
        async let second = calls.call { [self] origin in
            calls.answer(ticket(origin) ?? 0, .refused(.roomUnavailable))
        }
        #expect(await first == .done)
        #expect(await second == .refused(.roomUnavailable))
    }

    @Test func anAnswerWithoutAWaitingCallIsDropped() async {
        let calls = CallTable()
        calls.answer(7, .done)
        let reply = await calls.call { [self] origin in
            calls.answer((ticket(origin) ?? 0) + 1, .refused(.roomUnavailable))
            calls.answer(ticket(origin) ?? 0, .done)
            // A second answer finds no continuation to resume.
            calls.answer(ticket(origin) ?? 0, .refused(.roomUnavailable))
        }
        #expect(reply == .done)
    }

    @Test func anAnswerMayComeAtOnceBeforeItIsWaitedForOrBehindThat() async {
        let calls = CallTable()
        let prompt = calls.begin { calls.answer(ticket($0) ?? 0, .done) }
        #expect(prompt.answer == .done)
        #expect(await calls.reply(to: prompt) == .done)

        var later: UInt64 = 0
        let early = calls.begin { later = ticket($0) ?? 0 }
        #expect(early.answer == nil)
        calls.answer(later, .refused(.roomUnavailable))
        #expect(await calls.reply(to: early) == .refused(.roomUnavailable))

        let late = calls.begin { later = ticket($0) ?? 0 }
        async let reply = calls.reply(to: late)
        calls.answer(later, .done)
        #expect(await reply == .done)
    }
}
