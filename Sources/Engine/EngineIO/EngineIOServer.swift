import Crypto
import EventLoop
public import WireProtocols

/// Takes the messages of one Engine.IO session.
public protocol EngineIOHandler: AnyObject {
    /// A text message; `range` is its content in `bytes`, valid only during the call.
    func received(text bytes: UnsafeRawBufferPointer, in range: Range<Int>, on socket: EngineIOSocket)
    func received(binary: [UInt8], on socket: EngineIOSocket)
    /// The session moved from polling to a WebSocket.
    func transportChanged(_ socket: EngineIOSocket)
    /// The session is over; called once.
    func closed(_ socket: EngineIOSocket, reason: EngineIOCloseReason)
}

/// The Engine.IO sessions of one loop, and their requests.
public final class EngineIOServer {
    let settings: Shared<EngineIOSettings>
    unowned let context: EngineContext
    let sidPrefix: String
    private let opened: (EngineIOSocket, HTTPRequest) -> Void
    private var sockets: [RandomID: EngineIOSocket] = [:]
    private var unflushed = TurnQueue<EngineIOSocket>()
    /// Sessions whose clients have not identified themselves; nil where no client has to.
    private var strangers: StrangerQueue?

    /// - Parameters:
    ///   - sidPrefix: the beginning of its session ids; it must name this loop, since requests for them may come in on any.
    ///   - maximumStrangers: how many sessions may be open whose clients have not identified themselves (see
    ///     `EngineIOSocket.recognize`); with one more the oldest ends. nil where no client has to.
    ///   - opened: called with a new session; sets its handler.
    public init(
        context: EngineContext, settings: EngineIOSettings, sidPrefix: String, maximumStrangers: Int? = nil,
        opened: @escaping (EngineIOSocket, HTTPRequest) -> Void
    ) {
        self.context = context
        self.settings = Shared(settings)
        self.sidPrefix = sidPrefix
        self.opened = opened
        strangers = maximumStrangers.map { StrangerQueue(limit: $0) }
    }

    /// The request, classified by method, query and headers; the loop its `sid` names has to take it.
    public static func classify(_ head: HTTPRequestHead) throws(EngineIORefusal) -> EngineIORequest {
        try EngineIORequest(
            method: head.method, query: head.target.rawQuery ?? "",
            isWebSocketUpgrade: head.asksToUpgrade(to: "websocket"))
    }

    /// The answer to a refused request: status 400 or 403 and the error of the Engine.IO protocol as JSON.
    public static func response(_ refusal: EngineIORefusal) -> HTTPResponse { .engineIO(refusal) }

    /// A request that belongs on this loop.
    ///
    /// - Parameter answer: called with the response, now or later; not called for a WebSocket that was taken.
    public func serve(
        _ kind: EngineIORequest, _ request: HTTPRequest, on connection: Connection,
        answer: @escaping (HTTPResponse, Connection) -> Void
    ) {
        switch kind {
        case .handshakeWebSocket, .upgrade:
            if let refusal = upgrade(kind, request, on: connection) { answer(refusal, connection) }
        default: handle(kind, request, HTTPResponder(for: connection, answer: answer))
        }
    }

    /// A request of a polling client.
    public func handle(_ kind: EngineIORequest, _ request: HTTPRequest, _ responder: HTTPResponder) {
        switch kind {
        case .handshakePolling:
            guard !context.isFull else { return responder.respond(context.problem(.tooManyConnections)) }
            let socket = open(over: .polling, request)
            responder.respond(.engineIO(payload: socket.openPacket))
        case .poll(let sid):
            guard let socket = socket(sid) else { return responder.respond(.engineIO(.unknownSession)) }
            socket.poll(responder)
        case .post(let sid):
            guard let socket = socket(sid) else { return responder.respond(.engineIO(.unknownSession)) }
            socket.post(request.body, responder)
        case .handshakeWebSocket, .upgrade:
            responder.respond(.engineIO(.badRequest))
        }
    }

    /// A WebSocket request; nil when it was taken, else the refusal.
    public func upgrade(
        _ kind: EngineIORequest, _ request: HTTPRequest, on connection: Connection
    ) -> HTTPResponse? {
        let handshake: WebSocketHandshake
        do throws(HTTPRefusal) {
            handshake = try WebSocketHandshake(request.head, deflate: connection.deflatePolicy)
        } catch {
            return HTTPResponse(status: error.status, fields: error.fields, body: EngineIORefusal.badRequest.body)
        }
        switch kind {
        case .upgrade(let sid):
            guard let socket = socket(sid) else { return .engineIO(.unknownSession) }
            connection.attachment = socket
            upgrade(connection, handshake, to: socket)
            socket.probe(on: connection)
        case .handshakeWebSocket:
            let socket = make(over: .webSocket)
            connection.attachment = socket
            upgrade(connection, handshake, to: socket)
            socket.open(on: connection)
            opened(socket, request)
        default: return .engineIO(.badRequest)
        }
        return nil
    }

    /// Without the connection's pings: the session has heartbeats of its own.
    private func upgrade(_ connection: Connection, _ handshake: WebSocketHandshake, to socket: EngineIOSocket) {
        connection.upgrade(
            handshake, subprotocol: handshake.subprotocol, handler: socket,
            maximumMessageBytes: settings.value.maxPayload, watchesLiveness: false)
    }

    private func open(over transport: EngineIOSession.Transport, _ request: HTTPRequest) -> EngineIOSocket {
        let socket = make(over: transport)
        opened(socket, request)
        return socket
    }

    private func make(over transport: EngineIOSession.Transport) -> EngineIOSocket {
        let socket = EngineIOSocket(id: .make(), over: transport, server: self)
        sockets[socket.id] = socket
        if let oldest = strangers?.add(socket.id) { sockets[oldest]?.end(.transportClosed) }
        return socket
    }

    private func socket(_ sid: String) -> EngineIOSocket? {
        guard sid.hasPrefix(sidPrefix), let id = RandomID(sid.dropFirst(sidPrefix.count)) else { return nil }
        return sockets[id]
    }

    var boundsStrangers: Bool { strangers != nil }

    func forgetStranger(_ socket: EngineIOSocket) { strangers?.remove(socket.id) }

    func forget(_ socket: EngineIOSocket) {
        sockets[socket.id] = nil
        forgetStranger(socket)
    }

    func flushLater(_ socket: EngineIOSocket) { unflushed.append(socket) }

    /// Answers held polls and ends sessions that are over. Called at the end of a loop turn.
    public func flushDirty() {
        while !unflushed.isEmpty {
            var batch = unflushed.take()
            for socket in batch { socket.flush() }
            unflushed.recycle(&batch)
        }
    }

    /// Whether `flushDirty` has something to do.
    public var hasDirty: Bool { !unflushed.isEmpty }
}
