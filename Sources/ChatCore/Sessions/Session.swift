import ChatProtocol
import ChatDomain
import Identity
import JSON
import Telemetry

/// One client connection as the chat sees it: its user, its rooms, and its requests under way.
///
/// `presence` shows it to other users and watches them for it; `recovery` has its client's data to continue elsewhere.
///
/// What runs for every session holds it strongly until its answer comes, which has a deadline: an object with a weak reference
/// counts its references by a slower way from then on, and each delivery does so.
package final class Session {
    typealias Request = RequestQueue.Request

    /// Bytes a client may leave untaken and still have a large answer made.
    private static let maximumUntaken = 64 * 1024
    /// Bad frames or requests in a row before the connection is ended.
    static let maximumBadInputs: UInt8 = 10

    /// On the heap, because many sessions have none.
    private indirect enum HandshakeClaim {
        case none
        case token(String)
    }

    // There are very many sessions: small fields stand together, so that none costs more than its size.
    package let registry: SessionRegistry
    package let id: SessionID
    package let address: SessionAddress
    package private(set) var encoding: FrameEncoding
    let isRaw: Bool
    /// Whether the service key was shown.
    let isService: Bool
    private(set) var isClosed = false
    let connectedAt: Timestamp
    let channel: any SessionChannel
    private(set) var identity: Identity?
    /// A large answer waits for the client to take what is queued, or for its turn.
    private var isHeld = false
    private var badInputs: UInt8 = 0
    private let handshakeClaim: HandshakeClaim
    package private(set) var rooms = SmallSet<RoomID>()
    var presenceState: PresenceSession.State
    var recoveryState = RecoverySession.State()
    private(set) var requests: RequestQueue
    private var rate: ConnectionRate
    /// Why the server ended the connection, if it did.
    private var ending: Ending?
    /// Authentication in time, or the token's expiry.
    private var timer: LoopTimer?

    init(
        registry: SessionRegistry, id: SessionID, address: SessionAddress, channel: any SessionChannel,
        encoding: FrameEncoding, isRaw: Bool, handshake: Credentials
    ) {
        self.registry = registry
        self.id = id
        self.address = address
        self.channel = channel
        self.encoding = encoding
        self.isRaw = isRaw
        handshakeClaim = handshake.token.map { .token($0) } ?? .none
        isService = handshake.isService
        let now = registry.context.now
        connectedAt = now.wall
        presenceState = .init(connectedAt: now)
        requests = RequestQueue(pipelines: registry.context.services.hook == nil)
        rate = ConnectionRate(messageRate: registry.context.services.users.messageRate, at: now.monotonic)
    }

    package var presence: PresenceSession { PresenceSession(session: self) }
    package var recovery: RecoverySession { RecoverySession(session: self) }
    /// The token of the handshake; used by a claim without one of its own.
    var handshakeToken: String? { if case .token(let token) = handshakeClaim { token } else { nil } }
    var user: RoomUser? { identity.map { RoomUser(userID: $0.userID, username: $0.username) } }

    var context: ShardContext { registry.context }

    // MARK: Coming in

    /// Takes one event from the client.
    package func receive(event: String, data: JSONElement?, tag: RequestTag?) {
        let services = context.services
        services.metrics.commands.add()
        do throws(ChatError) {
            try rate.count(messageRate: services.users.messageRate, at: context.now.monotonic)
            let command = try CommandDecoder.decode(
                event: event, data: data, isFlat: encoding.isFlat, limits: services.configuration.commands)
            badInputs = 0
            if command.isActivity { presence.noteActivity(isHeartbeat: command.isHeartbeat) }
            submit(Request(event: event, command: command, tag: tag, since: context.now.monotonic))
        } catch {
            refuse(error, event: event, tag: tag)
            noteBadInput(error)
        }
    }

    /// Refuses what was not even an event; under its tag, where one could be found.
    package func receivedMalformed(_ error: ChatError, tag: RequestTag?) {
        refuse(error, event: nil, tag: tag)
        noteBadInput(error)
    }

    /// A message more than the user's rate allows. A client that continues after many refusals is disconnected.
    func noteRateRefusal() { rate.noteRefusal(at: context.now.monotonic) }

    func endIfAbusive() {
        if rate.isAbusive { end(.rateLimited, reason: "rate limit exceeded repeatedly") }
    }

    private func noteBadInput(_ error: ChatError) {
        switch error.code {
        case .rateLimited: endIfAbusive()
        case .badFrame, .badRequest, .unknownEvent:
            badInputs = min(badInputs + 1, Self.maximumBadInputs)
            if badInputs == Self.maximumBadInputs { end(.malformed, reason: "too many malformed frames") }
        default: break
        }
    }

    private func submit(_ request: Request) {
        if requests.mayStart(request, takesMore: takesMore) {
            start(request)
        } else if !requests.wait(request) {
            let error = ChatError(.overloaded, "too many requests wait on this connection")
            return refuse(error, event: request.event, tag: request.tag)
        }
        if requests.isFull { channel.pause() }
    }

    /// Whether a large answer may be made now. Otherwise the requests that wait are started later, once it may: nothing is queued for a
    /// client faster than it reads, and the loop's other clients have their time in between.
    private func takesMore() -> Bool {
        guard !isHeld else { return false }
        let mark = min(Self.maximumUntaken, context.services.configuration.softOutputLimit)
        if channel.queuedBytes > mark {
            isHeld = true
            channel.whenDrained(to: mark) { [weak self] in self?.startHeld() }
        } else if context.slices.isSpent {
            isHeld = true
            context.slices.run { [weak self] in self?.startHeld() }
        }
        return !isHeld
    }

    private func startHeld() {
        isHeld = false
        startWaiting()
    }

    /// Notes a request that will be answered from elsewhere; the number to finish it by.
    func begin(_ request: Request) -> UInt32 { requests.begin(request) }

    /// Ends a request that was under way; nil for one that is not any more.
    func finish(_ number: UInt32) -> Request? { requests.finish(number) }

    /// Starts the requests that waited for one that is done.
    func startWaiting() {
        while !isClosed, let next = requests.takeNext(takesMore: takesMore) { start(next) }
        if !requests.isFull { channel.resume() }
    }

    // MARK: State

    /// The framing is decided by the client's first frame. Called before the session is in any room.
    package func setEncoding(_ encoding: FrameEncoding) { self.encoding = encoding }

    /// Takes an identity, verified or believed.
    func setIdentity(_ identity: Identity) { self.identity = identity }

    func insert(_ room: RoomID) { rooms.insert(room) }

    /// The room's traffic no longer comes to this session.
    func remove(_ room: RoomID) {
        rooms.remove(room)
        registry.localRooms.remove(self, from: room)
    }

    /// Whether the room was shown to the session, so that it receives the room's traffic.
    func isShown(_ room: RoomID) -> Bool { registry.localRooms.contains(self, in: room) }

    /// Runs `action` after `span`, instead of what was scheduled before.
    func reschedule(after span: Duration, _ action: @escaping () -> Void) {
        cancelTimer()
        timer = context.loop.schedule(after: span, action)
    }

    func cancelTimer() {
        if let timer { context.loop.cancel(timer) }
        timer = nil
    }

    // MARK: Going out

    /// Takes a broadcast in the form this session needs.
    @inline(__always)
    func deliver(_ frames: EncodedFrames, isDroppable: Bool) {
        let form = frames[encoding]
        // Made before the rooms learned that this session needs another form.
        let bytes = form.isEmpty ? frames.framedPackets(for: encoding) : form
        channel.send(bytes, isDroppable: isDroppable)
    }

    /// The channel's sink changed: broadcasts take the new one from now on.
    package func refreshInRooms() {
        for room in rooms { registry.localRooms.refresh(self, in: room) }
    }

    /// The transport changed: from now on this form is needed.
    package func reencode(_ encoding: FrameEncoding) {
        self.encoding = encoding
        refreshInRooms()
        for room in rooms {
            context.post(.room(room, .reencode(address, encoding)), to: context.services.home(of: room))
        }
    }

    func emit(_ event: StaticString, _ data: [UInt8], isDroppable: Bool = false) {
        var out: [UInt8] = []
        EncodedFrames.append(encoding.envelope(event, data: data), as: encoding, deflate: context.deflate, to: &out)
        context.slices.spend(out.count)
        channel.send(out, isDroppable: isDroppable)
    }

    /// Answers a request that asked for it.
    ///
    /// - Parameter name: the member that holds data that is no object, in flat frames.
    func reply(_ tag: RequestTag?, _ data: @autoclosure () -> [UInt8], under name: StaticString = "data") {
        guard let tag else { return }
        var out: [UInt8] = []
        let envelope = encoding.answer(tag, data: data(), under: name)
        EncodedFrames.append(envelope, as: encoding, deflate: context.deflate, to: &out)
        context.slices.spend(out.count)
        channel.send(out, isDroppable: false)
    }

    /// Refuses a request: as its answer when it asked for one, else by an `error` event.
    package func refuse(_ error: ChatError, event: String?, tag: RequestTag?) {
        context.services.metrics.refusals.add()
        context.services.logger.debug(
            "request refused",
            [
                "session": id.value, "user": identity?.userID.value, "event": event.flatMap(Self.loggable),
                "code": error.code.rawValue,
            ])
        if tag != nil { return reply(tag, EventJSON.refusal(error)) }
        emit("error", EventJSON.error(error, event: event, isFlat: encoding.isFlat, at: context.now.wall))
    }

    /// An event's name for a log; nil for what no event is called, which may be anything.
    private static func loggable(_ event: String) -> String? {
        let isName = event.utf8.count <= 32 && event.utf8.allSatisfy { 0x61...0x7A ~= $0 || $0 == 0x5F }
        return isName ? event : nil
    }

    // MARK: The end

    /// Ends the connection; the error, if any, was sent before.
    ///
    /// - Parameter reason: goes to the client and to the log.
    package func end(_ code: CloseCode, reason: String) {
        if ending == nil { ending = Ending(code: code, reason: reason) }
        channel.close(code, reason: reason)
    }

    /// Called once by the channel, whichever side ended the connection.
    ///
    /// - Parameters:
    ///   - code: the close code, where the connection has one.
    ///   - reason: what the log says where the session did not end the connection itself.
    package func closed(code: UInt16? = nil, reason: String) {
        guard !isClosed else { return }
        isClosed = true
        context.services.logger.debug(
            "session closed",
            [
                "session": id.value, "user": identity?.userID.value, "code": ending?.code.rawValue ?? code,
                "reason": ending?.reason ?? reason,
                "seconds": (context.now.wall.milliseconds - connectedAt.milliseconds) / 1000,
            ])
        cancelTimer()
        requests.removeAll()
        registry.forget(self)
    }
}

/// Why the server ended a connection. An object, because few sessions have one.
private final class Ending {
    let code: CloseCode
    let reason: String

    init(code: CloseCode, reason: String) {
        self.code = code
        self.reason = reason
    }
}
