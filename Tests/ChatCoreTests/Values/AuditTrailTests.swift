import ChatDomain
import ChatTestSupport
import Telemetry
import TestSupport
import Testing

@testable import ChatCore

/// Recording acts of management, also while the store is away.
@Suite struct AuditTrailTests {
    private let clock = ManualClock()
    private let store: FaultyStore
    private let trail: AuditTrail

    init() throws {
        store = try FaultyStore()
        trail = AuditTrail(
            instance: InstanceID("one"), store: store, clock: clock,
            retention: AuditRetention(age: .seconds(60), count: 3), logger: .disabled, registry: MetricsRegistry())
    }

    private func actions() async -> [AuditEntry.Action] {
        ((try? await store.real.auditEntries(AuditQuery(limit: 1000))) ?? []).map(\.action)
    }

    @Test func anActIsStoredWhenTheCallReturns() async throws {
        var act = AuditAct(.kick, detail: "s-1")
        act.actor = user("ann")
        act.address = "10.0.0.1"
        act.user = user("bob")
        await trail.record(act)
        let entry = try #require(try await store.real.auditEntries(AuditQuery(limit: 9)).first)
        #expect(entry.action == .kick && entry.actor == user("ann") && entry.user == user("bob"))
        #expect(entry.address == "10.0.0.1" && entry.instance == InstanceID("one") && entry.detail == "s-1")
        #expect(entry.timestamp == clock.now.wall)
    }

    @Test func whatTheStoreDoesNotTakeIsStoredLater() async throws {
        store.setNotes(.fails)
        await trail.record(AuditAct(.kick))
        await trail.record(AuditAct(.drain))
        #expect(trail.waitingCount == 2)
        store.setNotes(.works)
        clock.advance(by: .seconds(5))
        #expect(await eventually { trail.waitingCount == 0 })
        #expect(Set(await actions()) == [.kick, .drain])
    }

    @Test func noMoreThanAThousandWait() async throws {
        store.setNotes(.fails)
        for _ in 0..<1005 { await trail.record(AuditAct(.kick)) }
        #expect(trail.waitingCount == 1000)
    }

    @Test func refusedLoginsOfOneAddressAreRecordedOnce() async throws {
        for _ in 0..<50 { trail.recordRefusedLogin(from: "10.0.0.1") }
        trail.recordRefusedLogin(from: "10.0.0.2")
        #expect(await eventually { await actions().count == 2 })
        clock.advance(by: .seconds(600))
        trail.recordRefusedLogin(from: "10.0.0.1")
        #expect(await eventually { await actions().count == 3 })
        for number in 0..<500 { trail.recordRefusedLogin(from: "10.0.1.\(number)") }
        #expect(await eventually { await actions().count == 100 })
        clock.advance(by: .seconds(3600))
        trail.recordRefusedLogin(from: "10.0.0.1")
        #expect(await eventually { await actions().count == 101 })
    }

    @Test func oldEntriesAreRemoved() async throws {
        for _ in 0..<5 { await trail.record(AuditAct(.kick)) }
        trail.start()
        #expect(await eventually { await actions().count == 3 })
        #expect(await eventually { clock.pendingTimers == 1 })
        clock.advance(by: .seconds(61))
        await trail.record(AuditAct(.drain))
        clock.advance(by: .seconds(3600))
        #expect(await eventually { await actions().isEmpty })
    }
}
