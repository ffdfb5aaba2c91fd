import Testing

@testable import ChatDomain

/// Who may do what in a room, and to whom.
@Suite struct RoomAuthorityTests {
    private var authority = RoomAuthority([RoomStanding(.moderator, of: "mod", since: .at(0))])
    private var room = Room(id: "room", kind: .group, isPrivate: false, owner: "own", createdAt: .at(0))
    private let direct = Room(id: "direct:a:b", kind: .direct, isPrivate: true, createdAt: .at(0))

    private func refusal(
        _ kind: RoomStanding.Kind, _ user: UserID, by actor: UserID?, isService: Bool = false
    ) -> ChatError.Code? {
        authority.refusal(of: kind, about: user, by: RoomActor(user: actor, isService: isService), in: room)?.code
    }

    @Test func roles() {
        #expect(authority.role(of: "own", in: room) == .owner)
        #expect(authority.role(of: "mod", in: room) == .moderator)
        #expect(authority.role(of: "bob", in: room) == .member)
    }

    @Test func moderatorsBanAndMuteMembersOnly() {
        for kind in [RoomStanding.Kind.ban, .mute] {
            #expect(refusal(kind, "bob", by: "mod") == nil)
            #expect(refusal(kind, "mod", by: "mod") == .forbidden)
            #expect(refusal(kind, "own", by: "mod") == .conflict)
            #expect(refusal(kind, "bob", by: "cat") == .forbidden)
            #expect(refusal(kind, "bob", by: nil) == .forbidden)
        }
    }

    @Test func theOwnerAndServicesStandAboveModerators() {
        #expect(refusal(.ban, "mod", by: "own") == nil)
        #expect(refusal(.ban, "mod", by: nil, isService: true) == nil)
        #expect(refusal(.ban, "own", by: nil, isService: true) == .conflict)
        #expect(refusal(.ban, "own", by: "own") == .conflict)
    }

    @Test mutating func onlyTheOwnerAndServicesAppoint() {
        #expect(refusal(.moderator, "bob", by: "own") == nil)
        #expect(refusal(.moderator, "bob", by: "mod") == .forbidden)
        #expect(refusal(.moderator, "bob", by: nil, isService: true) == nil)
        authority.apply(.set(.ban, "bob", until: nil))
        #expect(refusal(.moderator, "bob", by: "own") == .conflict)
    }

    @Test func directRoomsHaveNone() {
        let actor = RoomActor(user: "a", isService: true)
        #expect(authority.refusal(of: .ban, about: "b", by: actor, in: direct)?.code == .badRequest)
    }

    @Test mutating func aBanEndsARole() {
        authority.apply(.set(.ban, "mod", until: .at(10)))
        #expect(authority.moderators == [] && authority.isBanned("mod"))
        authority.lift(at: .at(9))
        #expect(authority.isBanned("mod"))
        authority.lift(at: .at(10))
        #expect(!authority.isBanned("mod") && authority.moderators == [])
    }

    @Test mutating func eachStandingHasAnEndOfItsOwn() {
        authority.apply(.set(.ban, "a", until: nil))
        authority.apply(.set(.mute, "b", until: .at(20)))
        authority.apply(.set(.ban, "c", until: .at(10)))
        authority.lift(at: .at(15))
        #expect(authority.isBanned("a") && authority.isMuted("b") && !authority.isBanned("c"))
        authority.lift(at: .at(1_000_000_000_000))
        #expect(authority.isBanned("a") && !authority.isMuted("b"))
        authority.apply(.cleared(.ban, "a"))
        #expect(!authority.isBanned("a"))
    }

    @Test mutating func readOnlyRoomsTakeMessagesOfOwnerAndModerators() {
        room.isReadOnly = true
        #expect(authority.refusalOfMessage(by: "own", in: room) == nil)
        #expect(authority.refusalOfMessage(by: "mod", in: room) == nil)
        #expect(authority.refusalOfMessage(by: "bob", in: room)?.code == .forbidden)
        authority.apply(.set(.mute, "mod", until: nil))
        #expect(authority.refusalOfMessage(by: "mod", in: room)?.code == .muted)
    }

    @Test mutating func handingOver() {
        #expect(authority.refusalOfOwner("bob", in: room, isParticipant: true) == nil)
        #expect(authority.refusalOfOwner("bob", in: room, isParticipant: false)?.code == .conflict)
        #expect(authority.refusalOfOwner("a", in: direct, isParticipant: true)?.code == .badRequest)
        authority.apply(.set(.ban, "bob", until: nil))
        #expect(authority.refusalOfOwner("bob", in: room, isParticipant: true)?.code == .conflict)
    }

    @Test mutating func aBlockInADirectRoomStopsMessagesOfOneSide() {
        authority.apply(.blocked("b"))
        #expect(authority.refusalOfMessage(by: "b", in: direct)?.code == .forbidden)
        #expect(authority.refusalOfMessage(by: "a", in: direct) == nil)
        authority.apply(.unblocked("b"))
        #expect(authority.refusalOfMessage(by: "b", in: direct) == nil)
    }

    /// What `MessageRules` grant without an edit window.
    private func granted(_ request: ChangeRequest, to user: UserID, isService: Bool = false) -> ChangeAuthority? {
        let actor = RoomActor(user: user, isService: isService)
        return try? MessageRules().authority(for: request, actor, authority, in: room, at: .at(0)).get()
    }

    @Test mutating func moderatorsDeleteAndPinMessagesOfOthers() {
        for user in ["own", "mod"] as [UserID] {
            #expect(granted(.delete, to: user) == .anyMessage && granted(.pin(true), to: user) == .anyMessage)
        }
        #expect(granted(.delete, to: "bob") == .ownMessages(since: nil) && granted(.pin(true), to: "bob") == nil)
        #expect(granted(.delete, to: "bob", isService: true) == .anyMessage)
        // A muted user takes messages back, and neither edits nor reacts.
        authority.apply(.set(.mute, "bob", until: nil))
        let edit = ChangeRequest.edit(MessageEdit(text: "text"))
        #expect(granted(.delete, to: "bob") != nil && granted(edit, to: "bob") == nil)
        #expect(granted(edit, to: "own") == .ownMessages(since: nil))
    }

    @Test func cursorsOfFlags() {
        let place = MessageFlag.Place(message: MessageID(high: 1, low: 2), user: "a:b")
        #expect(MessageFlag.Place(text: place.text) == place)
        for text in ["", ":", "x:y", "000000000000000100000002", "000000000000000100000002:"] {
            #expect(MessageFlag.Place(text: text) == nil)
        }
    }
}

extension Timestamp {
    fileprivate static func at(_ milliseconds: Int64) -> Self { Self(milliseconds: milliseconds) }
}
