import ChatDomain

/// One message rate for a user on all instances, without a round trip on a message's way.
extension Services {
    /// How long usage gathers before it is reported to other instances.
    private static let reportDelay = Duration.milliseconds(100)
    private static let usersPerMessage = 1000

    /// Counts a message; the time to wait when it is one too many.
    package func countMessage(of user: UserID, at now: Moment) -> Duration? {
        switch users.countMessage(of: user, at: now) {
        case .allowed: return nil
        case .allowedWithReport:
            reportUsageSoon()
            return nil
        case .tooFast(let wait): return wait
        }
    }

    private func reportUsageSoon() { clock.schedule(after: Self.reportDelay) { [self] in reportUsage() } }

    private func reportUsage() {
        let usages = users.takeUnreportedUsage().map { UserUsage(user: $0, count: $1) }
        guard bus != nil else { return }
        for start in stride(from: 0, to: usages.count, by: Self.usersPerMessage) {
            let slice = Array(usages[start..<min(start + Self.usersPerMessage, usages.count)])
            presence.directory.send(InstanceMessage.usage(slice).encoded, to: nil)
        }
    }

    /// Takes what users spent on another instance.
    package func note(_ usages: [UserUsage]) {
        let now = clock.now.monotonic
        for spending in usages { users.noteUsageElsewhere(spending.count, of: spending.user, at: now) }
    }
}
