import ChatDomain

/// The way to a session's client: a raw WebSocket or an Engine.IO connection.
package protocol SessionChannel: AnyObject {
    /// Where the client comes from. Channels keep it and sessions do not, as some channels know it anyway and few sessions are asked.
    var origin: ClientOrigin { get }
    /// Takes bytes in the session's encoding. Droppable ones may be left out when the client does not keep up.
    func send(_ frames: [UInt8], isDroppable: Bool)
    /// The WebSocket, where frames in the session's encoding may go to it past the channel; nil where they may not.
    var frameSink: (any FrameSink)? { get }
    /// Bytes on their way to the client.
    var queuedBytes: Int { get }
    /// Those of them that wait for the client.
    var untakenBytes: Int { get }
    /// Calls `action` once, in a turn to come, when no more than `bytes` are queued.
    func whenDrained(to bytes: Int, _ action: @escaping () -> Void)
    /// Called once the client's user is known; until then only few bytes may wait for it.
    func recognize()
    /// Ends the connection; the error, if any, was sent before. `closed` of the session follows.
    func close(_ code: CloseCode, reason: String)
    /// Stops taking commands until `resume`, so that the client feels its own pace.
    func pause()
    func resume()
}

/// Where a client comes from, for operators and the user's other devices.
package struct ClientOrigin {
    /// The client's address as text.
    package let address: String?
    /// The client's program as it calls itself.
    package let userAgent: String?

    package init(address: String?, userAgent: String?) {
        self.address = address
        self.userAgent = userAgent
    }
}

/// A WebSocket that takes frames as they are.
package protocol FrameSink: AnyObject {
    func send(_ frames: [UInt8], isDroppable: Bool)
    /// Sends frames that may wait for others, and no longer than `limit`.
    func sendPatiently(_ frames: [UInt8], isDroppable: Bool, atMost limit: Duration)
}
