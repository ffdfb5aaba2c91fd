/// Keeps broken-off sessions until their clients come back.
///
/// Duties of every implementation:
/// - What is kept is given out once, to the first who asks, and not after its time.
/// - It is bounded: past its size the oldest go first. Whoever is not found starts over; nothing is lost by that.
public protocol RecoveryStore: Sendable {
    /// - Parameters:
    ///   - key: the private id only the client knows. It must not reach a log.
    ///   - milliseconds: how long to keep it.
    func keep(_ session: RecoverableSession, under key: String, for milliseconds: Int64)
    func take(_ key: String) async -> RecoverableSession?
}
