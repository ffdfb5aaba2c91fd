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
    private let context: ChannelContext
    private let engine: EngineContext
    private lazy var engineIO = makeEngineIO()

    init(context: ChannelContext) throws(TLSError) {
        self.context = context
        let gateway = context.gateway
        engine = try EngineContext(
            loop: context.loop, configuration: gateway.configuration.engine, metrics: gateway.engineMetrics,
            logger: gateway.services.logger)
        engine.handler = self
    }

    func replaceTLSCredentials(_ credentials: TLSCredentials) throws(TLSError) {
        try engine.replaceTLSCredentials(credentials)
    }

    private func makeEngineIO() -> EngineIOServer {
        EngineIOServer(
            context: engine, settings: context.engineIOSettings,
            sidPrefix: "\(context.services.configuration.instance)-internal-",
            maximumStrangers: ChannelContext.maximumStrangers,
            opened: { [unowned context] socket, request in
                socket.handler = ServiceChannel(
                    socket: socket, context: context, address: context.gateway.client(of: request),
                    shownKey: request.head.headers["X-Service-Key"])
            })
    }

    func forgetHeads() { engine.forgetHeads() }

    func accept(_ descriptor: Int32, from peer: IPAddress) { engine.adopt(descriptor: descriptor, peer: peer) }

    func received(_ request: HTTPRequest, on connection: Connection) {
        context.gateway.metrics.requests.add()
        let head = request.head
        let configuration = context.gateway.configuration
        let verdict = context.gateway.origins.judge(head)
        guard
            !configuration.internalBelievesLoopbackNamesOnly
                || context.gateway.origins.believes(host: head.headers["Host"], verdict)
        else {
            return context.gateway.answer(Problem.response(.foreignHost), verdict, to: connection)
        }
        guard head.isEngineIO else {
            let error = ChatError(.notFound, "this port serves Socket.IO at /socket.io/ only")
            return context.gateway.answer(Problem.response(error), verdict, to: connection)
        }
        if head.method == "OPTIONS" {
            return context.gateway.answer(context.gateway.origins.preflight(verdict, head), verdict, to: connection)
        }
        if context.services.readiness.isDraining {
            return context.gateway.answer(Problem.response(.draining), verdict, to: connection)
        }
        do throws(EngineIORefusal) {
            guard verdict != .refused else { throw .forbidden }
            let kind = try EngineIOServer.classify(head)
            engineIO.serve(kind, request, on: connection) { [unowned context] response, connection in
                context.gateway.answer(response, verdict, to: connection)
            }
        } catch {
            context.gateway.answer(EngineIOServer.response(error), verdict, to: connection)
        }
    }

    func abandoned(_ connection: Connection) { (connection.attachment as? HTTPResponder)?.abandoned() }
    func response(to refusal: HTTPRefusal) -> HTTPResponse { context.gateway.response(to: refusal) }

    // MARK: With the loop

    /// Whether a turn has more to do here.
    var hasDirty: Bool { engine.hasUndecoded || engineIO.hasDirty }

    func flushDirty() {
        engine.decodePending()
        engineIO.flushDirty()
    }

    func flush() { engine.flush() }

    func closeAll() {
        for connection in engine.allConnections { connection.close(code: CloseCode.restart.rawValue, reason: "") }
        engine.flush()
    }
}
