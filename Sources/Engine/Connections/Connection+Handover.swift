import Crypto
public import EventLoop

/// A connection on its way to another loop, with the request it waits to have answered.
public struct DetachedConnection {
    let descriptor: Int32
    let peer: IPAddress
    let tls: TLSSession?
    let exchange: HTTPExchange
    let leftover: [UInt8]
}

extension Connection {
    /// Takes the connection off this loop while its request is unanswered; nil when it is past that.
    public func detach() -> Handover<DetachedConnection>? {
        guard case .http(let exchange) = phase, exchange.isAnswering, let tls = releaseSocket() else { return nil }
        return Handover(
            DetachedConnection(
                descriptor: tls.descriptor, peer: peer, tls: tls.session, exchange: exchange, leftover: tls.leftover))
    }
}

extension EngineContext {
    /// Goes on with a connection of another loop; its request is to be answered here.
    public func adopt(_ handover: Handover<DetachedConnection>) -> Connection? {
        let detached = handover.value
        guard let socket = Socket(descriptor: detached.descriptor, loop: loop) else { return nil }
        let connection = Connection(socket: socket, resuming: detached, context: self)
        register(connection)
        return connection
    }
}
