import ChatProtocol
import ChatDomain
import Identity
import JSON
import Telemetry

/// Authentication of a session, and its expiry.
extension Session {
    /// How long before its token expires a client gets `token_expiring`.
    private static let expiryWarning: Duration = .seconds(30)

    /// Identifies the user of the handshake, without acting on it yet.
    ///
    /// - Parameter then: gets nil for a handshake that names no user. Called at once, unless another server has to be asked;
    ///   not called when the session ends meanwhile.
    package func identify(
        _ handshake: Credentials, then: @escaping (Result<Identity?, ChatError>) -> Void
    ) {
        guard handshake.namesUser else { return then(.success(nil)) }
        identify(handshake, tag: nil) { then($0.map(Optional.some)) }
    }

    private func identify(
        _ credentials: Credentials, tag: RequestTag?, then: @escaping (Result<Identity, ChatError>) -> Void
    ) {
        do throws(ChatError) {
            switch try identification(credentials) {
            case .known(let identity): then(context.services.admit(identity))
            case .pending(let pending): wait(for: pending, of: credentials, tag: tag, then: then)
            }
        } catch {
            then(.failure(error))
        }
    }

    /// The service key stands in for a token, as over REST: the service acts for the user it names.
    private func identification(_ credentials: Credentials) throws(ChatError) -> Identification {
        var credentials = credentials
        credentials.token = credentials.token ?? handshakeToken
        if isService, credentials.token == nil, let user = credentials.userID {
            return .known(Identity(claimed: user, username: credentials.username))
        }
        return try context.services.authentication.identify(credentials, now: context.now)
    }

    /// Asks another server. Requests behind this one wait, so that they take effect in their order.
    private func wait(
        for pending: PendingIdentification, of credentials: Credentials, tag: RequestTag?,
        then: @escaping (Result<Identity, ChatError>) -> Void
    ) {
        let number = begin(authenticateRequest(credentials, tag))
        context.loop.run({ await pending.result() }) { [self] result in
            guard finish(number) != nil else { return }
            then(result.flatMap(context.services.admit))
            startWaiting()
        }
    }

    private func authenticateRequest(_ credentials: Credentials, _ tag: RequestTag?) -> Request {
        Request(
            event: "authenticate", command: .authenticate(credentials), tag: tag, since: context.now.monotonic)
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

    /// Called once after the connection opened, in place of `identify(_:then:)` and `opened(as:by:)`: the client of a bad
    /// handshake gets the reason over the open connection.
    package func opened(by handshake: Credentials) {
        identify(handshake) { [self] result in
            switch result {
            case .success(let identity): opened(as: identity, by: handshake)
            case .failure(let error): rejectAuthentication(error)
            }
        }
    }

    /// Called once after the connection opened.
    ///
    /// - Parameter found: the identity of the handshake; nil where the client has to send `authenticate`.
    package func opened(as found: Identity?, by handshake: Credentials) {
        if let found {
            do throws(ChatError) { try authenticate(as: found, handshake, tag: nil) } catch {
                rejectAuthentication(error)
            }
            return
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
        let code: CloseCode =
            error.isForbidden ? .forbidden : error.code == .authUnavailable ? .overloaded : .unauthorized
        end(code, reason: error.message)
    }

    /// A refusal leaves the session as it is, except that of a banned user.
    func authenticate(_ credentials: Credentials, tag: RequestTag?) {
        identify(credentials, tag: tag) { [self] result in
            do throws(ChatError) { try authenticate(as: try result.get(), credentials, tag: tag) } catch {
                refuse(error, event: "authenticate", tag: tag)
                if error.code == .banned { end(.forbidden, reason: error.message) }
            }
        }
    }

    /// Takes the claim in another command. The token of a handshake was verified before any command, so nothing is asked.
    func authenticate(claiming user: UserID) throws(ChatError) {
        let credentials = Credentials(userID: user)
        guard case .known(let identity) = try identification(credentials) else { throw .unauthenticated }
        try authenticate(as: try context.services.admit(identity).get(), credentials, tag: nil)
    }

    private func authenticate(
        as claimed: Identity, _ credentials: Credentials, tag: RequestTag?
    ) throws(ChatError) {
        if let identity, identity.userID != claimed.userID {
            throw ChatError(.forbidden, "this connection belongs to another user")
        }
        let isNew = identity == nil
        adopt(named(claimed))
        guard isNew, !presence.isLoaded else { return completeAuthentication(isNew: isNew, tag: tag) }
        // Requests behind this one wait.
        let number = begin(authenticateRequest(credentials, tag))
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
