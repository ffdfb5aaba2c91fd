import ChatDomain
import RedisLink

/// What the directory's machine asks of its caller.
enum DirectoryAction {
    case send(DirectoryRequest)
    /// Send this before the next that is sent, or together with others a little later.
    case sendSoon(DirectoryRequest)
    /// Call the handler.
    case deliver(DirectoryEvent)
    /// Answer the caller of `connect`: these sessions must give way.
    case completeConnect(ticket: UInt64, evicted: [SessionRecord])
    /// Answer the callers of `load`.
    case completeLoad(tickets: [UInt64])
    case setContact(Contact)
    case warn(RedisError)
    /// This instance has left Redis as far as it can.
    case finishClosing
}
