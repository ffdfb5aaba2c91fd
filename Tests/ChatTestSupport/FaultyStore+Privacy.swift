import ChatDomain

extension FaultyStore {
    package func addErasure(_ job: ErasureJob) async throws(StoreError) -> ErasureJob { try await real.addErasure(job) }
    package func erasure(_ key: String) async throws(StoreError) -> ErasureJob? { try await real.erasure(key) }

    package func claimErasure(
        by owner: InstanceID, at now: Timestamp, until end: Timestamp
    ) async throws(StoreError) -> ErasureJob? {
        try await real.claimErasure(by: owner, at: now, until: end)
    }

    package func save(_ job: ErasureJob, by owner: InstanceID, until end: Timestamp) async throws(StoreError) -> Bool {
        try await real.save(job, by: owner, until: end)
    }

    package func removeErasure(_ id: MessageID) async throws(StoreError) { try await real.removeErasure(id) }

    package func eraseRecords(of user: ErasedUser) async throws(StoreError) -> ErasureSlice {
        try await real.eraseRecords(of: user)
    }

    package func directRooms(
        of user: UserID, after cursor: RoomID?, limit: Int
    ) async throws(StoreError) -> [RoomID] {
        try await real.directRooms(of: user, after: cursor, limit: limit)
    }

    package func moveDirectRoom(_ room: RoomID, of user: ErasedUser) async throws(StoreError) -> ErasureSlice {
        try await real.moveDirectRoom(room, of: user)
    }

    package func eraseMessages(of user: ErasedUser, after cursor: String?) async throws(StoreError) -> ErasureSlice {
        try await real.eraseMessages(of: user, after: cursor)
    }

    package func eraseMessages(of room: RoomID, after cursor: String?) async throws(StoreError) -> ErasureSlice {
        try await real.eraseMessages(of: room, after: cursor)
    }

    package func eraseExpiredMessages(
        _ rule: RetentionRule, at now: Timestamp, after cursor: String?
    ) async throws(StoreError) -> ErasureSlice {
        try await real.eraseExpiredMessages(rule, at: now, after: cursor)
    }

    package func purgeErased() async throws(StoreError) { try await real.purgeErased() }

    package func rooms(
        knowing user: UserID, after cursor: RoomID?, limit: Int
    ) async throws(StoreError) -> [RoomID] {
        try await real.rooms(knowing: user, after: cursor, limit: limit)
    }

    package func messages(of user: UserID, after cursor: String?) async throws(StoreError) -> ExportedMessages {
        try await real.messages(of: user, after: cursor)
    }

    package func standings(
        of user: UserID, after cursor: RoomID?, limit: Int
    ) async throws(StoreError) -> [UserStanding] {
        try await real.standings(of: user, after: cursor, limit: limit)
    }

    package func flags(by user: UserID, after cursor: MessageID?, limit: Int) async throws(StoreError) -> [UserFlag] {
        try await real.flags(by: user, after: cursor, limit: limit)
    }

    package func changes(by user: UserID, after cursor: String?) async throws(StoreError) -> ExportedChanges {
        try await real.changes(by: user, after: cursor)
    }
}
