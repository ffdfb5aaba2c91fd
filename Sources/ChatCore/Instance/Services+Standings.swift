import ChatDomain
import Telemetry

/// Users that are banned from the deployment, and blocks between users, on all instances.
extension Services {
    /// Between two reads of all bans while it is not certain that changes made elsewhere come in.
    private static let readInterval: Duration = .seconds(1)

    /// Reads the bans and, in a fleet, from then on whenever contact with other instances was lost. Called once.
    package func beginFollowingStandings() async {
        await readStandings()
        readStandingsLater()
    }

    private func readStandingsLater() {
        guard bus != nil || !standings.isCurrent(presence.directory.contact) else { return }
        clock.schedule(after: Self.readInterval) { [weak self] in
            guard let self else { return }
            Task {
                await self.readStandings()
                self.readStandingsLater()
            }
        }
    }

    private func readStandings() async {
        guard !standings.isCurrent(presence.directory.contact) else { return }
        do throws(StoreError) {
            for user in try await standings.load() { await endSessions(ofBanned: user) }
        } catch {
            return storeTrouble.warning("bans not read", ["reason": "\(error)"])
        }
        // Notices of blocks may be lost too. While contact is lost, each question about presence asks the store.
        guard standings.mayHaveBlocks, standings.isCurrent(presence.directory.contact) else { return }
        for user in users.present { _ = await followStanding(of: user) }
    }

    /// The store has changed what holds for a user: returns when that is in force on every instance.
    ///
    /// - Throws: `storage_unavailable` where this instance could not read it again. The change is stored, and holds here by the
    ///   next read.
    package func announceStanding(of user: UserID) async throws(ChatError) {
        let isApplied = await followStanding(of: user)
        if bus != nil { await notices.announce(.user(user)) }
        if !isApplied { throw .storageUnavailable }
    }

    /// Another instance changed what holds for a user, and waits until that is in force here.
    func followStanding(of user: UserID, _ notice: ChangeNotice) {
        Task {
            // Without an answer the other instance asks again.
            guard await followStanding(of: user) else { return }
            let answer = InstanceMessage.changeApplied(notice.ticket, by: configuration.instance)
            presence.directory.send(answer.encoded, to: notice.teller)
        }
    }

    private func followStanding(of user: UserID) async -> Bool {
        do throws(StoreError) {
            let change = try await standings.refresh(user, isHere: !users.sessions(of: user).isEmpty)
            if change.isBanned { await endSessions(ofBanned: user) }
            if !change.hidden.isEmpty || !change.shown.isEmpty {
                broadcast(.blocks(user, hidden: change.hidden, shown: change.shown))
            }
            return true
        } catch {
            storeTrouble.warning("a user's standing was not read", ["reason": "\(error)"])
            return false
        }
    }

    /// Returns when no session of the user takes anything any more.
    private func endSessions(ofBanned user: UserID) async {
        let sessions = users.sessions(of: user)
        guard !sessions.isEmpty else { return }
        recovery?.forget(user)
        for address in sessions { mailbox(address.shard).post(.ban(address)) }
        for shard in Set(sessions.map(\.shard)) { _ = await calls.call { mailbox(shard).post(.answer($0)) } }
    }
}
