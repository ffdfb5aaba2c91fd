import ChatDomain

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The directory that files lie in, and the calls on it, which block.
///
/// - `incoming/`: files that are being written.
/// - `new/`: complete files that no message refers to.
/// - `kept/00/` to `kept/ff/`: files that a message refers to, by the first digits of their ids.
/// - `leaving/`: notes of files that go with their messages (`FileRemoval`), under the files' ids.
/// - `key`: the key of signed addresses.
///
/// A file goes from one folder to the next by a rename, so that each is in one place, whatever process ends when.
struct FileDirectory: Sendable {
    let path: String

    /// - Throws: `.unavailable` when the directories cannot be made.
    init(path: String) throws(StoreError) {
        self.path = path
        for folder in ["", "/incoming", "/new", "/kept", "/leaving"] {
            guard mkdir(path + folder, 0o700) == 0 || errno == EEXIST else {
                throw Self.failure("cannot make", path + folder)
            }
        }
    }

    func incoming(_ id: FileID) -> String { "\(path)/incoming/\(id)" }
    func new(_ id: FileID) -> String { "\(path)/new/\(id)" }
    private func keptFolder(_ id: FileID) -> String { "\(path)/kept/\(id.text.prefix(2))" }
    func kept(_ id: FileID) -> String { "\(keptFolder(id))/\(id)" }

    // MARK: Reading

    /// The file under an id; nil where there is none. It may move while it is looked for, so the places are tried twice.
    func file(_ id: FileID) throws(StoreError) -> StoredFile? {
        guard let (descriptor, isReferenced) = try open(id) else { return nil }
        defer { close(descriptor) }
        return try describe(descriptor, id, isReferenced)
    }

    func read(_ id: FileID, from offset: Int64, limit: Int) throws(StoreError) -> [UInt8] {
        guard let (descriptor, _) = try open(id) else { throw .rejected(reason: "the file is gone") }
        defer { close(descriptor) }
        let (start, overflow) = offset.addingReportingOverflow(Int64(FileHeader.byteCount))
        guard offset >= 0, !overflow, limit > 0 else { throw .rejected(reason: "no such part of the file") }
        let bytes = try Self.read(descriptor, from: start, limit: limit)
        guard !bytes.isEmpty else { throw .rejected(reason: "no such part of the file") }
        return bytes
    }

    private func open(_ id: FileID) throws(StoreError) -> (CInt, isReferenced: Bool)? {
        for (place, isReferenced) in [(kept(id), true), (new(id), false), (kept(id), true), (new(id), false)] {
            let descriptor = Self.open(place, O_RDONLY)
            if descriptor >= 0 { return (descriptor, isReferenced) }
            // A link is no file of this service's.
            guard errno == ENOENT || errno == ELOOP else { throw Self.failure("cannot open", place) }
        }
        return nil
    }

