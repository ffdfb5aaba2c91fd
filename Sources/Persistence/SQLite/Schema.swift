import CSQLite
import ChatDomain

/// The tables, and how an older file becomes a newer one.
///
/// A message's key is its room's key above its number, so that the table is one B-tree ordered by room and number:
/// a page of history is one range, a room's newest message one seek, and an append touches one leaf.
/// A new message is first a row of `journal`, which is ordered by arrival, so that a commit writes one or two pages however
/// many rooms it holds messages of. The writer moves it to `messages` soon after (see `Journal`).
/// Messages are found by their ids through `message_ids`. It gets them when they leave the journal, in the order of their arrival,
/// which is about that of their ids: an index of `messages` would be written in the order of rooms, all over.
/// What changes made of a message is a row of `message_states`, which only changed and answered messages have; its text,
/// metadata and mentions are changed in place. Changes share the numbers of messages, so their keys are made likewise.
/// The search finds a message by its place in `indexed_messages`, which is ordered by time, in segments of neighbours. A segment's
/// messages are listed by term in `search_postings` once it is full (see `SegmentBuild`). A message gets its place when it leaves the
/// journal, in `search_places`, and `message_ids` says which one it has. `search_documents` has those that were given before version 9, and
/// those of messages from before there was a search: an index by the messages' keys, written in the order of rooms, is too dear for new ones.
/// An entry waits in `outbox` once for each destination. What is owed to webhook receivers is in `webhook_deliveries`, with the key of
/// the entry or a body of its own; without a time at which it is due it is a dead letter.
/// Rooms are marked and not removed, because their key and their numbers must outlive them.
enum Schema {
    /// Bits of a message's key that hold its number.
    static let sequenceBits: Int64 = 32
    static let maximumSequence: SequenceNumber = 1 << sequenceBits - 1

    static func messageKey(room: Int64, _ sequence: SequenceNumber) -> Int64 { room << sequenceBits | sequence }
    static func sequence(ofKey key: Int64) -> SequenceNumber { key & maximumSequence }

    /// `rooms.state`.
    enum RoomState {
        /// Messages came before a room was made.
        static let unmade: Int64 = 0
        static let live: Int64 = 1
        static let deleted: Int64 = 2
    }

