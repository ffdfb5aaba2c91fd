/// Who types, and how the others hear of it.
extension LiveRoom {
    public mutating func setTyping(
        _ session: SessionAddress, isTyping: Bool, at now: Moment
    ) -> Result<[RoomEffect], ChatError> {
        guard let user = members.user(of: session) else { return .failure(.notJoined) }
        let isNews = typists.set(user, isTyping: isTyping, at: now)
        // Others end it by themselves too, so they hear of repeats.
        let share = isNews || isTyping ? [RoomEffect.share(.typing(user, isTyping: isTyping))] : []
        return .success(isNews ? announceTyping(user, isTyping: isTyping, at: now) + share : share)
    }

    mutating func stopTyping(_ user: RoomUser, at now: Moment) -> [RoomEffect] {
        guard typists.set(user, isTyping: false, at: now) else { return [] }
        return announceTyping(user, isTyping: false, at: now)
    }

    /// Ends the typing of a user of this instance, for those on others too.
    mutating func endTyping(_ user: RoomUser, at now: Moment) -> [RoomEffect] {
        guard typists.set(user, isTyping: false, at: now) else { return [] }
        return announceTyping(user, isTyping: false, at: now) + [.share(.typing(user, isTyping: false))]
    }

    /// At once, but in a big room together with what else changes within a second.
    mutating func announceTyping(_ user: RoomUser, isTyping: Bool, at now: Moment) -> [RoomEffect] {
        guard online > limits.announcedUsers || !typingNews.isEmpty else {
            return [.announce(.typing(user, isTyping: isTyping), except: user.userID)]
        }
        typingNews.note(user, isTyping: isTyping, at: now)
        return []
    }
}
