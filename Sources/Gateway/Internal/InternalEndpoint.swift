import ChatCore
import ChatProtocol
import ChatDomain
import Crypto
import Engine
import EventLoop
import Telemetry
import WireProtocols

/// The port for other services: Socket.IO behind the service key. Services are few, so one loop serves them all.
final class InternalEndpoint: EngineHandler {
    private let shard: ShardCore
    private let engine: EngineContext
    private lazy var engineIO = makeEngineIO()

    init(shard: ShardCore) throws(TLSError) {
        self.shard = shard
        let gateway = shard.gateway
        engine = try EngineContext(
            loop: shard.loop, configuration: gateway.configuration.engine, metrics: gateway.engineMetrics,
            logger: gateway.services.logger)
        engine.handler = self
    }

    private func makeEngineIO() -> EngineIOServer {
        EngineIOServer(
            context: engine, settings: shard.engineIOSettings,
            sidPrefix: "\(shard.services.configuration.instance)-internal-",
            maximumStrangers: ShardCore.maximumStrangers,
            opened: { [unowned shard] socket, request in
                socket.handler = ServiceChannel(
                    socket: socket, shard: shard, address: shard.gateway.client(of: request),
                    shownKey: request.head.headers["X-Service-Key"])
            })
    }

    func accept(_ descriptor: Int32, from peer: IPAddress) { engine.adopt(descriptor: descriptor, peer: peer) }

    func received(_ request: HTTPRequest, on connection: Connection) {
        shard.gateway.metrics.requests.add()
        let head = request.head
        let configuration = shard.gateway.configuration
        let verdict = configuration.origins.judge(head)
        guard !configuration.internalBelievesLoopbackNamesOnly || shard.isBelieved(head, verdict) else {
            return shard.answer(Problem.response(.foreignHost), verdict, to: connection)
        }
        guard shard.isEngineIO(head) else {
            let error = ChatError(.notFound, "this port serves Socket.IO at /socket.io/ only")
            return shard.answer(Problem.response(error), verdict, to: connection)
        }
        if head.method == "OPTIONS" {
            return shard.answer(configuration.origins.preflight(verdict, head), verdict, to: connection)
        }
        if shard.services.readiness.isDraining {
            return shard.answer(Problem.response(.draining), verdict, to: connection)
        }
        do throws(EngineIORefusal) {
            guard verdict != .refused else { throw .forbidden }
            let kind = try EngineIOServer.classify(head)
            engineIO.serve(kind, request, on: connection) { [unowned shard] response, connection in
                shard.answer(response, verdict, to: connection)
            }
        } catch {
            shard.answer(EngineIOServer.response(error), verdict, to: connection)
        }
    }

    func abandoned(_ connection: Connection) { shard.abandoned(connection) }
    func response(to refusal: HTTPRefusal) -> HTTPResponse { shard.response(to: refusal) }

    // MARK: With the loop

    /// Whether a turn has more to do here.
    var hasDirty: Bool { engine.hasPausedToResume || engineIO.hasDirty }

    func flushDirty() {
        engine.resumePaused()
        engineIO.flushDirty()
    }

    func flush() { engine.flush() }

    func closeAll() {
        for connection in engine.allConnections { connection.close(code: CloseCode.restart.rawValue, reason: "") }
        engine.flush()
    }
}
