import ChatDomain
import EventLoop
import Identity
import JSON

/// Who a session is, and until when.
extension Session {
    /// How long before its token expires a client is told, in milliseconds.
    private static let expiryWarning: Int64 = 30_000

    /// Looks at what the handshake brought, without taking it up yet.
    func checkHandshake() throws(ChatError) {
        guard handshake.token != nil || handshake.userID != nil else { return }
        _ = try shard.services.authentication.identify(
            token: handshake.token, claimedUserID: handshake.userID, claimedUsername: handshake.username,
            now: shard.now.wall)
    }

    /// Called once after the connection opened: takes what the handshake brought, or waits for `authenticate`.
    func opened() {
        if handshake.token != nil || handshake.userID != nil {
            do throws(ChatError) {
                try authenticate(handshake, tag: nil)
            } catch {
                turnAway(error)
            }
        } else if shard.services.configuration.requiresAuthentication {
            let limit = shard.services.configuration.authenticationMilliseconds
            timer = shard.loop.schedule(after: limit) { [self] in
                guard identity == nil else { return }
                turnAway(.unauthenticated)
            }
        }
    }

    private func turnAway(_ error: ChatError) {
        refuse(error, event: "authenticate", tag: nil)
        channel.close(error.code == .forbidden ? .forbidden : .unauthorized, reason: error.message)
    }

    func authenticate(_ credentials: Credentials, tag: RequestTag?) throws(ChatError) {
        let services = shard.services
        let found = try services.authentication.identify(
            token: credentials.token ?? handshake.token, claimedUserID: credentials.userID,
            claimedUsername: credentials.username, now: shard.now.wall)
        if let identity, identity.userID != found.userID {
            throw ChatError(.forbidden, "this connection belongs to another user")
        }
        let isNew = identity == nil
        adopt(found)
        let fields: (inout JSONWriter) -> Void = { [id] out in
            out.user(RoomUser(userID: found.userID, username: found.username))
            out.key("socketId")
            out.string(id.value)
            if let expiry = found.expiresAt {
                out.key("expiresAt")
                out.integer(expiry.milliseconds)
            }
        }
        emit("authenticated", EventJSON.object(fields))
        if isRaw, isNew { welcome(found.userID) }
        if isNew { beginWatching() }
        reply(tag, EventJSON.success(fields))
    }

    /// Takes up who this is, known for certain; without a word to the client.
    func adopt(_ found: Identity) {
        let isNew = identity == nil
        identity = found
        if isNew { channel.recognize() }
        scheduleExpiry()
        if isNew { register(found) }
    }

    private func welcome(_ user: UserID) {
        emit(
            "welcome",
            EventJSON.object { out in
                out.key("userId")
                out.string(user.value)
                out.key("socketId")
                out.string(id.value)
                out.key("message")
                out.string("Connected to chat-service")
            })
    }

    private func scheduleExpiry() {
        if let timer { shard.loop.cancel(timer) }
        timer = nil
        guard let expiry = identity?.expiresAt else { return }
        let left = expiry.milliseconds - shard.now.wall.milliseconds
        timer = shard.loop.schedule(after: left - Self.expiryWarning) { [self] in warnOfExpiry(expiry) }
    }

    private func warnOfExpiry(_ expiry: Timestamp) {
        emit(
            "token_expiring",
            EventJSON.object { out in
                out.key("expiresAt")
                out.integer(expiry.milliseconds)
            })
        var left = expiry.milliseconds - shard.now.wall.milliseconds
        // Taken after its time, but within what clocks may differ by: it holds to the end of that.
        if left <= 0 { left += TokenVerifier.leewayMilliseconds }
        timer = shard.loop.schedule(after: left) { [self] in turnAway(.unauthorized) }
    }
}
