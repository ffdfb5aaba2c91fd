import ChatDomain
import Foundation
import TestSupport
import Testing

@testable import PersistenceSQLite

/// What SQLite writes to the log, and in how many pieces its file gets it.
@Suite struct GatheredFramesTests {
    private static let page = 4096
    private static let frame = Int64(page + GatheredFrames.headerSize)
    /// The header of the log.
    private static let start: Int64 = 32

    private func header(isLast: Bool) -> [UInt8] {
        [0, 0, 0, 1, 0, 0, 0, isLast ? 9 : 0] + [UInt8](repeating: 7, count: 16)
    }

    private func take(_ bytes: [UInt8], at offset: Int64, _ frames: inout GatheredFrames) -> GatheredFrames.Taken {
        bytes.withUnsafeBytes { frames.take($0, at: offset) }
    }

    /// After the header of the log.
    private func began() -> GatheredFrames {
        var frames = GatheredFrames()
        frames.didWrite(upTo: Self.start)
        return frames
    }

    private func page(_ byte: UInt8) -> [UInt8] { [UInt8](repeating: byte, count: Self.page) }

    @Test func theFramesOfATransactionAreKeptUpToItsLast() {
        var frames = began()
        var offset = Self.start
        var expected: [UInt8] = []
        for number in 1...5 {
            let parts = [header(isLast: number == 5), page(UInt8(number))]
            #expect(take(parts[0], at: offset, &frames) == .kept)
            #expect(take(parts[1], at: offset + 24, &frames) == (number == 5 ? .keptAndDue : .kept))
            expected += parts.joined()
            offset += Self.frame
        }
        #expect(frames.bytes == expected && frames.start == Self.start)
        frames.removeAll()
        #expect(take(header(isLast: true), at: offset, &frames) == .kept, "the next transaction follows")
        #expect(frames.start == offset)
    }

    @Test func manyFramesAreWrittenInPiecesThatOneCallTakes() {
        var frames = began()
        var offset = Self.start
        var pieces: [Int] = []
        for number in 1...100 {
            #expect(take(header(isLast: number == 100), at: offset, &frames) == .kept)
            if take(page(1), at: offset + 24, &frames) == .keptAndDue {
                pieces.append(frames.bytes.count)
                frames.removeAll()
            }
            offset += Self.frame
        }
        #expect(pieces.map { $0 / Int(Self.frame) } == [31, 31, 31, 7])
        #expect(pieces.allSatisfy { $0 < GatheredFrames.limit })
    }

    @Test func aPageThatFitsInNoPieceIsNotKept() {
        var frames = began()
        #expect(take(header(isLast: false), at: Self.start, &frames) == .kept)
        let large = [UInt8](repeating: 1, count: GatheredFrames.limit - GatheredFrames.headerSize)
        #expect(take(large, at: Self.start + 24, &frames) == .notKept)
        #expect(frames.bytes == header(isLast: false), "it goes before the page")
    }

    @Test func aHeaderOrAPageThatIsWrittenInPlaceIsNotKept() {
        var frames = began()
        #expect(take(header(isLast: true), at: 0, &frames) == .notKept)
        #expect(take(header(isLast: false), at: Self.start, &frames) == .kept)
        #expect(take(page(1), at: Self.start + 24, &frames) == .kept)
        #expect(take(page(2), at: Self.start + 24, &frames) == .notKept)
        #expect(take(header(isLast: true), at: Self.start, &frames) == .notKept)
        #expect(frames.start == Self.start && frames.bytes.count == Int(Self.frame), "what is kept stays in its place")
        frames.removeAll()
        frames.interrupt()
        #expect(take(header(isLast: true), at: Self.start + Self.frame, &frames) == .notKept, "something came between")
    }

    /// A transaction that is larger than SQLite's memory for pages writes frames before its end, reads them, and overwrites them where
    /// they are.
    @Test func aTransactionLargerThanTheMemoryIsReadAndRecovered() throws {
        let home = try SQLiteHome()
        let copy = try SQLiteHome()
        defer { [home, copy].forEach { $0.remove() } }
        try FileManager.default.createDirectory(atPath: home.directory, withIntermediateDirectories: true)
        let path = home.directory + "/chat.db"
        let writer = try SQLiteConnection(path: path, mode: .readWrite)
        try writer.execute(
            """
            PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = 10;
            CREATE TABLE t(key INTEGER PRIMARY KEY, text TEXT); CREATE INDEX t_by_text ON t(text);
            """)
        let numbers = "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)"
        for round in 0..<3 {
            try writer.execute(
                """
                BEGIN; INSERT INTO t \(numbers) SELECT i + \(round) * 2000, hex(randomblob(40)) FROM n;
                UPDATE t SET text = hex(randomblob(50)) WHERE key % 3 = 0; DELETE FROM t WHERE key % 50 = 0; COMMIT;
                """)
            try writer.execute(
                "BEGIN; INSERT INTO t \(numbers) SELECT -i, hex(randomblob(300)) FROM n; ROLLBACK;")
        }
        func contents(of connection: SQLiteConnection) throws -> [String?] {
            [
                try connection.statement("PRAGMA integrity_check").first { $0.text(0) },
                try connection.statement("SELECT count(*) || ' ' || sum(key) FROM t").first { $0.text(0) },
                try connection.statement("SELECT group_concat(text) FROM (SELECT text FROM t ORDER BY key)")
                    .first { $0.text(0) },
            ]
        }
        let written = try contents(of: writer)
        #expect(written[0] == "ok" && written[1]?.hasPrefix("5880 ") == true)
        #expect(try contents(of: SQLiteConnection(path: path, mode: .readOnly)) == written, "another reader")
        for name in ["/chat.db", "/chat.db-wal"] {
            try FileManager.default.createDirectory(atPath: copy.directory, withIntermediateDirectories: true)
            try FileManager.default.copyItem(atPath: home.directory + name, toPath: copy.directory + name)
        }
        let recovered = try SQLiteConnection(path: copy.directory + "/chat.db", mode: .readWrite)
        #expect(try contents(of: recovered) == written, "after a crash")
    }
}
