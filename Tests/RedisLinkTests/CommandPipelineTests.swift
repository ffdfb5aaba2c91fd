import Testing
import Workers

import Workers
@testable import RedisLink

@Suite struct CommandPipelineTests {
    @Test func answersGoToTheCommandsInOrder() {
        var pipeline = CommandPipeline()
        var heard: [Int] = []
        for number in 1...3 { pipeline.didSend(.plain("X"), deadline: 10, script: nil) { _ in heard.append(number) } }
        while let pending = pipeline.takeAnswered() { pending.handler?(.success(.null)) }
        #expect(heard == [1, 2, 3])
        #expect(pipeline.count == 0)
    }

    @Test func aLateAnswerDoesNotGoToTheNextCommand() {
        var pipeline = CommandPipeline()
        var heard: [String] = []
        pipeline.didSend(.plain("X"), deadline: 10, script: nil) { heard.append("first \($0.isTimeout)") }
        pipeline.didSend(.plain("X"), deadline: 20, script: nil) { heard.append("second \($0.isTimeout)") }
        #expect(pipeline.nextDeadline == 10)
        for handler in pipeline.expire(at: 15) { handler(.failure(.timeout)) }
        #expect(pipeline.nextDeadline == 20)
        #expect(pipeline.count == 2)
        for _ in 1...2 { pipeline.takeAnswered()?.handler?(.success(.null)) }
        #expect(heard == ["first true", "second false"])
        #expect(pipeline.nextDeadline == nil)
    }

    @Test func allHandlersFailOnceWhenTheConnectionEnds() {
        var pipeline = CommandPipeline()
        var heard: [Int] = []
        for number in 1...3 {
            pipeline.didSend(.plain("X"), deadline: Int64(number), script: nil) { _ in heard.append(number) }
        }
        for handler in pipeline.expire(at: 1) { handler(.failure(.timeout)) }
        for handler in pipeline.abandon() { handler(.failure(.interrupted(reason: ""))) }
        #expect(heard == [1, 2, 3])
        #expect(pipeline.count == 0)
        pipeline.didSend(.plain("X"), deadline: 9, script: nil) { _ in }
        #expect(pipeline.nextDeadline == 9)
    }

    @Test func backoffGrowsToItsLimitAndStartsAgain() {
        struct Highest: RandomNumberGenerator {
            mutating func next() -> UInt64 { .max }
        }
        var backoff = Backoff(base: .milliseconds(100), limit: .milliseconds(1000))
        var random = Highest()
        let waits = (1...6).map { _ in backoff.nextDelay(using: &random) }
        #expect(waits == [100, 200, 400, 800, 1000, 1000].map { .milliseconds($0) })
        backoff.reset()
        let first = backoff.nextDelay(using: &random)
        #expect(first == .milliseconds(100))
        var system = SystemRandomNumberGenerator()
        let spread = Set((1...50).map { _ in backoff.nextDelay(using: &system) })
        #expect(spread.count > 10, "instances do not come back together")
    }
}

extension Result where Success == RedisValue, Failure == RedisError {
    fileprivate var isTimeout: Bool { if case .failure(.timeout) = self { true } else { false } }
}
