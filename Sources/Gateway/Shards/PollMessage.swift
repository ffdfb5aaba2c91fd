import Engine
import EventLoop
import WireProtocols

/// Messages between the shard where an Engine.IO request came in and the one its session lives on.
enum PollMessage: Sendable {
    case poll(UInt64, from: UInt16, EngineIORequest, HTTPRequest)
    case polled(UInt64, HTTPResponse)
    case pollAbandoned(UInt64, by: UInt16)
    case upgrade(EngineIORequest, HTTPRequest, Handover<DetachedConnection>)
}
