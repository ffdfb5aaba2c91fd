import ChatDomain

/// Gives the derived keys of this instance's users another lifetime, a slice with each heartbeat. The keys live for an hour, and
/// a round over all users takes half of that.
struct KeyRenewal {
    private static let roundLength: Duration = .seconds(30 * 60)
    private static let minimumSlice = 20

    private var waiting: [UserID] = []
    private var roundEnds = Moment(milliseconds: .min)

    /// - Parameters:
    ///   - heartbeat: the time until the next slice.
    ///   - users: those with a session here; read at the begin of a round.
    mutating func nextSlice(at now: Moment, heartbeat: Duration, users: () -> [UserID]) -> [UserID] {
        if waiting.isEmpty, now >= roundEnds {
            waiting = users()
            roundEnds = now + Self.roundLength
        }
        let slicesLeft = max((roundEnds - now).wholeMilliseconds / heartbeat.wholeMilliseconds, 1)
        let count = min(waiting.count, max(waiting.count / Int(slicesLeft), Self.minimumSlice))
        defer { waiting.removeLast(count) }
        return Array(waiting.suffix(count))
    }
}
