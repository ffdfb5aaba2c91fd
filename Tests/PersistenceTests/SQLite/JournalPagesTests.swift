import ChatDomain
import TestSupport
import Testing

@testable import PersistenceSQLite

/// The cost of a message in pages of the log. Counted, so that no machine's speed matters.
@Suite struct JournalPagesTests {
    private let drafts = Drafts()
    private static let rooms = (0..<500).map { RoomID(unchecked: "room-\($0)") }
    private static let commits = 512

    /// Pages for each commit, and for each message with its move.
    private func pages(batch: Int, withClientIDs: Bool, _ options: StoreOptions) throws -> (commit: Double, all: Double)
    {
        let home = try SQLiteHome()
        defer { home.remove() }
        let store = try SteppedStore(home, options)
        var random = SplitMix(seed: 7)
        func write() -> RoomWrite {
            let client = withClientIDs ? "\(UInt64.random(in: .min ... .max, using: &random))" : nil
            let draft = drafts.next(String(repeating: "x", count: 100), client: client)
            return RoomWrite(
                roomID: Self.rooms[Int.random(in: 0..<500, using: &random)], lastKnown: 0, messages: [draft])
        }
        try store.commit(Self.rooms.map { RoomWrite(roomID: $0, lastKnown: 0, messages: [drafts.next()]) })
        try store.moveAll()
        let start = store.session.connection.loggedFrames
        var ofCommits = 0
        for _ in 0..<Self.commits {
            let before = store.session.connection.loggedFrames
            try store.commit((0..<batch).map { _ in write() })
            ofCommits += store.session.connection.loggedFrames - before
            try store.session.moveSome(at: store.now)
        }
        try store.moveAll()
        let all = store.session.connection.loggedFrames - start
        return (Double(ofCommits) / Double(Self.commits), Double(all) / Double(Self.commits * batch))
    }

    struct Load: Sendable, CustomStringConvertible {
        var batch: Int
        var withClientIDs: Bool
        var outboxOwner: InstanceID?
        /// At most, on average.
        var pagesPerCommit: Double
        var pagesPerMessage: Double

        var description: String {
            "\(batch) messages a commit\(withClientIDs ? ", client ids" : "")\(outboxOwner == nil ? "" : ", events")"
        }
    }

    /// The comments give the count when messages were written into their table at once. Ids and the search index have their share
    /// of a message's pages, behind the acknowledgement.
    static let loads = [
        // 1.8 pages a commit and a message
        Load(batch: 1, withClientIDs: false, outboxOwner: nil, pagesPerCommit: 1.2, pagesPerMessage: 1.35),
        // 3.2
        Load(batch: 1, withClientIDs: true, outboxOwner: nil, pagesPerCommit: 1.2, pagesPerMessage: 1.45),
        // 5.3
        Load(batch: 1, withClientIDs: true, outboxOwner: .init("one"), pagesPerCommit: 3.5, pagesPerMessage: 3.6),
        // 6.2 and 3.1
        Load(batch: 2, withClientIDs: true, outboxOwner: nil, pagesPerCommit: 1.4, pagesPerMessage: 0.95),
        // 24.6 a commit, 1.5 a message
        Load(batch: 16, withClientIDs: false, outboxOwner: nil, pagesPerCommit: 3.5, pagesPerMessage: 0.42),
        // 41.2 and 2.6
        Load(batch: 16, withClientIDs: true, outboxOwner: nil, pagesPerCommit: 3.7, pagesPerMessage: 0.48),
        // 45.2 and 2.8
        Load(batch: 16, withClientIDs: true, outboxOwner: .init("one"), pagesPerCommit: 7.5, pagesPerMessage: 0.7),
    ]

    @Test(arguments: loads) func aCommitWritesFewPagesHoweverManyRoomsTalk(_ load: Load) throws {
        let counted = try pages(
            batch: load.batch, withClientIDs: load.withClientIDs, StoreOptions(outboxOwner: load.outboxOwner))
        #expect(counted.commit <= load.pagesPerCommit)
        #expect(counted.all <= load.pagesPerMessage)
    }
}
