import ChatDomain
import ChatTestSupport
import JSON
import Synchronization
import Testing

@testable import ChatCore

@Suite struct DependenciesTests {
    private final class Probe: Sendable {
        let condition = Mutex(DependencyCondition.up)
        let time = Mutex<Int64>(0)
    }

    @Test func sinceWhenMovesWithTheStateAndNotWithTheReason() async {
        let probe = Probe()
        let dependencies = Dependencies { stamp(probe.time.withLock { $0 }) }
        dependencies.add("store", isRequired: true) { probe.condition.withLock { $0 } }
        func report(_ condition: DependencyCondition, at time: Int64) async -> DependencyState {
            probe.condition.withLock { $0 = condition }
            probe.time.withLock { $0 = time }
            return await dependencies.report()[0]
        }
        let up = await report(.up, at: 5)
        #expect(up.isUp && up.since == stamp(0) && up.lastError == nil && !up.isFatal)
        let down = await report(.down(reason: "gone"), at: 10)
        #expect(!down.isUp && down.since == stamp(10) && down.lastError == "gone" && down.isFatal)
        let still = await report(.down(reason: "still gone"), at: 20)
        #expect(still.since == stamp(10) && still.lastError == "still gone")
        let degraded = await report(.degraded(reason: "slow"), at: 30)
        #expect(!degraded.isFatal && !degraded.isUp && degraded.since == stamp(30))
        let back = await report(.up, at: 40)
        #expect(back.isUp && back.since == stamp(40) && back.lastError == "slow")
    }

    @Test func anOptionalDependencyIsNeverFatal() {
        let state = DependencyState(
            name: "broker", condition: .down(reason: "gone"), isRequired: false, since: stamp(0), lastError: "gone")
        #expect(!state.isFatal)
        let text = { (state: DependencyState) in
            var out = JSONWriter()
            out.object { state.write(into: &$0) }
            return out.bytes.text
        }
        #expect(text(state) == #"{"state":"down","since":"1970-01-01T00:00:00.000Z","lastError":"gone"}"#)
        let up = DependencyState(name: "broker", condition: .up, isRequired: false, since: stamp(0))
        #expect(text(up).hasSuffix(#""lastError":null}"#))
    }

    @Test func anInstanceThatDrainsWantsNoNewWork() {
        let readiness = Readiness()
        #expect(!readiness.isDraining)
        readiness.beginDraining()
        #expect(readiness.isDraining)
    }
}