    /// Each entry makes version n + 1 out of version n. Entries are never changed, only added.
    private static let migrations: [String] = [
        """
        CREATE TABLE rooms(
            key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, state INTEGER NOT NULL,
            kind TEXT NOT NULL, private INTEGER NOT NULL, name TEXT, owner TEXT,
            created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, history_base INTEGER NOT NULL);
        CREATE TABLE messages(
            key INTEGER PRIMARY KEY, room INTEGER NOT NULL, id BLOB NOT NULL, author TEXT NOT NULL,
            username TEXT NOT NULL, text TEXT NOT NULL, kind TEXT NOT NULL, timestamp INTEGER NOT NULL,
            client_id TEXT, metadata TEXT, reply_to TEXT);
        CREATE UNIQUE INDEX messages_by_client_id ON messages(room, author, client_id) WHERE client_id IS NOT NULL;
        CREATE TABLE participants(room INTEGER NOT NULL, user TEXT NOT NULL, PRIMARY KEY(room, user)) WITHOUT ROWID;
        CREATE INDEX participants_by_user ON participants(user);
        CREATE TABLE read_marks(
            room INTEGER NOT NULL, user TEXT NOT NULL, sequence INTEGER NOT NULL,
            PRIMARY KEY(room, user)) WITHOUT ROWID;
        CREATE TABLE users(
            id TEXT PRIMARY KEY, name TEXT, username TEXT, email TEXT, avatar TEXT, last_seen INTEGER) WITHOUT ROWID;
        CREATE TABLE friends(user TEXT NOT NULL, friend TEXT NOT NULL, PRIMARY KEY(user, friend)) WITHOUT ROWID;
        CREATE TABLE outbox(position INTEGER PRIMARY KEY, owner TEXT NOT NULL, id BLOB NOT NULL, message INTEGER NOT NULL);
        CREATE INDEX outbox_by_id ON outbox(id);
        CREATE TABLE settlements(key INTEGER PRIMARY KEY, count INTEGER NOT NULL);
        INSERT INTO settlements VALUES(1, 0);
        """,
        """
        CREATE TABLE journal(
            position INTEGER PRIMARY KEY, key INTEGER NOT NULL, id BLOB NOT NULL, author TEXT NOT NULL,
            username TEXT NOT NULL, text TEXT NOT NULL, kind TEXT NOT NULL, timestamp INTEGER NOT NULL,
            client_id TEXT, metadata TEXT, reply_to TEXT);
        """,
        """
        ALTER TABLE messages ADD COLUMN mentions TEXT;
        ALTER TABLE journal ADD COLUMN mentions TEXT;
        CREATE TABLE message_ids(id BLOB PRIMARY KEY, key INTEGER NOT NULL) WITHOUT ROWID;
        INSERT OR IGNORE INTO message_ids SELECT id, key FROM messages;
        CREATE INDEX messages_by_reply ON messages(room, reply_to) WHERE reply_to IS NOT NULL;
        CREATE TABLE message_states(
            key INTEGER PRIMARY KEY, last_change INTEGER, edited_at INTEGER, deleted INTEGER NOT NULL,
            pinned INTEGER NOT NULL, reactions TEXT, reply_count INTEGER NOT NULL, last_reply INTEGER NOT NULL);
        CREATE INDEX message_states_by_change ON message_states(last_change) WHERE last_change IS NOT NULL;
        CREATE TABLE changes(
            key INTEGER PRIMARY KEY, id BLOB NOT NULL, message INTEGER NOT NULL, user TEXT NOT NULL,
            username TEXT NOT NULL, kind TEXT NOT NULL, timestamp INTEGER NOT NULL, client_id TEXT, emoji TEXT,
            count INTEGER, successor TEXT);
        CREATE INDEX changes_by_message ON changes(message);
        CREATE UNIQUE INDEX changes_by_client_id ON changes(key >> 32, user, client_id) WHERE client_id IS NOT NULL;
        CREATE TABLE reactions(
            message INTEGER NOT NULL, emoji TEXT NOT NULL, user TEXT NOT NULL, position INTEGER NOT NULL,
            PRIMARY KEY(message, emoji, user)) WITHOUT ROWID;
        CREATE INDEX reactions_by_position ON reactions(message, emoji, position);
        CREATE TABLE overwritten(content BLOB NOT NULL);
        CREATE VIEW current_messages AS
            SELECT m.key, m.id, m.author, m.username, m.text, m.kind, m.timestamp, m.client_id, m.metadata, m.reply_to,
                m.mentions, s.last_change, s.edited_at, s.deleted, s.pinned, s.reactions, s.reply_count, s.last_reply
            FROM messages m LEFT JOIN message_states s ON s.key = m.key;
        """,
        """
        ALTER TABLE rooms ADD COLUMN read_only INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE rooms ADD COLUMN slow_mode INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE rooms ADD COLUMN retention_days INTEGER;
        CREATE TABLE standings(
            room INTEGER NOT NULL, kind TEXT NOT NULL, user TEXT NOT NULL, until INTEGER, reason TEXT, author TEXT,
            since INTEGER NOT NULL, PRIMARY KEY(room, kind, user)) WITHOUT ROWID;
        CREATE INDEX standings_by_user ON standings(user);
        CREATE TABLE blocks(
            user TEXT NOT NULL, blocked TEXT NOT NULL, since INTEGER NOT NULL,
            PRIMARY KEY(user, blocked)) WITHOUT ROWID;
        CREATE INDEX blocks_by_blocked ON blocks(blocked);
        CREATE TABLE user_bans(
            user TEXT PRIMARY KEY, until INTEGER, reason TEXT, since INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE flags(
            room INTEGER NOT NULL, message BLOB NOT NULL, user TEXT NOT NULL, reason TEXT, since INTEGER NOT NULL,
            PRIMARY KEY(room, message, user)) WITHOUT ROWID;
        CREATE INDEX flags_by_user ON flags(user);
        """,
        """
        CREATE TABLE search_documents(position INTEGER PRIMARY KEY, key INTEGER NOT NULL UNIQUE);
        CREATE TABLE search_postings(
            segment INTEGER NOT NULL, term TEXT NOT NULL, documents BLOB NOT NULL,
            PRIMARY KEY(segment, term)) WITHOUT ROWID;
        CREATE TABLE search_segments(segment INTEGER PRIMARY KEY);
        CREATE TABLE search_backlog(id INTEGER PRIMARY KEY, timestamp INTEGER NOT NULL, key INTEGER NOT NULL);
        INSERT INTO search_backlog
            SELECT 1, max(timestamp), 9223372036854775807 FROM messages HAVING count(*) > 0;
        ALTER TABLE users ADD COLUMN words TEXT;
        CREATE INDEX messages_by_mention ON messages(key, mentions) WHERE mentions IS NOT NULL;
        """,
        """
        CREATE TABLE erasures(
            id BLOB PRIMARY KEY, key TEXT NOT NULL UNIQUE, policy TEXT NOT NULL, requested_at INTEGER NOT NULL,
            stage TEXT NOT NULL, cursor TEXT, not_before INTEGER NOT NULL, messages INTEGER NOT NULL,
            passes INTEGER NOT NULL, changed_in_pass INTEGER NOT NULL, owner TEXT, lease_end INTEGER) WITHOUT ROWID;
        CREATE TABLE expiry(room INTEGER PRIMARY KEY, sequence INTEGER NOT NULL);
        """,
        """
        ALTER TABLE outbox ADD COLUMN destination INTEGER NOT NULL DEFAULT 0;
        CREATE INDEX outbox_of_webhooks ON outbox(owner, position) WHERE destination = 1;
        CREATE TABLE webhook_deliveries(
            event TEXT NOT NULL, receiver TEXT NOT NULL, owner TEXT NOT NULL, type TEXT NOT NULL, message INTEGER,
            body TEXT, user TEXT, created_at INTEGER NOT NULL, attempts INTEGER NOT NULL, due INTEGER,
            failed_at INTEGER, failure TEXT, PRIMARY KEY(event, receiver)) WITHOUT ROWID;
        CREATE INDEX webhook_deliveries_by_due ON webhook_deliveries(owner, receiver, due) WHERE due IS NOT NULL;
        CREATE INDEX webhook_dead_letters ON webhook_deliveries(failed_at) WHERE due IS NULL;
        CREATE INDEX webhook_deliveries_by_user ON webhook_deliveries(user) WHERE user IS NOT NULL;
        """,
        """
        CREATE TABLE audit(
            timestamp INTEGER NOT NULL, id BLOB NOT NULL, action TEXT NOT NULL, outcome TEXT NOT NULL,
            service INTEGER NOT NULL, actor TEXT, address TEXT, instance TEXT NOT NULL, user TEXT, room TEXT,
            message TEXT, detail TEXT, PRIMARY KEY(timestamp, id)) WITHOUT ROWID;
        DROP TABLE overwritten;
        """,
        """
        ALTER TABLE message_ids ADD COLUMN position INTEGER;
        CREATE TABLE search_places(position INTEGER PRIMARY KEY, key INTEGER NOT NULL);
        CREATE VIEW indexed_messages AS
            SELECT position, key FROM search_places UNION ALL SELECT position, key FROM search_documents;
        DELETE FROM search_documents WHERE key IN (SELECT key FROM journal);
        """,
    ]

