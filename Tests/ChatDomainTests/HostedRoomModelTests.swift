import Testing

@testable import ChatDomain

/// Rooms, their life and their joins under random use.
@Suite struct HostedRoomModelTests {
    @Test(arguments: 0..<150) func everyJoinIsAnsweredOnceAndSeesEverythingInOrder(_ seed: UInt64) {
        var model = HostedRoomModel(seed: seed)
        for _ in 0..<500 { model.step() }
        model.finish()
        expectAllAnswered(model)
        if model.participants != nil, let live = model.host?.live {
            #expect(live.lastSequence == SequenceNumber(model.stored.count))
        }
        if let host = model.host {
            #expect(host.joins.isEmpty && host.joins.deadline == nil && host.life.isIdle && host.life.deadline == nil)
        }
    }

    @Test(arguments: 0..<60) func nothingWaitsForeverForAnswersThatDoNotCome(_ seed: UInt64) {
        var model = HostedRoomModel(seed: 1000 + seed)
        for _ in 0..<(40 + Int(seed) * 5) { model.step() }
        model.abandon()
        expectAllAnswered(model)
    }

    private func expectAllAnswered(_ model: HostedRoomModel) {
        var model = model
        for session in model.clients.keys { model.check(session) }
        #expect(model.problems.isEmpty)
        let open = model.answers.filter { $0.value != 1 }
        #expect(open.isEmpty, "requests that were not answered exactly once")
        #expect(model.notices.allSatisfy { $0.value == 1 }, "changes are acknowledged once")
    }
}
