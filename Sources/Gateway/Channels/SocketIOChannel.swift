import ChatCore
import ChatProtocol
import ChatDomain
import Engine
import EventLoop
import Identity
import JSON
import WireProtocols

/// What a handshake's request says of its user.
private struct Claim: Sendable {
    let token: String?
    let userID: UserID?
    let username: String?
    /// The service key its header shows.
    let serviceKey: String?

    /// nil where it says nothing.
    init?(_ handshake: Credentials, shownKey: String?) {
        guard handshake.namesUser || handshake.username != nil || shownKey != nil else { return nil }
        (token, userID, username) = (handshake.token, handshake.userID, handshake.username)
        serviceKey = shownKey
    }
}

/// A Socket.IO connection as a session's channel: packets over polling or a WebSocket.
final class SocketIOChannel: SessionChannel, SocketIOServing {
    let socket: EngineIOSocket
    let context: ChannelContext
    private let address: IPAddress
    private let userAgent: String?
    /// What the handshake said for CONNECT to go without; nil for most, whose CONNECT says it.
    private let claim: Shared<Claim>?
    var rules: SocketIOSession
    var timer: TimerID?
    private var session: Session?
    private var recovery = ChannelRecovery.notOffered

    /// - Parameter address: the client's, which counts wrong service keys.
    init(socket: EngineIOSocket, context: ChannelContext, address: IPAddress, handshake: Credentials, shownKey: String?)
    {
        self.address = address
        self.socket = socket
        self.context = context
        userAgent = handshake.userAgent
        claim = Claim(handshake, shownKey: shownKey).map(Shared.init)
        rules = Self.rules(on: context)
        schedule()
    }

    var origin: ClientOrigin { ClientOrigin(address: "\(address)", userAgent: userAgent) }

    private var encoding: FrameEncoding {
        guard socket.isOnWebSocket else { return recovery.isOffered ? .recoverablePolling : .socketIOPolling }
        if recovery.isOffered { return socket.compressesOutput ? .recoverableDeflated : .recoverable }
        return socket.compressesOutput ? .socketIODeflated : .socketIO
    }

    // MARK: From the client

    func open(_ auth: JSONElement?) throws(ChatError) {
        let fields = try CommandFields(auth, limits: context.services.configuration.commands)
        let credentials = try credentials(fields)
        let claim = RecoveryClaim(fields)
        let isOffered = context.services.recovery != nil && claim.isUnderstood(by: userAgent)
        recovery = isOffered ? .offered : .notOffered
        guard isOffered, let pid = claim.pid, let offset = claim.offset else { return begin(credentials) }
        let returning = ReturningSession(pid)
        recovery = .returning(returning)
        context.run({ [services = context.services, now = context.now] in
            await Self.find(pid.key, credentials, in: services, now: now)
        }) { [self] (found, identity) in
            returning.found = found
            recover(returning, offset, credentials, as: identity)
        }
    }

    private func credentials(_ fields: CommandFields) throws(ChatError) -> Credentials {
        let claim = claim?.value
        var credentials = Credentials(
            token: try fields.optionalText("token", maximumBytes: CommandDecoder.maximumTokenBytes) ?? claim?.token,
            userID: try fields.optionalIdentifier("userId") ?? claim?.userID,
            username: try fields.optionalText("username", maximumCharacters: CommandDecoder.maximumUsernameCharacters)
                ?? claim?.username,
            userAgent: userAgent)
        if let key = try fields.optionalText("serviceKey", maximumCharacters: 1024) ?? claim?.serviceKey {
            try context.gateway.check(serviceKey: key, from: address, at: context.now.monotonic)
            credentials.isService = true
        }
        return credentials
    }

    /// Opens a session of its own.
    private func begin(_ credentials: Credentials) {
        recovery.end()
        let session = context.sessions.open(channel: self, encoding: encoding, isRaw: false, handshake: credentials)
        self.session = session
        session.identify(credentials) { [self] result in
            guard self.session === session else { return }
            switch result {
            case .success(let identity): connect(session, as: identity, by: credentials)
            case .failure(let error): refuseConnection(error)
            }
        }
    }

    private func connect(_ session: Session, as identity: Identity?, by handshake: Credentials) {
        if recovery.isOffered {
            let pid = RecoveryPID.random()
            recovery = .open(Shared(pid))
            context.services.recovery?.opened(pid.key, at: session.address)
        }
        socket.send(SocketIOEncoder.connect(sid: session.id.value, pid: recovery.pid?.text))
        session.opened(as: identity, by: handshake)
    }

    func received(_ event: SocketIOEvent) {
        guard !event.hasBinary else {
            let error = ChatError.badRequest("binary data is not taken here")
            session?.refuse(error, event: event.name, tag: event.tag)
            return
        }
        session?.receive(event: event.name, data: event.data, tag: event.tag)
    }

    func receivedMalformed(_ error: ChatError, tag: RequestTag?) { session?.receivedMalformed(error, tag: tag) }

    // MARK: Recovery