    /// Brings the file to the newest version.
    ///
    /// - Throws: `.rejected` when a newer program made the file.
    ///
    /// - Parameter newest: the version to stop at; for tests of older files.
    static func migrate(_ connection: SQLiteConnection, to newest: Int = .max) throws(StoreError) {
        let version = try knownVersion(of: connection)
        for (index, migration) in migrations.enumerated().prefix(newest).dropFirst(version) {
            try connection.execute("BEGIN IMMEDIATE; \(migration) PRAGMA user_version = \(index + 1); COMMIT")
        }
    }

    /// Looks whether the file is a store of this service, of whatever version up to the newest.
    ///
    /// - Throws: `.rejected` when it is none, or a newer program made it.
    static func check(_ connection: SQLiteConnection) throws(StoreError) {
        let version = try knownVersion(of: connection)
        let pattern = try SQLiteConnection(path: ":memory:", mode: .readWrite)
        for migration in migrations.prefix(version) { try pattern.execute(migration) }
        guard version > 0, try definitions(in: connection) == definitions(in: pattern) else {
            throw .rejected(reason: "it is no store of this service")
        }
    }

    /// The newest version that this program knows.
    static var newestVersion: Int { migrations.count }

    /// What the migrations behind `version` make and change, in words; the content of tables is not looked at.
    static func changes(after version: Int) throws(StoreError) -> [String] {
        let before = try SQLiteConnection(path: ":memory:", mode: .readWrite)
        try migrate(before, to: version)
        let after = try SQLiteConnection(path: ":memory:", mode: .readWrite)
        try migrate(after)
        let known = Set(try objects(in: before))
        let made = try objects(in: after).filter { !known.contains($0) }
        let old = Set(try columns(in: before))
        let added = try columns(in: after).filter { !old.contains($0) && known.contains($0.table) }
        return made.map { "make \($0)" } + added.map { "add column \($0.name) to \($0.table)" }
    }

    private static func objects(in connection: SQLiteConnection) throws(StoreError) -> [String] {
        try connection.statement(
            "SELECT type || ' ' || name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY type DESC, name"
        ).rows { $0.text(0) }
    }

    private struct Column: Hashable {
        var table: String
        var name: String
    }

    private static func columns(in connection: SQLiteConnection) throws(StoreError) -> [Column] {
        try connection.statement(
            """
            SELECT 'table ' || s.name, c.name FROM sqlite_schema s JOIN pragma_table_info(s.name) c
            WHERE s.type = 'table' AND s.name NOT LIKE 'sqlite_%' ORDER BY s.name, c.cid
            """
        ).rows { Column(table: $0.text(0), name: $0.text(1)) }
    }

    static func knownVersion(of connection: SQLiteConnection) throws(StoreError) -> Int {
        let version = try connection.statement("PRAGMA user_version").first { Int($0.integer(0)) } ?? 0
        guard (0...migrations.count).contains(version) else {
            throw .rejected(reason: unknownVersion(version))
        }
        return version
    }

    static func unknownVersion(_ version: Int) -> String {
        "the database has version \(version), this program knows only up to \(newestVersion)"
    }

    private static func definitions(in connection: SQLiteConnection) throws(StoreError) -> [String] {
        try connection.statement(
            "SELECT coalesce(sql, name) FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY type, name"
        ).rows { $0.text(0) }
    }
}
