import ChatDomain
import Telemetry
import TestSupport
import Testing

@testable import ChatCore

/// `RoomFiles`, and `FileMetrics` in its counts.
@Suite struct RoomFilesTests {
    private let clock = ManualClock()
    private let store = FilesDouble()
    private let metrics = FileMetrics(MetricsRegistry())
    private let files: RoomFiles

    init() {
        files = RoomFiles(store: store, maximumBytes: 100, clock: clock, logger: .disabled, metrics: metrics)
    }

    private func id(_ number: Int) throws -> FileID {
        let digits = String(number)
        return try #require(FileID(String(repeating: "0", count: 32 - digits.count) + digits))
    }

    @discardableResult
    private func put(_ number: Int, isReferenced: Bool = false, ago age: Duration = .zero) throws -> FileID {
        let id = try id(number)
        store.put(
            StoredFile(
                id: id, roomID: room("lobby"), owner: user("ann"), name: "a", contentType: "text/plain", size: 1,
                sha256: "",
                uploadedAt: Timestamp(milliseconds: clock.now.wall.milliseconds - age.wholeMilliseconds),
                isReferenced: isReferenced))
        return id
    }

    private func refusal(_ text: String, in place: String = "lobby", by name: String = "ann") async -> ChatError.Code? {
        do throws(ChatError) {
            _ = try await files.refer(to: text, in: room(place), by: user(name))
            return nil
        } catch {
            return error.code
        }
    }

    @Test func aMessageMayReferToItsAuthorsFileInItsRoom() async throws {
        let id = try put(1)
        #expect(await refusal(id.text, in: "other") == .badRequest)
        #expect(await refusal(id.text, by: "bob") == .badRequest)
        for text in ["", "x", "../\(id)", try self.id(2).text] { #expect(await refusal(text) == .badRequest) }
        #expect(await refusal(id.text) == nil)
        #expect(try await store.file(id)?.isReferenced == true)
        #expect(await refusal(id.text) == nil, "a second message may refer to it")
        store.setFailing(true)
        #expect(await refusal(id.text) == .storageUnavailable)
    }

    @Test func aReferenceIsWithdrawnOnlyByTheMessageThatWasTheFirst() async throws {
        let id = try put(1)
        let first = try await files.refer(to: id.text, in: room("lobby"), by: user("ann"))
        let second = try await files.refer(to: id.text, in: room("lobby"), by: user("ann"))
        await files.withdraw(second)
        #expect(try await store.file(id)?.isReferenced == true)
        await files.withdraw(first)
        #expect(try await store.file(id)?.isReferenced == false)
    }

    @Test func aFileWithoutAMessageGoesAfterAnHour() async throws {
        let (young, old, kept) = (
            try put(1), try put(2, ago: .seconds(3590)), try put(3, isReferenced: true, ago: .seconds(9000))
        )
        await files.sweep()
        #expect(store.ids == [young, old, kept])
        clock.advance(by: .seconds(20))
        #expect(await refusal(old.text) == .badRequest, "no message may refer to it any more")
        await files.sweep()
        #expect(store.ids.contains(old), "another instance's clock may be behind")
        clock.advance(by: .seconds(300))
        store.leave(4)
        await files.sweep()
        #expect(store.ids == [young, kept] && store.abandoned == 0)
        #expect(metrics.removed.value == 5)
    }

    @Test func theSweepComesAgain() async throws {
        files.sweepPeriodically { _ in nil }
        #expect(await eventually { clock.pendingTimers == 1 })
        let id = try put(1, ago: .seconds(3500))
        clock.advance(by: .seconds(600))
        #expect(await eventually { !store.ids.contains(id) })
    }

    @Test func whatCannotBeRemovedIsRemovedLater() async throws {
        let id = try put(1, isReferenced: true)
        store.setFailing(true)
        await files.remove([id])
        store.setFailing(false)
        #expect(store.ids == [id])
        await files.sweep()
        #expect(store.ids.isEmpty)
    }

    /// A process that ended between the deletion of a message and the removal of its file.
    @Test func aNotedFileGoesWithItsMessageLater() async throws {
        let ids = try (1...4).map { try put($0, isReferenced: true) }
        let (gone, needed, unknown, foreign) = (ids[0], ids[1], ids[2], ids[3])
        for id in ids {
            try await files.noteRemoval(
                FileRemoval(
                    file: id, roomID: room("lobby"), messageID: MessageID(high: 1, low: 2),
                    author: user(id == foreign ? "bob" : "ann"), notedAt: clock.now.wall))
        }
        func finish() async {
            await files.finishRemovals { $0.file == unknown ? nil : $0.file == needed }
        }
        await finish()
        #expect(store.ids.count == 4, "the process that noted it may be at it")
        clock.advance(by: .seconds(400))
        store.setFailing(true)
        await finish()
        store.setFailing(false)
        #expect(store.ids.count == 4)
        await finish()
        #expect(store.ids == [needed, unknown, foreign])
        let later = Timestamp(milliseconds: clock.now.wall.milliseconds + 1)
        #expect(try await store.removals(notedBefore: later, limit: 9).map(\.file) == [unknown])
        #expect(gone != needed)
    }

    @Test func allFilesOfARoomOrAUserGo() async throws {
        for number in 1...450 { try put(number, isReferenced: true) }
        try await files.removeAll(.room(room("other")))
        #expect(store.ids.count == 450)
        try await files.removeAll(.owner(user("ann")))
        #expect(store.ids.isEmpty)
    }

    @Test func uploadsAreCounted() throws {
        for _ in 0..<UploadQuota.maximumConcurrent { try files.beginUpload(by: user("ann")) }
        #expect(throws: ChatError.self) { try files.beginUpload(by: user("ann")) }
        try files.beginUpload(by: user("bob"))
        #expect(metrics.underWay.value == UploadQuota.maximumConcurrent + 1)
        files.endUpload(by: user("ann"))
        try files.beginUpload(by: user("ann"))
        clock.advance(by: .seconds(4000))
        files.sweepQuotas(at: clock.monotonic)
        #expect(throws: ChatError.self) { try files.beginUpload(by: user("ann")) }
    }

    @Test func theKeyIsReadOnce() async throws {
        #expect(try await files.signingKey() == [1, 2, 3])
        store.setFailing(true)
        #expect(try await files.signingKey() == [1, 2, 3])
    }
}
