import ChatProtocol
import ChatDomain
import Engine
import EventLoop
import JSON
import Telemetry

/// How a shard takes connections, and how it ends.
extension ShardCore {
    /// What is looked after now and then, milliseconds apart.
    private static let sweepInterval: Int64 = 30_000

    func sweepPeriodically() {
        hub.sweep()
        services.users.sweep(at: now.monotonic)
        services.addresses.sweep(at: now.monotonic)
        services.limits.sweep(at: now.monotonic)
        loop.schedule(after: Self.sweepInterval) { [unowned self] in sweepPeriodically() }
    }

    func accept(_ descriptor: Int32, from peer: IPAddress) { engine.adopt(descriptor: descriptor, peer: peer) }

    func starved() {
        services.metrics.descriptorsExhausted.add()
        descriptorTrouble.warning("out of file descriptors: connections are dropped")
    }

    /// Every session is told, and then closed at a moment of its own.
    func drain(_ plan: DrainPlan) {
        let leaving = sessions.all
        for session in leaving {
            session.emit(
                "server_draining",
                EventJSON.object { out in
                    out.key("reconnectInMs")
                    out.integer(Int64.random(in: 0...plan.pause))
                })
        }
        for session in leaving {
            loop.schedule(after: Int64.random(in: 0...plan.spread)) {
                session.end(.restart, reason: "the server restarts")
            }
        }
    }

    func closeAll() {
        for connection in engine.allConnections { connection.close(code: CloseCode.restart.rawValue, reason: "") }
        engine.flush()
        internalEndpoint?.closeAll()
    }
}
