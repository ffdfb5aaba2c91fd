public import ChatDomain

/// Jobs of erasures and their leases.
extension MongoStore {
    public func addErasure(_ job: ErasureJob) async throws(StoreError) -> ErasureJob {
        let update: BSONDocument = [
            "q": ["key": .string(job.subject.key)], "u": ["$setOnInsert": .document(BSONDocument(job))], "upsert": true,
        ]
        return try await run { connection throws(MongoError) in
            try connection.upsert(MongoSchema.erasures, [update])
            return try connection.erasure(job.subject.key) ?? job
        }
    }

    public func erasure(_ key: String) async throws(StoreError) -> ErasureJob? {
        try await run { connection throws(MongoError) in try connection.erasure(key) }
    }

    public func claimErasure(
        by owner: InstanceID, at now: Timestamp, until end: Timestamp
    ) async throws(StoreError) -> ErasureJob? {
        let isFree: BSONDocument = [
            "$or": [["owner": nil], ["owner": .string(owner.value)], ["leaseEnd": ["$lte": .date(now)]]]
        ]
        return try await run { connection throws(MongoError) in
            let free = try connection.find(
                MongoSchema.erasures, isFree, ["sort": ["requestedAt": 1, "_id": 1]])
            for document in free {
                guard let job = document.erasure else { continue }
                var query = isFree
                query["_id"] = .objectID(job.id)
                let lease: BSONDocument = ["$set": ["owner": .string(owner.value), "leaseEnd": .date(end)]]
                let matched = try connection.update(
                    MongoSchema.erasures, [["q": .document(query), "u": .document(lease)]])
                if matched > 0 { return job }
            }
            return nil
        }
    }

    public func save(_ job: ErasureJob, by owner: InstanceID, until end: Timestamp) async throws(StoreError) -> Bool {
        var content = BSONDocument(progress: job)
        content["leaseEnd"] = .date(end)
        let update: BSONDocument = [
            "q": ["_id": .objectID(job.id), "owner": .string(owner.value)], "u": ["$set": .document(content)],
        ]
        return try await run { connection throws(MongoError) in
            try connection.update(MongoSchema.erasures, [update]) > 0
        }
    }

    public func removeErasure(_ id: MessageID) async throws(StoreError) {
        try await run { connection throws(MongoError) in
            _ = try connection.delete(MongoSchema.erasures, [["_id": .objectID(id)]])
        }
    }
}

extension MongoConnection {
    fileprivate func erasure(_ key: String) throws(MongoError) -> ErasureJob? {
        try find(MongoSchema.erasures, ["key": .string(key)]).lazy.compactMap(\.erasure).first
    }
}

extension BSONDocument {
    fileprivate init(_ job: ErasureJob) {
        self = [
            "_id": .objectID(job.id), "key": .string(job.subject.key), "policy": .string(job.subject.policyName),
            "requestedAt": .date(job.requestedAt),
        ]
        fields += BSONDocument(progress: job).fields
    }

    fileprivate init(progress job: ErasureJob) {
        self = [
            "stage": .string(job.stage.rawValue), "cursor": job.cursor.map { .string($0) } ?? .null,
            "notBefore": .date(job.notBefore), "messages": .int64(Int64(job.messages)),
            "passes": .int64(Int64(job.passes)), "changedInPass": .int64(Int64(job.changedInPass)),
        ]
    }

    /// nil for a document that no job is.
    fileprivate var erasure: ErasureJob? {
        guard let id = self["_id"]?.objectID,
            let subject = ErasureSubject(key: self["key"]?.text ?? "", policy: self["policy"]?.text ?? ""),
            let stage = ErasureJob.Stage(rawValue: self["stage"]?.text ?? "")
        else { return nil }
        return ErasureJob(
            id: id, subject, at: self["requestedAt"]?.timestamp ?? Timestamp(milliseconds: 0), stage: stage,
            cursor: self["cursor"]?.text, notBefore: self["notBefore"]?.timestamp ?? Timestamp(milliseconds: 0),
            messages: Int(clamping: self["messages"]?.integer ?? 0),
            passes: Int(clamping: self["passes"]?.integer ?? 0),
            changedInPass: Int(clamping: self["changedInPass"]?.integer ?? 0))
    }
}
