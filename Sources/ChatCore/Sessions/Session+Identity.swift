import ChatProtocol
import ChatDomain
import Identity
import JSON
import Telemetry

/// Authentication of a session, and its expiry.
extension Session {
    /// How long before its token expires a client gets `token_expiring`.
    private static let expiryWarning: Duration = .seconds(30)

    /// Looks at what the handshake brought, without taking it up yet.
    package func checkHandshake() throws(ChatError) {
        guard handshake.token != nil || handshake.userID != nil else { return }
        _ = try identify(handshake)
    }

    /// - Throws: `banned` too, for a user that is banned from the deployment.
    private func identify(_ credentials: Credentials) throws(ChatError) -> Identity {
        let found = try find(credentials)
        if let refusal = context.services.standings.refusal(of: found.userID) { throw refusal }
        return found
    }

    /// The service key stands in for a token, as over REST: the service acts for the user it names.
    private func find(_ credentials: Credentials) throws(ChatError) -> Identity {
        let token = credentials.token ?? handshake.token
        if isService, token == nil, let user = credentials.userID {
            return Identity(claimed: user, username: credentials.username)
        }
        return try context.services.authentication.identify(
            token: token, claimedUserID: credentials.userID, claimedUsername: credentials.username,
            now: context.now.wall)
    }

    /// A device that brings no name goes by the one the user is known by.
    private func named(_ found: Identity) -> Identity {
        let own = identity.flatMap { $0.username == $0.userID.value ? nil : $0.username }
        let known = own ?? context.services.presence.presence(of: found.userID)?.user.username
        guard found.username == found.userID.value, !found.isUsernameVerified, let known else { return found }
        var found = found
        found.username = known
        return found
    }

    /// Called once after the connection opened: takes what the handshake brought, or waits for `authenticate`.
    package func opened() {
        do throws(ChatError) {
            if handshake.token != nil || handshake.userID != nil { return try authenticate(handshake, tag: nil) }
        } catch {
            return rejectAuthentication(error)
        }
        if context.services.configuration.requiresAuthentication, !isService {
            let limit = context.services.configuration.authenticationTimeout
            reschedule(after: limit) { [self] in
                guard identity == nil else { return }
                rejectAuthentication(.unauthenticated)
            }
        }
    }

    private func rejectAuthentication(_ error: ChatError) {
        refuse(error, event: "authenticate", tag: nil)
        end(error.isForbidden ? .forbidden : .unauthorized, reason: error.message)
    }

    func authenticate(_ credentials: Credentials, tag: RequestTag?) throws(ChatError) {
        let claimed: Identity
        do throws(ChatError) { claimed = try identify(credentials) } catch {
            guard error.code == .banned else { throw error }
            refuse(error, event: "authenticate", tag: tag)
            return end(.forbidden, reason: error.message)
        }
        if let identity, identity.userID != claimed.userID {
            throw ChatError(.forbidden, "this connection belongs to another user")
        }
        let isNew = identity == nil
        adopt(named(claimed))
        guard isNew, !presence.isLoaded else { return completeAuthentication(isNew: isNew, tag: tag) }
        // Requests behind this one wait.
        let request = Request(
            event: "authenticate", command: .authenticate(credentials), tag: tag, since: context.now.monotonic)
        let number = begin(request)
        presence.whenLoaded { [self] in
            guard finish(number) != nil, let identity else { return }
            setIdentity(named(identity))
            completeAuthentication(isNew: true, tag: tag)
            startWaiting()
        }
    }

    private func completeAuthentication(isNew: Bool, tag: RequestTag?) {
        guard let identity, let user else { return }
        let fields: (inout JSONWriter) -> Void = { [id] out in
            out.user(user)
            out.member("socketId", id.value)
            if let expiry = identity.expiresAt {
                out.member("expiresAt", expiry.milliseconds)
            }
        }
        emit("authenticated", EventJSON.object(fields))
        if isRaw, isNew { welcome(identity.userID) }
        if isNew { presence.beginWatching() }
        reply(tag, EventJSON.success(fields))
    }

    /// Takes an identity that was verified before; the client is sent nothing.
    package func adopt(_ found: Identity) {
        let isNew = identity == nil
        setIdentity(found)
        if isNew { channel.recognize() }
        scheduleExpiry()
        guard isNew else { return }
        context.services.logger.debug("authenticated", ["session": id.value, "user": found.userID.value])
        presence.register(found)
        // A ban that came between the check and the registration did not find this session.
        if let refusal = context.services.standings.refusal(of: found.userID) { presence.logOut(refusal, .forbidden) }
    }

    private func welcome(_ user: UserID) {
        emit(
            "welcome",
            EventJSON.object { out in
                out.member("userId", user.value)
                out.member("socketId", id.value)
                out.member("message", "Connected to chat-service")
            })
    }

    private func scheduleExpiry() {
        cancelTimer()
        guard let expiry = identity?.expiresAt else { return }
        let left = Duration.milliseconds(expiry.milliseconds - context.now.wall.milliseconds)
        reschedule(after: left - Self.expiryWarning) { [self] in warnOfExpiry(expiry) }
    }

    private func warnOfExpiry(_ expiry: Timestamp) {
        emit(
            "token_expiring",
            EventJSON.object { out in
                out.member("expiresAt", expiry.milliseconds)
            })
        var left = Duration.milliseconds(expiry.milliseconds - context.now.wall.milliseconds)
        // Taken after its time, but within what clocks may differ by: it holds to the end of that.
        if left <= .zero { left += TokenVerifier.leeway }
        reschedule(after: left) { [self] in rejectAuthentication(.unauthorized) }
    }
}

extension ChatError {
    /// Whether another token of the same user would be refused too.
    fileprivate var isForbidden: Bool { code == .forbidden || code == .banned }
}
