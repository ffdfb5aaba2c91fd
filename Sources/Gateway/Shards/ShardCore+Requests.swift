import ChatCore
import ChatProtocol
import ChatDomain
import Engine
import EventLoop
import Identity
import Telemetry
import WireProtocols

/// A shard's answers to HTTP requests: upgrades, and routes.
extension ShardCore: EngineHandler {
    func bodyRule(for head: HTTPRequestHead) -> HTTPBodyRule {
        // Most requests have no body, and need no look at their path yet.
        guard head.framing != .none, let files = services.files, case .route(let match) = reading(of: head).aim,
            match.route?.takesStream == true
        else { return .collected }
        return .streamed(maximumBytes: FileUpload.maximumBodyBytes(files, contentType: head.headers["Content-Type"]))
    }

    private func reading(of head: HTTPRequestHead) -> RequestReading {
        let origins = gateway.origins
        if let kept = head.attachment as? RequestReading, kept.origins == origins { return kept }
        let reading = RequestReading(
            head, origins, believesLoopbackNamesOnly: gateway.configuration.believesLoopbackNamesOnly,
            match: { router.match($0, $1) })
        head.attachment = reading
        return reading
    }

    func received(_ request: HTTPRequest, on connection: Connection) {
        gateway.metrics.requests.add()
        let reading = reading(of: request.head)
        let verdict = reading.verdict
        do throws(ChatError) {
            try countConnection(request, on: connection)
            guard reading.isBelieved else { throw .foreignHost }
            switch reading.aim {
            case .engineIO: receivedEngineIO(request, verdict, on: connection)
            case .webSocket: try upgrade(request, verdict, connection)
            case .preflight: gateway.answer(gateway.origins.preflight(verdict, request.head), verdict, to: connection)
            case .route(let match): try receivedCall(request, match, verdict, on: connection)
            case .malformedPath:
                try checkOrigin(of: request, verdict)
                throw .badRequest("the path is not valid")
            }
        } catch {
            refuse(request, error, verdict, on: connection)
        }
    }

    private func receivedCall(
        _ request: HTTPRequest, _ match: RouteMatch, _ verdict: OriginPolicy.Verdict, on connection: Connection
    ) throws(ChatError) {
        let head = request.head
        try checkOrigin(of: request, verdict)
        guard match.readsCredentials else { return try serve(request, by: Caller(), match, verdict, on: connection) }
        let address = gateway.client(of: request)
        switch try CallerResolver(gateway: gateway).resolve(head, from: address, now: now) {
        case .known(var caller):
            caller.address = address
            try serve(request, by: caller, match, verdict, on: connection)
        case .pending(let pending):
            // Every client can make tokens that another server has to look at.
            try gateway.addresses.countCall(from: address, at: now.monotonic)
            serve(request, by: pending, match, verdict, on: connection)
        }
    }

    /// A page of a refused origin cannot read answers, but it could still change something.
    private func checkOrigin(of request: HTTPRequest, _ verdict: OriginPolicy.Verdict) throws(ChatError) {
        let method = request.head.method
        if verdict == .refused, method != "GET", method != "HEAD" { throw .foreignOrigin }
    }

    private func refuse(
        _ request: HTTPRequest, _ error: ChatError, _ verdict: OriginPolicy.Verdict, on connection: Connection
    ) {
        gateway.logRefusal(error.code.rawValue, of: request)
        if error.code == .unauthorized { noteRefusedLogin(request) }
        gateway.answer(Problem.response(error), verdict, to: connection)
    }

    /// A wrong key or token on a call that manages the fleet is recorded in the audit trail.
    private func noteRefusedLogin(_ request: HTTPRequest) {
        let head = request.head
        guard head.path?.hasPrefix("/internal/") == true,
            head.headers["X-Service-Key"] != nil || head.headers["Authorization"] != nil
        else { return }
        services.audit.recordRefusedLogin(from: "\(gateway.client(of: request))")
    }

    func abandoned(_ connection: Connection) {
        switch connection.attachment {
        case let poll as HTTPResponder: poll.abandoned()
        case let poll as PassedPoll: poll.abandoned()
        default: break
        }
    }

    func response(to refusal: HTTPRefusal) -> HTTPResponse { gateway.response(to: refusal) }

    // MARK: Routes

    private func serve(
        _ request: HTTPRequest, by pending: PendingIdentification, _ match: RouteMatch,
        _ verdict: OriginPolicy.Verdict, on connection: Connection
    ) {
        channels.run({ await pending.result() }) { [unowned self] result in
            do throws(ChatError) {
                let identity = try result.flatMap(services.admit).get()
                var caller = CallerResolver(gateway: gateway).caller(identity, of: request.head)
                caller.address = gateway.client(of: request)
                try serve(request, by: caller, match, verdict, on: connection)
            } catch {
                refuse(request, error, verdict, on: connection)
            }
        }
    }

