import ChatProtocol
import ChatDomain
import Engine
import ChatCore
import WireProtocols

/// Engine.IO requests. The port belongs to all loops, a session to one: its id names it, and a request that comes in
/// elsewhere is passed on. Only WebSockets move with their sockets; polls are answered where they came in.
extension ShardCore {
    func makeEngineIO() -> EngineIOServer {
        EngineIOServer(
            context: engine, settings: channels.engineIOSettings,
            sidPrefix: "\(services.configuration.instance)-\(index)-",
            maximumStrangers: ChannelContext.maximumStrangers,
            opened: { [unowned self] socket, request in
                let address = gateway.client(of: request)
                let handshake = (try? CallerResolver.credentials(request.head)) ?? Credentials()
                socket.handler = SocketIOChannel(
                    socket: socket, context: channels, address: address, handshake: handshake,
                    shownKey: request.head.headers["X-Service-Key"])
            })
    }

    func receivedEngineIO(_ request: HTTPRequest, _ verdict: OriginPolicy.Verdict, on connection: Connection) {
        do throws(EngineIORefusal) {
            guard verdict != .refused else { throw .forbidden }
            let kind = try EngineIOServer.classify(request.head)
            switch kind {
            case .handshakePolling, .handshakeWebSocket:
                if services.readiness.isDraining {
                    return gateway.answer(Problem.response(.draining), verdict, to: connection)
                }
                serve(kind, request, verdict, on: connection)
            case .poll(let sid), .post(let sid), .upgrade(let sid):
                guard let owner = owner(of: sid) else { throw .unknownSession }
                guard owner == index else { return passOn(kind, request, verdict, from: connection, to: owner) }
                serve(kind, request, verdict, on: connection)
            }
        } catch {
            gateway.logRefusal("\(error)", of: request)
            gateway.answer(EngineIOServer.response(error), verdict, to: connection)
        }
    }

    private func serve(
        _ kind: EngineIORequest, _ request: HTTPRequest, _ verdict: OriginPolicy.Verdict, on connection: Connection
    ) {
        engineIO.serve(kind, request, on: connection) { [unowned self] in gateway.answer($0, verdict, to: $1) }
    }

    /// The shard a session id names; nil for another instance's id or none of any.
    private func owner(of sid: String) -> UInt16? {
        let parts = sid.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count >= 3, let shard = UInt16(parts[parts.count - 2]), Int(shard) < services.shardCount,
            parts.dropLast(2).joined(separator: "-") == services.configuration.instance.value
        else { return nil }
        return shard
    }

    // MARK: Between loops

    private func passOn(
        _ kind: EngineIORequest, _ request: HTTPRequest, _ verdict: OriginPolicy.Verdict, from connection: Connection,
        to owner: UInt16
    ) {
        if case .upgrade = kind {
            guard let moving = connection.detach() else { return connection.abort() }
            return polls.pass(kind, request, moving: moving, to: owner)
        }
        let responder = HTTPResponder(for: connection) { [unowned self] in gateway.answer($0, verdict, to: $1) }
        polls.pass(kind, request, from: connection, to: owner, answering: responder)
    }

    func openPolls() { polls.drainMailbox(into: engineIO, of: engine) }
}
