import ChatDomain

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The files of a store in its directory, and how they are exchanged for others.
struct StoreFiles {
    let directory: String

    var database: String { directory + "/chat.db" }
    /// The file that a restore writes until it is complete.
    var incoming: String { directory + "/chat.db.incoming" }
    /// A complete store that is to take the place of the present one. Its being there is the decision.
    private var restored: String { directory + "/chat.db.restored" }

    /// Whether a path is one of the store's own, there or not: the database, its log, its lock, a decided restore.
    func owns(_ path: String) -> Bool {
        let name = path[(path.lastIndex(of: "/").map(path.index(after:)) ?? path.startIndex)...]
        // Some file systems know no case.
        return name.lowercased().hasPrefix("chat.") && Files.areSame(Files.directory(of: path), directory)
    }

    /// Decides that `incoming`, which is complete and flushed, is the store, and puts it in its place.
    ///
    /// - Returns: the directory that holds the previous store; nil when there was none.
    func exchange() throws(StoreError) -> String? {
        try Files.move(incoming, to: restored)
        try Files.synchronize(directory)
        return try finishExchange()
    }

    /// Carries on where an exchange was cut short. To be called with the directory locked, before the store is opened:
    /// a log must never meet a database that is not its own.
    @discardableResult
    func finishExchange() throws(StoreError) -> String? {
        guard let decided = Files.modificationTime(of: restored) else { return nil }
        // Named after the decision, so that what is left to move goes where the rest has gone.
        let aside = "\(directory)/replaced-\(decided)"
        let parts = ["", "-wal", "-shm", "-journal"].map { database + $0 }.filter(Files.exists)
        if !parts.isEmpty {
            guard mkdir(aside, 0o700) == 0 || errno == EEXIST else {
                throw .unavailable(reason: "cannot make \(aside): \(Files.lastError)")
            }
            for part in parts { try Files.move(part, to: aside + part.dropFirst(directory.count)) }
            try Files.synchronize(aside)
        }
        try Files.move(restored, to: database)
        try Files.synchronize(directory)
        return Files.exists(aside) ? aside : nil
    }
}

/// Removes a file of ours that need not be there.
func unlinkIfThere(_ path: String) { unlink(path) }
