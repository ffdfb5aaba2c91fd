/// Keeps broken-off sessions until their clients come back.
///
/// Duties of every implementation:
/// - What is kept is given out once, to the first that asks, and not after its time.
/// - It is bounded: past its size the oldest go first. A client whose session is not found starts over; nothing is lost by that.
/// - Calls take effect in the order one caller made them.
public protocol RecoveryStore: Sendable {
    /// A failure is not reported: what could not be kept is not found.
    ///
    /// - Parameters:
    ///   - key: what the session is found by; it does not give away what its client has to show.
    ///   - span: how long to keep it.
    func keep(_ session: RecoverableSession, under key: String, for span: Duration)
    /// nil also where the store cannot say now.
    func take(_ key: String) async -> RecoverableSession?
    /// The user was logged out: nothing of theirs that was kept until now is given out any more.
    ///
    /// - Parameter span: how long sessions are kept.
    func forget(_ user: UserID, keptFor span: Duration)
}