    private func serve(
        _ request: HTTPRequest, by caller: Caller, _ match: RouteMatch, _ verdict: OriginPolicy.Verdict,
        on connection: Connection
    ) throws(ChatError) {
        if !caller.isService, match.countsAsCall(request.head.method) {
            try countCall(of: caller, from: gateway.client(of: request))
        }
        switch try router.begin(request.head, body: request.body, by: caller, match) {
        case .now(let answer): deliver(answer, to: request, verdict, on: connection)
        case .later(let rest):
            run(
                onLoop: match.route?.runsOnLoop ?? false,
                { () async -> Result<RESTAnswer, ChatError> in
                    do throws(ChatError) { return .success(try await rest()) } catch { return .failure(error) }
                }
            ) { [unowned self] result in
                switch result {
                case .success(let answer): deliver(answer, to: request, verdict, on: connection)
                case .failure(let error): refuse(request, error, verdict, on: connection)
                }
            }
        }
    }

    private func deliver(
        _ answer: RESTAnswer, to request: HTTPRequest, _ verdict: OriginPolicy.Verdict, on connection: Connection
    ) {
        switch answer {
        case .whole(let response): gateway.answer(response, verdict, to: connection)
        case .upload(let reader):
            let pump = UploadPump(reader, of: request, on: connection, channels) { [unowned self] in
                gateway.answer($0, verdict, to: $1)
            }
            if request.isStreamed { connection.receiveBody(pump) } else { pump.receivedEnd() }
        case .download(let response, let range, let read):
            let pump = DownloadPump(range, on: connection, channels, read: read)
            gateway.answer(response, length: range.count, from: pump, verdict, to: connection)
        }
    }

    // MARK: Limits

    /// Counts a connection once, by the address of the client behind a trusted proxy. A polling session is a connection too:
    /// one socket may carry any number of them.
    private func countConnection(_ request: HTTPRequest, on connection: Connection) throws(ChatError) {
        let isProxy = gateway.configuration.isTrustedProxy(request.peer)
        let isFirst = connection.attachment == nil
        if isFirst { connection.attachment = self }
        // Behind a proxy one connection carries many clients, so that their sessions are counted instead.
        let begins = isProxy ? request.head.asksToUpgrade(to: "websocket") : isFirst
        guard begins || opensPolling(request.head) else { return }
        let address = gateway.client(of: request)
        guard let wait = gateway.addresses.countConnection(from: address, at: now.monotonic) else { return }
        gateway.metrics.connectionsRefused.add()
        connection.closeAfterAnswer()
        throw ChatError(.rateLimited, "too many connections from this address", retryAfter: wait)
    }

    private func countCall(of caller: Caller, from address: IPAddress) throws(ChatError) {
        if let user = caller.user { return try services.limits.countCall(of: user.userID, at: now.monotonic) }
        try gateway.addresses.countCall(from: address, at: now.monotonic)
    }

    private func opensPolling(_ head: HTTPRequestHead) -> Bool {
        guard head.isEngineIO, let kind = try? EngineIOServer.classify(head) else { return false }
        return kind == .handshakePolling
    }

    // MARK: Upgrades

    private func upgrade(
        _ request: HTTPRequest, _ verdict: OriginPolicy.Verdict, _ connection: Connection
    ) throws(ChatError) {
        let head = request.head
        let framing: RawFraming
        switch head.path {
        case "/": framing = .event
        case "/ws": framing = .type
        default: throw ChatError(.notFound, "there is no WebSocket at this path")
        }
        if verdict == .refused { throw .foreignOrigin }
        guard !services.readiness.isDraining else { throw .draining }
        let handshake: WebSocketHandshake
        do throws(HTTPRefusal) {
            handshake = try WebSocketHandshake(head, deflate: connection.deflatePolicy)
        } catch {
            gateway.logRefusal("\(error.status)", of: request)
            connection.closeAfterAnswer()
            return gateway.answer(Problem.response(error), verdict, to: connection)
        }
        var credentials = try CallerResolver.credentials(head)
        if let key = head.headers["X-Service-Key"] {
            try gateway.check(serviceKey: key, from: gateway.client(of: request), at: now.monotonic)
            credentials.isService = true
        }
        let origin = ClientOrigin(address: "\(gateway.client(of: request))", userAgent: credentials.userAgent)
        let channel = RawChannel(connection: connection, origin: origin)
        connection.attachment = channel
        connection.upgrade(handshake, subprotocol: handshake.subprotocol, handler: channel)
        channel.open(framing, in: channels.sessions, handshake: credentials)
    }
}

extension ChatError {
    static let foreignHost = Self(
        .forbidden,
        "in trusted mode a server on loopback is called by a loopback name; list another name's origin in CORS_ORIGIN")
    static let foreignOrigin = Self(.forbidden, "this origin is not on the list")
    static let draining = Self(
        .overloaded, "this instance is shutting down; connect again", retryAfter: .seconds(1))
}