    private func describe(_ descriptor: CInt, _ id: FileID, _ isReferenced: Bool) throws(StoreError) -> StoredFile? {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Self.failure("cannot read", id.text) }
        let header = try Self.read(descriptor, from: 0, limit: FileHeader.byteCount)
        let size = Int64(status.st_size) - Int64(FileHeader.byteCount)
        return FileHeader.decode(header, id: id, size: size, isReferenced: isReferenced)
    }

    /// The ids in a folder, sorted; names that are no ids are left out.
    private func ids(in folder: String) throws(StoreError) -> [FileID] {
        guard let stream = opendir("\(path)/\(folder)") else {
            if errno == ENOENT { return [] }
            throw Self.failure("cannot list", "\(path)/\(folder)")
        }
        defer { closedir(stream) }
        var ids: [FileID] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if let id = FileID(name) { ids.append(id) }
        }
        return ids.sorted()
    }

    /// Looks at every file, since the directory has no index.
    func files(_ selection: FileSelection, after cursor: FileID?, limit: Int) throws(StoreError) -> [StoredFile] {
        var found: [StoredFile] = []
        let new = try ids(in: "new")
        for prefix in 0..<256 where found.count < limit {
            let digits = (prefix < 16 ? "0" : "") + String(prefix, radix: 16)
            if let cursor, digits < cursor.text.prefix(2) { continue }
            var ids = new.filter { $0.text.hasPrefix(digits) }
            if case .unreferenced = selection {} else { ids = (ids + (try self.ids(in: "kept/" + digits))).sorted() }
            for id in ids where cursor.map({ $0 < id }) ?? true {
                guard let file = try file(id), selection.contains(file) else { continue }
                found.append(file)
                if found.count == limit { break }
            }
        }
        return found
    }

    // MARK: Changing

    /// Makes the file that a writer fills; its header comes last.
    func begin(_ id: FileID) throws(StoreError) -> CInt {
        let place = incoming(id)
        let descriptor = Self.open(place, O_RDWR | O_CREAT | O_EXCL)
        guard descriptor >= 0 else { throw Self.failure("cannot make", place) }
        return descriptor
    }

    /// Gives a written file its description, and its place once all of it is on the disk.
    func complete(_ descriptor: CInt, _ file: StoredFile) throws(StoreError) {
        guard let header = FileHeader.encode(file) else {
            throw .rejected(reason: "the file's description is too long")
        }
        try Self.write(header, to: descriptor, at: 0)
        try Self.flush(descriptor)
        try move(incoming(file.id), to: new(file.id))
        try synchronize("new")
    }

    func setReferenced(_ id: FileID, _ isReferenced: Bool) throws(StoreError) -> Bool {
        if isReferenced, mkdir(keptFolder(id), 0o700) == 0 { try synchronize("kept") }
        let (source, target) = isReferenced ? (new(id), kept(id)) : (kept(id), new(id))
        guard rename(source, target) == 0 else {
            if errno == ENOENT { return false }
            throw Self.failure("cannot rename", source)
        }
        try synchronize(isReferenced ? "kept/\(id.text.prefix(2))" : "new")
        return true
    }

    func remove(_ id: FileID) throws(StoreError) {
        // It may move from the second place to the first while it is looked for.
        for place in [kept(id), new(id), kept(id)] where unlink(place) != 0 && errno != ENOENT {
            throw Self.failure("cannot remove", place)
        }
    }

    func removeAbandoned(since time: Timestamp) throws(StoreError) -> Int {
        var removed = 0
        for id in try ids(in: "incoming") {
            var status = stat()
            guard stat(incoming(id), &status) == 0 else { continue }
            #if canImport(Glibc)
                let seconds = Int64(status.st_mtim.tv_sec)
            #else
                let seconds = Int64(status.st_mtimespec.tv_sec)
            #endif
            if seconds < time.milliseconds / 1000, unlink(incoming(id)) == 0 { removed += 1 }
        }
        return removed
    }

    /// The key of signed addresses. Of several processes that make it at once one succeeds, and all read what that one made.
    func signingKey(orElse make: () -> [UInt8]) throws(StoreError) -> [UInt8] {
        let place = path + "/key"
        if let key = try existingKey(place) { return key }
        // Stores of one process may make it at once too.
        let draft = "\(place).\(getpid()).\(UInt32.random(in: .min ... .max))"
        let descriptor = Self.open(draft, O_RDWR | O_CREAT | O_TRUNC)
        guard descriptor >= 0 else { throw Self.failure("cannot make", draft) }
        defer {
            close(descriptor)
            unlink(draft)
        }
        try Self.write(make(), to: descriptor, at: 0)
        guard fsync(descriptor) == 0 else { throw Self.failure("cannot flush", draft) }
        guard link(draft, place) == 0 || errno == EEXIST else { throw Self.failure("cannot make", place) }
        try synchronize("")
        guard let key = try existingKey(place) else { throw .rejected(reason: "\(place) is no key") }
        return key
    }

    private func existingKey(_ place: String) throws(StoreError) -> [UInt8]? {
        let descriptor = Self.open(place, O_RDONLY)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw Self.failure("cannot open", place)
        }
        defer { close(descriptor) }
        let key = try Self.read(descriptor, from: 0, limit: 64)
        guard key.count == 32 else { throw .rejected(reason: "\(place) is no key; remove it to have a new one made") }
        return key
    }

    private func move(_ source: String, to target: String) throws(StoreError) {
        guard rename(source, target) == 0 else { throw Self.failure("cannot rename", source) }
    }

    private func synchronize(_ folder: String) throws(StoreError) {
        let descriptor = Self.open("\(path)/\(folder)", O_RDONLY)
        guard descriptor >= 0 else { throw Self.failure("cannot open", "\(path)/\(folder)") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw Self.failure("cannot flush", "\(path)/\(folder)") }
    }

    // MARK: Bytes

    static func flush(_ descriptor: CInt) throws(StoreError) {
        guard fsync(descriptor) == 0 else { throw failure("cannot flush", "a file") }
    }

    // MARK: Notes of removals

    private func leaving(_ id: FileID) -> String { "\(path)/leaving/\(id)" }

    /// Nothing is deleted before the note is whole, so a process that ends while it writes the note leaves a file that is needed.
    func note(_ removal: FileRemoval) throws(StoreError) {
        let place = leaving(removal.file)
        let descriptor = Self.open(place, O_RDWR | O_CREAT | O_TRUNC)
        guard descriptor >= 0 else { throw Self.failure("cannot make", place) }
        defer { close(descriptor) }
        let lines = [
            removal.roomID.value, removal.messageID.description, removal.author.value,
            String(removal.notedAt.milliseconds), "",
        ]
        try Self.write(Array(lines.joined(separator: "\n").utf8), to: descriptor, at: 0)
        try Self.flush(descriptor)
        try synchronize("leaving")
    }

    func forgetRemoval(of id: FileID) throws(StoreError) {
        guard unlink(leaving(id)) == 0 || errno == ENOENT else { throw Self.failure("cannot remove", leaving(id)) }
    }

    func removals(notedBefore time: Timestamp, limit: Int) throws(StoreError) -> [FileRemoval] {
        var found: [FileRemoval] = []
        for id in try ids(in: "leaving") where found.count < limit {
            // One that is incomplete was not answered, so nothing was deleted behind it.
            if let removal = try removal(of: id), removal.notedAt < time { found.append(removal) }
        }
        return found
    }

    private func removal(of id: FileID) throws(StoreError) -> FileRemoval? {
        let descriptor = Self.open(leaving(id), O_RDONLY)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        let bytes = try Self.read(descriptor, from: 0, limit: 4096)
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        guard lines.count == 5, let room = try? RoomID(validating: lines[0], field: "roomId"),
            let message = MessageID(lines[1]), let author = try? UserID(validating: lines[2], field: "userId"),
            let time = Int64(lines[3])
        else { return nil }
        return FileRemoval(
            file: id, roomID: room, messageID: message, author: author, notedAt: Timestamp(milliseconds: time))
    }

    private static func open(_ path: String, _ flags: CInt) -> CInt {
        #if canImport(Glibc)
            Glibc.open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0o600)
        #else
            Darwin.open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0o600)
        #endif
    }

    static func write(_ bytes: [UInt8], to descriptor: CInt, at offset: Int64) throws(StoreError) {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { space in
                pwrite(descriptor, space.baseAddress.map { $0 + done }, space.count - done, off_t(offset) + off_t(done))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure("cannot write", "a file") }
            done += count
        }
    }

    private static func read(_ descriptor: CInt, from offset: Int64, limit: Int) throws(StoreError) -> [UInt8] {
        var failed = false
        let bytes = [UInt8](unsafeUninitializedCapacity: limit) { space, filled in
            while filled < limit {
                let count = pread(
                    descriptor, space.baseAddress.map { $0 + filled }, limit - filled, off_t(offset) + off_t(filled))
                if count < 0, errno == EINTR { continue }
                failed = count < 0
                guard count > 0 else { return }
                filled += count
            }
        }
        guard !failed else { throw failure("cannot read", "a file") }
        return bytes
    }

    static func failure(_ what: String, _ path: String) -> StoreError {
        .unavailable(reason: "\(what) \(path): \(String(cString: strerror(errno)))")
    }
}

extension FileSelection {
    fileprivate func contains(_ file: StoredFile) -> Bool {
        switch self {
        case .room(let room): file.roomID == room
        case .owner(let owner): file.owner == owner
        case .unreferenced(let time): !file.isReferenced && file.uploadedAt < time
        }
    }
}
