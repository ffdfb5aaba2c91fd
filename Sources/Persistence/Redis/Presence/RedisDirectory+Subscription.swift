import ChatDomain
import RedisLink
import Synchronization

/// The channels instances of one deployment meet on; see presence.lua for the keys.
struct Channels: Sendable {
    let deployment: DeploymentID

    var presence: [UInt8] { Array("chat-service:presence:\(deployment)".utf8) }
    var everyone: [UInt8] { Array("chat-service:instances:\(deployment)".utf8) }
    func inbox(of instance: InstanceID) -> [UInt8] {
        Array("chat-service:instance:\(deployment):\(instance):inbox".utf8)
    }
}

enum Keys {
    static let instances: RedisArgument = "chat-service:instances"
    static func sessions(of instance: InstanceID) -> RedisArgument {
        RedisArgument("chat-service:instance:\(instance):sessions")
    }
    static func rooms(of instance: InstanceID) -> RedisArgument {
        RedisArgument("chat-service:instance:\(instance):rooms")
    }
    static func user(_ user: UserID) -> RedisArgument { RedisArgument("chat-service:user:\(user.value)") }
}

/// What comes from Redis.
extension RedisDirectory {
    private static let sliceUsers = 500
    /// What is published is heard within a second, or the connection is no good.
    private static let hearingChecks = 100
    private static let hearingPause: Duration = .milliseconds(10)

    func receive(_ event: RedisSubscriberEvent) {
        switch event {
        case .connected:
            // What was published before was missed.
            state.withLock { state in
                state.comparedAt = nil
                state.deafSince = nil
            }
            loseContact()
            Task { [weak self] in await self?.beat() }
        case .message(let channel, let payload):
            if channel == channels.presence { receive(news: payload) } else { receive(envelope: payload) }
        case .disconnected:
            state.withLock { $0.deafSince = clock().monotonic }
            loseContact()
        case .subscribed: break
        }
    }

    private func receive(news payload: [UInt8]) {
        let event: DirectoryEvent
        switch PresenceCodec.news(payload) {
        case .changed(let presence, let origin): event = .changed(presence, origin: origin)
        case .lost(let instance) where instance != self.instance: event = .lost(instance)
        default: return
        }
        state.withLock { state in
            guard state.isLinked else { return }
            if case .changed(let presence, _) = event {
                state.heardWhileReading?[presence.user.userID] = presence
                keepHidden(presence, in: &state)
            }
            state.handler?(event)
        }
    }

    /// Hiding on another instance hides the user's sessions here too, also if Redis goes away.
    private func keepHidden(_ presence: UserPresence, in state: inout State) {
        let user = presence.user.userID
        guard state.wishing[user] == nil, let here = state.own.presence(of: user),
            let session = state.own.sessions(of: user).first
        else { return }
        if presence.actualStatus == .invisible, here.actualStatus != .invisible {
            _ = state.own.update(session.id, of: user, .requestedStatus(.invisible), at: presence.lastSeen)
        } else if presence.actualStatus != .invisible, presence.actualStatus != .offline,
            here.actualStatus == .invisible
        {
            let requestedStatus: PresenceStatus = session.isIdle ? .online : presence.actualStatus
            _ = state.own.update(session.id, of: user, .requestedStatus(requestedStatus), at: presence.lastSeen)
        }
    }

    private func receive(envelope: [UInt8]) {
        guard let split = envelope.firstIndex(of: 0) else { return }
        let payload = Array(envelope[(split + 1)...])
        state.withLock { state in
            if !envelope[..<split].elementsEqual(instance.value.utf8) {
                state.handler?(.received(payload: payload))
            } else if let mark = UInt64(String(decoding: payload, as: UTF8.self)) {
                state.mark = mark
                if let sentAt = state.proofs.removeValue(forKey: mark) {
                    contactCell.withLock { $0.prove(sentAt: sentAt, at: clock().monotonic) }
                }
            }
        }
    }

    /// Reads everybody. What was heard meanwhile is newer than what was read, and everything older has been heard before
    /// the two are compared: else a user who has just come would seem to be gone, or an outdated change would come behind.
    func readEverybody() async {
        state.withLock { $0.heardWhileReading = [:] }
        var all = await everybody()
        let isCaughtUp = await waitUntilCaughtUp()
        state.withLock { state in
            let later = state.heardWhileReading ?? [:]
            state.heardWhileReading = nil
            guard isCaughtUp, all != nil, state.isLinked else { return state.comparedAt = nil }
            for (user, presence) in later {
                all?[user] = presence.actualStatus == .offline && presence.sessions == 0 ? nil : presence
            }
            // Others may be on their way back, as this instance was, until every lease had its time.
            let isComplete = state.watch.mayJudge(at: clock().monotonic)
            if !isComplete { state.comparedAt = nil }
            state.handler?(.everybody(all.map { Array($0.values) } ?? [], isComplete: isComplete))
        }
    }

    /// Waits until everything published by now has been heard; false when it may have been missed.
    private func waitUntilCaughtUp() async -> Bool {
        let mark = state.withLock { state in
            state.lastMark += 1
            return state.lastMark
        }
        guard let listeners = try? await client.send(self.mark(mark)).integer else { return false }
        state.withLock { $0.doubles = listeners > 1 ? $0.doubles + 1 : 0 }
        guard listeners > 0 else { return false }
        for _ in 0..<Self.hearingChecks {
            if state.withLock({ $0.mark >= mark }) { return true }
            try? await Task.sleep(for: Self.hearingPause)
        }
        return false
    }

    private func mark(_ number: UInt64) -> RedisCommand {
        publication(Array(String(number).utf8), on: channels.inbox(of: instance))
    }

    /// Lets a mark go round. When it comes back everything published before it has been heard, by an instance that the others
    /// know of.
    ///
    /// - Parameter began: when the lease that the others know this instance by began to be renewed.
    func proveContact(began: Moment) {
        let mark = state.withLock { state in
            state.lastMark += 1
            // Those that never came back are of no use any more.
            state.proofs = state.proofs.filter { began - $0.value < Contact.milliseconds }
            state.proofs[state.lastMark] = began
            return state.lastMark
        }
        client.perform([self.mark(mark)])
    }

    func loseContact() {
        state.withLock { $0.proofs = [:] }
        contactCell.withLock { $0.lose() }
    }

    private func everybody() async -> [UserID: UserPresence]? {
        var cursor = "0"
        var found: [UserID: UserPresence] = [:]
        repeat {
            let arguments = [RedisArgument(cursor), RedisArgument(Self.sliceUsers)]
            guard let page = try? await client.run(scripts.snapshot, keys: [], arguments: arguments).array,
                let next = page.first?.text
            else { return nil }
            for index in stride(from: 1, to: page.count - 1, by: 2) {
                guard let id = page[index].text, let user = try? UserID(validating: id, field: "userId"),
                    let bytes = page[index + 1].bytes, let summary = PresenceCodec.summary(of: user, bytes)
                else { continue }
                found[user] = summary
            }
            cursor = next
        } while cursor != "0"
        return found
    }
}
