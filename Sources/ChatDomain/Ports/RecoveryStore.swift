/// Keeps broken-off sessions until their clients come back.
///
/// Duties of every implementation:
/// - What is kept is given out once, to the first who asks, and not after its time.
/// - It is bounded: past its size the oldest go first. Whoever is not found starts over; nothing is lost by that.
/// - Calls take effect in the order one caller made them.
public protocol RecoveryStore: Sendable {
    /// May fail without a word: what could not be kept is not found.
    ///
    /// - Parameters:
    ///   - key: what the session is found by; it does not give away what its client has to show.
    ///   - milliseconds: how long to keep it.
    func keep(_ session: RecoverableSession, under key: String, for milliseconds: Int64)
    /// nil also where it cannot be told now.
    func take(_ key: String) async -> RecoverableSession?
    /// The user was logged out: nothing of theirs that was kept until now is given out any more.
    ///
    /// - Parameter milliseconds: how long sessions are kept.
    func forget(_ user: UserID, keptFor milliseconds: Int64)
}
