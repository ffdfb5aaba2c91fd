import ChatDomain
import ChatTestSupport
import TestSupport
import Testing

@testable import ChatCore

/// Finding changes in the store that another instance could not announce.
@Suite struct ChangeWatchTests {
    private let clock = ManualClock()
    private let store: FaultyStore
    private let watch: ChangeWatch
    private let missed = CallbackLog<Moment>()

    init() throws {
        store = try FaultyStore()
        watch = ChangeWatch(store: store, clock: clock)
    }

    private func start() async { await watch.start { [missed] in missed.add($0) } }

    /// Lets the next look take place.
    private func look() async {
        #expect(await eventually { clock.pendingTimers == 1 })
        clock.advance(by: ChangeWatch.interval)
        #expect(await eventually { clock.pendingTimers == 1 })
    }

    @Test func changesFromBeforeTheStartAreNotMissed() async throws {
        try await store.noteUnannouncedChange()
        await start()
        await look()
        #expect(missed.entries.isEmpty)
    }

    @Test func eachChangeSinceIsFoundOnce() async throws {
        await start()
        try await store.noteUnannouncedChange()
        await look()
        #expect(missed.entries == [clock.monotonic])
        await look()
        #expect(missed.entries.count == 1)
        try await store.noteUnannouncedChange()
        try await store.noteUnannouncedChange()
        await look()
        #expect(missed.entries.count == 2)
    }

    @Test func changesMayHaveBeenMissedWhileTheStoreCouldNotBeRead() async throws {
        store.setReads(.fails)
        await start()
        await look()
        #expect(missed.entries.isEmpty)
        store.setReads(.works)
        await look()
        #expect(missed.entries.count == 1)
    }
}
