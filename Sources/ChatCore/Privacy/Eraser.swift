import ChatDomain

/// Performs the steps of erasures.
struct Eraser: Sendable {
    /// The longest sleep within one step, which has to end before the lease does.
    private static let longestWait: Duration = .seconds(1)

    let services: Services

    /// - Returns: the job behind its next step, or behind a part of it.
    func perform(_ job: ErasureJob) async throws(StoreError) -> ErasureJob {
        var job = job
        switch job.step {
        case .close: try await close(job)
        case .wait(let end):
            await wait(until: end)
            if await hasSessions(job) { job.foundSessions(at: services.clock.now.wall) }
        case .eraseRecords: try await eraseRecords(job)
        case .renameDirectRooms(let cursor):
            let slice = try await moveDirectRoom(job, after: cursor)
            job.didPerform(slice)
            return job
        case .eraseMessages(let cursor):
            let slice = try await eraseMessages(job, after: cursor)
            job.didPerform(slice)
            return job
        case .eraseFiles: try await eraseFiles(job)
        case .finish: break
        case .eraseTraces: try await eraseTraces(job)
        case .purge: try await services.store.purgeErased()
        }
        job.didPerformStep(gracePeriod: services.configuration.presence.grace, at: services.clock.now.wall)
        return job
    }

    // MARK: Steps

    private func close(_ job: ErasureJob) async throws(StoreError) {
        switch job.subject {
        case .user(let user, _):
            services.recovery?.forget(user)
            for session in await services.presence.directory.sessions(of: user) { services.end(session, .loggedOut) }
        case .room(let room):
            _ = try await services.store.delete(room, at: services.clock.now.wall)
            await announceEnd(of: room)
        case .expiredMessages: break
        }
    }

    private func wait(until end: Timestamp) async {
        let rest = Duration.milliseconds(end.milliseconds - services.clock.now.wall.milliseconds)
        if rest > .zero { await services.clock.sleep(for: min(rest, Self.longestWait)) }
    }

    private func hasSessions(_ job: ErasureJob) async -> Bool {
        guard let user = job.user?.user else { return false }
        // Sessions in their grace period count, those of a dead instance too.
        return await services.presence.directory.presence(of: [user])[user] != nil
    }

    private func eraseRecords(_ job: ErasureJob) async throws(StoreError) {
        guard let user = job.user else { return }
        services.presence.seen.forget(user.user)
        try await services.store.eraseModeration(of: user.user)
        let slice = try await services.store.eraseRecords(of: user)
        for room in slice.rooms { await services.announce(room, .unspecified) }
    }

    private func moveDirectRoom(_ job: ErasureJob, after cursor: String?) async throws(StoreError) -> ErasureSlice {
        guard let user = job.user else { return ErasureSlice(next: nil) }
        let place = cursor.map { RoomID(unchecked: $0) }
        let rooms = try await services.store.directRooms(of: user.user, after: place, limit: 1)
        guard let room = rooms.first else { return ErasureSlice(next: nil) }
        await announceEnd(of: room)
        while try await services.store.moveDirectRoom(room, of: user).next != nil {}
        // It may have been opened again meanwhile.
        await announceEnd(of: room)
        return ErasureSlice(next: room.value)
    }

    private func eraseMessages(_ job: ErasureJob, after cursor: String?) async throws(StoreError) -> ErasureSlice {
        let store = services.store
        switch job.subject {
        case .user:
            guard let user = job.user else { return ErasureSlice(next: nil) }
            let slice = try await store.eraseMessages(of: user, after: cursor)
            await forgetContent(of: slice.rooms, needsResync: true)
            return slice
        case .room(let room):
            let slice = try await store.eraseMessages(of: room, after: cursor)
            services.cache?.drop(room)
            return slice
        case .expiredMessages:
            let slice = try await store.eraseExpiredMessages(
                services.configuration.retention, at: services.clock.now.wall, after: cursor)
            await forgetContent(of: slice.rooms, needsResync: false)
            for metadata in slice.metadata { await services.removeFile(of: metadata) }
            return slice
        }
    }

    /// The files of anonymized messages go too, as those have no metadata any more that refer to them.
    private func eraseFiles(_ job: ErasureJob) async throws(StoreError) {
        switch job.subject {
        case .user(let user, _): try await services.files?.removeAll(.owner(user))
        case .room(let room): try await services.files?.removeAll(.room(room))
        case .expiredMessages: break
        }
    }

    private func eraseTraces(_ job: ErasureJob) async throws(StoreError) {
        guard let user = job.user?.user else { return }
        try await services.presence.directory.eraseTraces(of: user)
        services.presence.seen.forget(user)
    }

    // MARK: Other instances

    private func announceEnd(of room: RoomID) async {
        services.cache?.drop(room)
        await services.announce(room, .deleted)
        services.cache?.drop(room)
    }

    /// No instance keeps these rooms' messages in memory when this returns. What was read before does not come into the cache any more.
    private func forgetContent(of rooms: [RoomID], needsResync: Bool) async {
        for room in rooms {
            services.cache?.drop(room)
            await services.announce(room, .contentErased(needsResync: needsResync))
            services.cache?.drop(room)
        }
    }
}
