import ChatCore
import Engine

/// A connection that became a WebSocket takes broadcasts past its channel.
extension Connection: FrameSink {}