    /// The session that a client left, and the identity of a client that names a user.
    private static func find(
        _ key: RecoveryKey, _ credentials: Credentials, in services: Services, now: Now
    ) async -> (RecoverableSession?, Result<Identity, ChatError>?) {
        let found = await services.recover(key)
        guard found != nil, credentials.namesUser else { return (found, nil) }
        do throws(ChatError) {
            return (found, .success(try await services.authentication.identify(credentials, now: now).identity()))
        } catch {
            return (found, .failure(error))
        }
    }

    /// Continues the session the client left. The client is answered once all its rooms are entered, because only then is it
    /// known whether anything is missing.
    private func recover(
        _ returning: ReturningSession, _ offset: MessageOffset, _ credentials: Credentials,
        as named: Result<Identity, ChatError>?
    ) {
        // The client was gone before it was found; it may come again.
        guard recovery.returning === returning else { return putBack(returning) }
        if case .failure(let error) = named, error.code == .authUnavailable {
            putBack(returning)
            return refuseConnection(error)
        }
        guard let found = returning.found, let seen = found.seen(upTo: offset),
            let identity = identity(found, as: named)
        else { return beginAfresh(credentials) }
        let session = context.sessions.open(
            channel: self, encoding: encoding, isRaw: false, handshake: credentials, id: found.id)
        self.session = session
        session.adopt(identity)
        session.presence.whenLoaded { [weak self, unowned session] in
            session.presence.beginWatching()
            session.recovery.rejoin(seen, sent: found.sent(upTo: offset)) { isWhole in
                self?.finishRecovery(of: session, returning, isWhole: isWhole, credentials)
            }
        }
    }

    private func finishRecovery(
        of session: Session, _ returning: ReturningSession, isWhole: Bool, _ credentials: Credentials
    ) {
        guard recovery.returning === returning else { return }
        if isWhole, !returning.isTooMuch { recovered(session, returning) } else { beginAfresh(credentials) }
    }

    private func putBack(_ returning: ReturningSession) {
        if let found = returning.found { context.services.recovery?.putBack(found, under: returning.pid.key) }
    }

    /// The identity of a returning client: the user that credentials name, if any, must be the session's.
    private func identity(_ found: RecoverableSession, as named: Result<Identity, ChatError>?) -> Identity? {
        guard let named else { return found.identity(at: context.now.wall) }
        guard case .success(let identity) = named, identity.userID == found.user.userID else { return nil }
        return identity
    }

    private func recovered(_ session: Session, _ returning: ReturningSession) {
        let pid = returning.pid
        recovery = .open(Shared(pid))
        context.services.recovery?.opened(pid.key, at: session.address)
        socket.send(SocketIOEncoder.connect(sid: session.id.value, pid: pid.text))
        for frames in returning.held { send(frames.bytes(onWebSocket: socket.isOnWebSocket), isDroppable: false) }
        session.refreshInRooms()
    }

    private func beginAfresh(_ credentials: Credentials) {
        recovery.end()
        session?.closed(reason: "not recovered")
        session = nil
        begin(credentials)
    }

    // MARK: To the client

    func send(_ frames: [UInt8], isDroppable: Bool) {
        if let returning = recovery.returning {
            returning.hold(HeldFrames(bytes: frames, isForWebSocket: socket.isOnWebSocket))
        } else if socket.isOnWebSocket {
            socket.send(frames: frames, isDroppable: isDroppable)
        } else {
            socket.enqueue(frames[...], isDroppable: isDroppable)
        }
    }

    func transportChanged(_ socket: EngineIOSocket) { session?.reencode(encoding) }

    /// Socket.IO has no close codes: where a client must not retry it is sent a DISCONNECT, after which it does not.
    func close(_ code: CloseCode, reason: String) {
        switch code {
        case .malformed, .unauthorized, .forbidden, .replaced: disconnect()
        default: socket.end(.serverClosed, code: code.rawValue, text: reason)
        }
    }

    var queuedBytes: Int { socket.queuedBytes }
    var untakenBytes: Int { socket.untakenBytes }
    func whenDrained(to bytes: Int, _ action: @escaping () -> Void) { socket.whenDrained(to: bytes, action) }
    func recognize() { socket.recognize() }
    var frameSink: (any FrameSink)? { recovery.returning == nil ? socket.frameSink : nil }
    func pause() { socket.pause() }
    func resume() { socket.resume() }

    // MARK: The end

    func broken(_ reason: EngineIOCloseReason) {
        let ended = recovery.pid.map { ($0, session?.recovery.recoverable()) }
        let returning = recovery.returning
        recovery.end()
        // The session has left before its client finds it again.
        leave(reason: reason.text)
        if let (pid, session) = ended { context.services.recovery?.closed(pid.key, keeping: session) }
        if let returning { putBack(returning) }
    }

    func left() { leave(reason: "left the namespace") }

    private func leave(reason: String) {
        if let pid = recovery.pid { context.services.recovery?.closed(pid.key, keeping: nil) }
        recovery.end()
        session?.closed(reason: reason)
        session = nil
    }
}
