import Engine
import EventLoop
import Telemetry
import WireProtocols

/// One loop with its listener and its engine.
actor Host {
    nonisolated let loop: EventLoop
    private let timeouts: Timeouts
    private var engine: EngineContext?
    private var listener: Listener?
    private var endpoints: Endpoints?

    init(loop: EventLoop, timeouts: Timeouts) {
        self.loop = loop
        self.timeouts = timeouts
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    func listen(port: UInt16) throws {
        var configuration = EngineConfiguration()
        configuration.maximumMessageBytes = 16 << 20
        configuration.maximumBodyBytes = 1_000_000
        configuration.hardOutputLimit = 64 << 20
        configuration.softOutputLimit = 64 << 20
        configuration.pollingOutputLimit = 64 << 20
        configuration.deflateThreshold = 0
        configuration.deflateCeiling = .max
        let engine = try EngineContext(
            loop: loop, configuration: configuration, metrics: EngineMetrics(MetricsRegistry()), logger: .disabled)
        let endpoints = Endpoints(context: engine, timeouts: timeouts)
        engine.handler = endpoints
        loop.turnEnd = { [unowned engine, unowned endpoints] in
            engine.decodePending()
            endpoints.flushDirty()
            engine.flush()
        }
        self.engine = engine
        self.endpoints = endpoints
        let loopback = IPAddress(high: 0, low: 0xFFFF_7F00_0001)
        listener = try Listener(
            on: loop, address: loopback, port: port, shared: false,
            accepted: { [unowned engine] descriptor, peer in engine.adopt(descriptor: descriptor, peer: peer) })
    }
}

/// Gives each request to the endpoint of its path.
final class Endpoints: EngineHandler {
    private let engineIO: EngineIOServer
    private let socketIO: EngineIOServer

    init(context: EngineContext, timeouts: Timeouts) {
        var settings = EngineIOSettings()
        settings.pingInterval = timeouts.pingInterval
        settings.pingTimeout = timeouts.pingTimeout
        settings.maxPayload = 1_000_000
        let loop = context.loop
        engineIO = EngineIOServer(
            context: context, settings: settings, sidPrefix: "conformance-0-",
            opened: { socket, _ in socket.handler = EngineIOEcho() })
        socketIO = EngineIOServer(
            context: context, settings: settings, sidPrefix: "conformance-0-",
            opened: { socket, _ in
                socket.handler = SocketIOEcho(socket: socket, loop: loop, connectTimeout: timeouts.connectTimeout)
            })
    }

    func received(_ request: HTTPRequest, on connection: Connection) {
        switch request.head.target.rawPath {
        case "/engine.io/": serve(engineIO, request, connection)
        case "/socket.io/": serve(socketIO, request, connection)
        case "/echo": echo(request, connection)
        default: connection.respond(HTTPResponse(status: 404))
        }
    }

    private func serve(_ server: EngineIOServer, _ request: HTTPRequest, _ connection: Connection) {
        do throws(EngineIORefusal) {
            let kind = try EngineIOServer.classify(request.head)
            server.serve(kind, request, on: connection) { $1.respond($0) }
        } catch {
            connection.respond(EngineIOServer.response(error))
        }
    }

    private func echo(_ request: HTTPRequest, _ connection: Connection) {
        do throws(HTTPRefusal) {
            let handshake = try WebSocketHandshake(request.head, deflate: connection.deflatePolicy)
            let echo = Echo()
            connection.attachment = echo
            connection.upgrade(handshake, handler: echo)
        } catch {
            connection.closeAfterAnswer()
            connection.respond(HTTPResponse(status: error.status, fields: error.fields))
        }
    }

    func abandoned(_ connection: Connection) { (connection.attachment as? HTTPResponder)?.abandoned() }

    func response(to refusal: HTTPRefusal) -> HTTPResponse {
        HTTPResponse(status: refusal.status, fields: refusal.fields)
    }

    /// Answers held polls at the end of a loop turn.
    func flushDirty() {
        engineIO.flushDirty()
        socketIO.flushDirty()
    }
}

/// Sends every message back.
final class Echo: WebSocketHandler {
    func received(text: UnsafeRawBufferPointer, isPadded: Bool, on connection: Connection) {
        connection.sendMessage(Array(text), isText: true)
    }

    func received(binary: UnsafeRawBufferPointer, on connection: Connection) {
        connection.sendMessage(Array(binary), isText: false)
    }

    func closed(_ connection: Connection, code: UInt16?) {}
}
