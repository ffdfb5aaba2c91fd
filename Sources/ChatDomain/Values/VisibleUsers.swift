/// The users that exist for a viewer.
public struct VisibleUsers: Hashable, Sendable {
    /// The only users that may be shown; nil for everybody.
    public var only: Set<UserID>?
    /// Users that are out of sight in any case.
    public var except: Set<UserID> = []

    public static let everybody = Self()

    public init(only: Set<UserID>? = nil, except: Set<UserID> = []) {
        self.only = only
        self.except = except
    }

    /// The same with one more user that may be shown.
    public func with(_ user: UserID?) -> Self {
        guard let user, let only else { return self }
        return Self(only: only.union([user]), except: except)
    }

    public func contains(_ user: UserID) -> Bool { !except.contains(user) && only?.contains(user) ?? true }
}
