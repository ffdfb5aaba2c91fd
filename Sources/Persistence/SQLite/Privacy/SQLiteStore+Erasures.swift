public import ChatDomain

/// Jobs of erasures and their leases.
extension SQLiteStore {
    public func addErasure(_ job: ErasureJob) async throws(StoreError) -> ErasureJob {
        try await write { session throws(StoreError) in
            if let known = try session.connection.erasure(job.subject.key) { return known }
            try session.connection.insert(job)
            return job
        }
    }

    public func erasure(_ key: String) async throws(StoreError) -> ErasureJob? {
        try await read { connection throws(StoreError) in try connection.erasure(key) }
    }

    public func claimErasure(
        by owner: InstanceID, at now: Timestamp, until end: Timestamp
    ) async throws(StoreError) -> ErasureJob? {
        // Most of the time there is none, and a reader finds that out.
        let isAny = try await read { connection throws(StoreError) in
            try connection.claimableErasure(by: owner, at: now) != nil
        }
        guard isAny else { return nil }
        return try await write { session throws(StoreError) in
            guard let job = try session.connection.claimableErasure(by: owner, at: now) else { return nil }
            try session.connection.statement("UPDATE erasures SET owner = ?, lease_end = ? WHERE id = ?")
                .bind(1, owner.value).bind(2, end.milliseconds).bind(3, job.id).run()
            return job
        }
    }

    public func save(_ job: ErasureJob, by owner: InstanceID, until end: Timestamp) async throws(StoreError) -> Bool {
        try await write { session throws(StoreError) in
            try session.connection.update(job, of: owner, until: end)
        }
    }

    public func removeErasure(_ id: MessageID) async throws(StoreError) {
        try await write { session throws(StoreError) in
            try session.connection.statement("DELETE FROM erasures WHERE id = ?").bind(1, id).run()
            // Its row named the subject.
            if session.connection.changes > 0 { try session.noteErasure() }
        }
    }
}

extension SQLiteConnection {
    fileprivate func insert(_ job: ErasureJob) throws(StoreError) {
        try statement(
            """
            INSERT INTO erasures(
                id, key, policy, requested_at, stage, cursor, not_before, messages, passes, changed_in_pass)
            VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """
        ).bind(1, job.id).bind(2, job.subject.key).bind(3, job.subject.policyName)
            .bind(4, job.requestedAt.milliseconds).bind(5, job.stage.rawValue).bind(6, job.cursor)
            .bind(7, job.notBefore.milliseconds).bind(8, Int64(job.messages)).bind(9, Int64(job.passes))
            .bind(10, Int64(job.changedInPass)).run()
    }

    /// - Returns: whether the owner has the job.
    fileprivate func update(_ job: ErasureJob, of owner: InstanceID, until end: Timestamp) throws(StoreError) -> Bool {
        try statement(
            """
            UPDATE erasures SET stage = ?, cursor = ?, not_before = ?, messages = ?, passes = ?, changed_in_pass = ?,
                lease_end = ?
            WHERE id = ? AND owner = ?
            """
        ).bind(1, job.stage.rawValue).bind(2, job.cursor).bind(3, job.notBefore.milliseconds)
            .bind(4, Int64(job.messages)).bind(5, Int64(job.passes)).bind(6, Int64(job.changedInPass))
            .bind(7, end.milliseconds).bind(8, job.id).bind(9, owner.value).run()
        return changes == 1
    }

    fileprivate func erasure(_ key: String) throws(StoreError) -> ErasureJob? {
        try statement(
            """
            SELECT id, key, policy, requested_at, stage, cursor, not_before, messages, passes, changed_in_pass
            FROM erasures WHERE key = ?
            """
        ).bind(1, key).first { $0.erasure } ?? nil
    }

    fileprivate func claimableErasure(by owner: InstanceID, at now: Timestamp) throws(StoreError) -> ErasureJob? {
        try statement(
            """
            SELECT id, key, policy, requested_at, stage, cursor, not_before, messages, passes, changed_in_pass
            FROM erasures WHERE owner IS NULL OR owner = ? OR lease_end <= ? ORDER BY requested_at, id
            """
        ).bind(1, owner.value).bind(2, now.milliseconds).rows { $0.erasure }.first
    }
}

extension Row {
    /// nil for a row that no job is.
    fileprivate var erasure: ErasureJob? {
        guard let subject = ErasureSubject(key: text(1), policy: text(2)),
            let stage = ErasureJob.Stage(rawValue: text(4))
        else { return nil }
        return ErasureJob(
            id: messageID(0), subject, at: Timestamp(milliseconds: integer(3)), stage: stage, cursor: optionalText(5),
            notBefore: Timestamp(milliseconds: integer(6)), messages: Int(clamping: integer(7)),
            passes: Int(clamping: integer(8)), changedInPass: Int(clamping: integer(9)))
    }
}
