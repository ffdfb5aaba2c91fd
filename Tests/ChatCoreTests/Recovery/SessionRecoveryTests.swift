import ChatDomain
import PersistenceInProcess
import TestSupport
import Testing

@testable import ChatCore

@Suite struct SessionRecoveryTests {
    private static func session(_ user: String = "ann") -> RecoverableSession {
        RecoverableSession(
            id: SessionID("s"), user: roomUser(user), profile: Profile(), isVerified: false, isUsernameVerified: false,
            tokenExpiresAt: nil, newest: [room("lobby"): 7], sent: [])
    }

    private let pid = RecoveryPID.random()

    private let clock = ManualClock()

    private func recovery() -> SessionRecovery {
        SessionRecovery(store: InProcessRecovery { moment(0) }, clock: clock)
    }

    @Test func aPIDCannotBeDerivedFromItsKey() throws {
        let key = pid.key
        #expect(RecoveryPID(pid.text) == pid)
        #expect(RecoveryKey(key.text) == key)
        #expect(pid.text != key.text)
        #expect(try #require(RecoveryPID(pid.text)).key == key)
        #expect(RecoveryPID.random() != pid)
        for text in ["", "x", pid.text + "0", String(pid.text.dropLast()), "🙂"] {
            #expect(RecoveryPID(text) == nil && RecoveryKey(text) == nil)
        }
    }

    @Test func aSessionThatBrokeOffIsTakenUpOnce() async {
        let recovery = recovery()
        recovery.opened(pid.key, at: address(1))
        recovery.closed(pid.key, keeping: Self.session())
        #expect(await recovery.take(pid.key, ending: { _ in }, asking: nil) == Self.session())
        #expect(await recovery.take(pid.key, ending: { _ in }, asking: nil) == nil)
        recovery.putBack(Self.session(), under: pid.key)
        #expect(await recovery.take(pid.key, ending: { _ in }, asking: nil) == Self.session())
    }

    @Test func whatCannotBeRecoveredIsNotKept() async {
        let recovery = recovery()
        recovery.opened(pid.key, at: address(1))
        recovery.closed(pid.key, keeping: nil)
        #expect(await recovery.take(pid.key, ending: { _ in }, asking: nil) == nil)
    }

    @Test func aSessionThatIsStillOpenHereIsEndedFirst() async {
        let recovery = recovery()
        recovery.opened(pid.key, at: address(1))
        let ended = CallbackLog<SessionAddress>()
        let found = await recovery.take(
            pid.key,
            ending: { [pid] in
                ended.add($0)
                recovery.closed(pid.key, keeping: Self.session())
            }, asking: { Issue.record("other instances are asked though it was here") })
        #expect(found == Self.session() && ended.entries == [address(1)])
    }

    @Test func otherInstancesAreAskedAndWaitedFor() async {
        let recovery = recovery()
        let found = await recovery.take(
            pid.key, ending: { _ in },
            asking: { [pid] in
                // As another instance on the same recovery store would.
                recovery.putBack(Self.session(), under: pid.key)
                recovery.released(pid.key)
            })
        #expect(found == Self.session())
    }

    @Test func silentInstancesAreWaitedForHalfASecond() async {
        let asked = CallbackLog<Bool>()
        let outcome = CallbackLog<RecoverableSession?>()
        Task { [recovery = recovery(), pid] in
            outcome.add(await recovery.take(pid.key, ending: { _ in }, asking: { asked.add(true) }))
        }
        #expect(await eventually { clock.pendingTimers == 1 })
        clock.advance(by: .milliseconds(499))
        #expect(clock.pendingTimers == 1 && outcome.entries.isEmpty)
        clock.advance(by: .milliseconds(1))
        #expect(await eventually { outcome.entries == [nil] })
        #expect(asked.entries == [true])
    }

    @Test func releasingCallsBackOnceItIsOver() {
        let recovery = recovery()
        let done = CallbackLog<Int>()
        func release(_ number: Int) -> Bool { recovery.release(pid.key, ending: { _ in }, done: { done.add(number) }) }
        #expect(!release(0))
        recovery.opened(pid.key, at: address(1))
        #expect(release(1) && release(2))
        #expect(done.entries.isEmpty)
        recovery.closed(pid.key, keeping: nil)
        #expect(Set(done.entries) == [1, 2])
        recovery.released(pid.key)
        #expect(done.entries.count == 2)
    }

    @Test func aLoggedOutSessionIsNotRecovered() async {
        let recovery = recovery()
        recovery.putBack(Self.session(), under: pid.key)
        recovery.forget(user("ann"))
        #expect(await recovery.take(pid.key, ending: { _ in }, asking: nil) == nil)
    }
}
