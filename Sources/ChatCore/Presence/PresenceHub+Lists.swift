import ChatDomain

/// Lists of online users, read from the directory a page at a time.
extension PresenceHub {
    package func onlineCount(for viewer: PresenceViewer) async -> Int {
        guard let visible = viewer.visible else {
            return max(0, await directory.onlineCount() - (await countOnline(viewer.hidden)))
        }
        return await countOnline(visible)
    }

    private func countOnline(_ users: Set<UserID>) async -> Int {
        users.isEmpty ? 0 : await presence(of: Array(users)).values.count { $0.status.isOnline }
    }

    /// Whether the list of online users holds this user.
    package func lists(_ user: UserID, for viewer: PresenceViewer) async -> Bool {
        guard viewer.lists(user) else { return false }
        return await presence(of: [user])[user]?.status.isOnline == true
    }

    /// A page of the users that others see online, ordered by id.
    ///
    /// - Parameter withOwn: whether the viewer is listed too, hidden or not, as the viewer's own devices see it.
    package func online(
        _ page: PresencePage, for viewer: PresenceViewer, withOwn: Bool = false
    ) async -> OnlinePage {
        var slice = await slice(page, for: viewer)
        if withOwn, let user = viewer.user, let own = await presence(of: [user])[user] {
            slice.insert(own, into: page, isCounted: viewer.visible == nil && own.status.isOnline)
        }
        var budget = PageBudget()
        var views: [PresenceView] = []
        for presence in slice.users.prefix(page.limit) {
            let view = PresenceView(current(presence), for: withOwn ? viewer.user : nil)
            guard budget.takes(view.encodedBytes) else { break }
            views.append(view)
        }
        let isWhole = views.count == slice.users.count
        return OnlinePage(
            views: views, next: isWhole ? slice.next : views.last?.user.userID ?? slice.next, count: slice.count)
    }

    private func slice(_ page: PresencePage, for viewer: PresenceViewer) async -> OnlineSlice {
        guard let visible = viewer.visible else {
            var slice = await directory.online(after: page.cursor, limit: page.limit)
            guard !viewer.hidden.isEmpty else { return slice }
            slice.users.removeAll { viewer.hidden.contains($0.user.userID) }
            slice.count = max(0, slice.count - (await countOnline(viewer.hidden)))
            return slice
        }
        let present = await presence(of: visible.filter { $0 != viewer.user })
        let online = present.values.filter(\.status.isOnline)
        let rest = online.filter { presence in page.cursor.map { $0 < presence.user.userID } ?? true }
            .sorted { $0.user.userID < $1.user.userID }
        let shown = rest.prefix(page.limit)
        return OnlineSlice(
            users: Array(shown), next: shown.count < rest.count ? shown.last?.user.userID : nil, count: online.count)
    }

    /// What is kept here knows better when a user was last seen.
    private func current(_ presence: UserPresence) -> UserPresence {
        guard let kept = self.presence(of: presence.user.userID), kept.lastSeen > presence.lastSeen else {
            return presence
        }
        var current = presence
        current.lastSeen = kept.lastSeen
        return current
    }
}

/// A part of the list of online users.
package struct OnlinePage: Sendable {
    package var views: [PresenceView]
    /// The cursor of the next page; nil at the end.
    package var next: UserID?
    /// How many the list holds.
    package var count: Int
}

extension OnlinePage {
    /// Takes in what changed while the page was read.
    mutating func apply(_ changes: [UserID: UserPresence], after cursor: UserID?, for viewer: PresenceViewer) {
        for (user, presence) in changes where viewer.lists(user) {
            let place = views.map(\.user.userID).place(of: user)
            let isListed = place < views.count && views[place].user.userID == user
            let view = PresenceView(presence, for: nil)
            if isListed {
                views[place] = view
                guard !view.isOnline else { continue }
                views.remove(at: place)
                count -= 1
            } else if view.isOnline, cursor.map({ $0 < user }) ?? true, next.map({ user < $0 }) ?? true {
                views.insert(view, at: place)
                count += 1
            }
        }
    }
}

extension OnlineSlice {
    /// Lists the viewer too, where the viewer's place is in this page.
    fileprivate mutating func insert(_ own: UserPresence, into page: PresencePage, isCounted: Bool) {
        if !isCounted { count += 1 }
        let user = own.user.userID
        let isBehindCursor = page.cursor.map { $0 < user } ?? true
        let isBeforeNext = next.map { user < $0 } ?? true
        guard isBehindCursor, isBeforeNext else { return }
        let place = users.map(\.user.userID).place(of: user)
        if place == users.count || users[place].user.userID != user { users.insert(own, at: place) }
    }
}

extension PresenceNews {
    /// The status before. Where the announcement does not have it, the user came or went.
    var assumedBefore: PresenceStatus { before ?? (presence.status.isOnline ? .offline : .online) }
}
