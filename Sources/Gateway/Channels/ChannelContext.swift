import ChatCore
import ChatDomain
import Engine
import EventLoop
import JSON
import WireProtocols

/// The parts that the channels of one shard share: its loop, its part of the chat, and the settings of their protocols.
final class ChannelContext {
    /// Engine.IO sessions of one loop whose clients have not authenticated, at most.
    static let maximumStrangers = 1024

    let gateway: GatewayContext
    let loop: EventLoop
    let sessions: SessionRegistry
    let socketIOSettings: Shared<SocketIOSettings>
    let engineIOSettings: EngineIOSettings
    private let chatLoop: any LoopContext

    init(gateway: GatewayContext, loop: EventLoop, chat: ChatShard) {
        self.gateway = gateway
        self.loop = loop
        sessions = chat.sessions
        chatLoop = chat.context.loop
        let maximumBytes = gateway.configuration.engine.maximumMessageBytes
        var socketIO = SocketIOSettings()
        socketIO.maxPayload = maximumBytes
        socketIO.keepsAttachments = false
        socketIOSettings = Shared(socketIO)
        var engineIO = EngineIOSettings()
        engineIO.maxPayload = maximumBytes
        engineIOSettings = engineIO
    }

    var services: Services { gateway.services }
    var now: Now { chatLoop.now }
    /// For what clients send.
    var parser: JSONParser { sessions.parser }

    /// Runs `operation` off the loop, and `then` on it with the result.
    func run<Value: Sendable>(
        _ operation: @escaping @Sendable () async -> Value, then: @escaping (Value) -> Void
    ) {
        chatLoop.run(operation, then: then)
    }
}
