import ChatDomain

/// Rids a file that earlier versions of this program wrote of copies of rows in unused parts of its pages, once.
struct OlderFile {
    let files: StoreFiles

    /// Writes the file anew if it was not written by this version alone. To be called with the directory locked, before the store is opened.
    ///
    /// Killed at any moment, it leaves the old file or the new one. Where it fails, for instance because the disk is full, the old file
    /// stays in use, and the next start tries again.
    func rewriteIfNeeded() {
        unlinkIfThere(files.incoming)
        guard Files.size(of: files.database) ?? 0 > 0 else { return }
        do throws(StoreError) {
            guard try writeCopy() else { return }
            try markCopy()
            // A log must never meet a database that is not its own.
            guard Files.size(of: files.database + "-wal") ?? 0 == 0 else { return }
            try Files.synchronize(files.incoming)
            try Files.move(files.incoming, to: files.database)
            try Files.synchronize(files.directory)
        } catch {
            unlinkIfThere(files.incoming)
        }
    }

    /// - Returns: false where the file needs none, or its log cannot be emptied.
    private func writeCopy() throws(StoreError) -> Bool {
        let connection = try SQLiteConnection(path: files.database, mode: .readWrite)
        guard try connection.mayHoldRemains() else { return false }
        try Files.makePrivate(files.incoming)
        try connection.statement("VACUUM INTO ?").bind(1, files.incoming).run()
        return try connection.emptyLog()
    }

    private func markCopy() throws(StoreError) {
        try SQLiteConnection(path: files.incoming, mode: .readWrite).markFreeOfRemains()
    }
}

extension SQLiteConnection {
    /// The row of `settlements` that says that unused parts of pages were zero from the beginning.
    private static let freeOfRemainsKey: Int64 = 3

    func markFreeOfRemains() throws(StoreError) {
        try statement("INSERT INTO settlements VALUES(?, 1) ON CONFLICT DO NOTHING")
            .bind(1, Self.freeOfRemainsKey).run()
    }

    /// Whether the file has no tables yet.
    func isEmpty() throws(StoreError) -> Bool {
        try statement("SELECT 1 FROM sqlite_schema").first { _ in false } ?? true
    }

    func mayHoldRemains() throws(StoreError) -> Bool {
        let isStore =
            try statement("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'settlements'")
            .first { _ in true } ?? false
        guard isStore else { return false }
        return try statement("SELECT 1 FROM settlements WHERE key = ?").bind(1, Self.freeOfRemainsKey)
            .first { _ in false } ?? true
    }
}
