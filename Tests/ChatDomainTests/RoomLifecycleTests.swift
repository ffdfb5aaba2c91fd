import Testing

@testable import ChatDomain

/// The life of a room: when commands wait, and what the store is asked.
@Suite struct RoomLifecycleTests {
    private enum Command: LifecycleCommand, Equatable {
        case ask(Int)
        case join(UserID)
        case post(UserID)
        /// Came to its session at this millisecond.
        case queued(Int64)
        case leave

        var isAlwaysAllowed: Bool { self == .leave }
        var creation: RoomCreation? {
            switch self {
            case .join(let user): .byJoining(user)
            case .post(let user): .bySending(user)
            default: nil
            }
        }

        var since: Moment? { if case .queued(let since) = self { .at(since) } else { nil } }
        func waiting(since now: Moment) -> Self { self }
    }

    private typealias Life = RoomLifecycle<Command>

    private static let snapshot = RoomSnapshot(
        room: Room(id: "room", kind: .group, isPrivate: false, createdAt: Timestamp(milliseconds: 0)),
        participants: [], lastSequence: 0)
    private static let down = StoreError.unavailable(reason: "down")

    private var life = make()
    private var contact = Contact.always

    private static func make(_ id: RoomID = "room", createsGroups: Bool = true) -> Life {
        Life(id: id, policy: .init(isShared: true, createsGroups: createsGroups, storeTimeout: .seconds(5)))
    }

    /// What became of the command, in short.
    private mutating func say(_ command: Command, at now: Int64 = 0) -> [String] {
        switch life.received(command, contact: contact, at: .at(now)) {
        case .execute: ["execute"]
        case .refuse(let error): ["refuse \(error.code.rawValue)"]
        case .wait(let actions): names(actions)
        }
    }

    private func names(_ actions: [Life.Action]) -> [String] {
        actions.map { action in
            switch action {
            case .read(let number): "read \(number)"
            case .countCreation(let user): "count \(user)"
            case .create(let room, let participants, _, let number):
                "create \(room.kind) \(participants.map(\.value)) \(number)"
            case .open: "open"
            case .refresh: "refresh"
            case .failRefresh: "failRefresh"
            case .apply: "apply"
            case .close: "close"
            case .execute(let command): "execute \(command)"
            case .reconsider: "reconsider"
            case .dispatch(let command): "dispatch \(command)"
            case .refuse(let command, let error): "refuse \(command) \(error.code.rawValue)"
            case .resume(let reason): "resume \(reason)"
            case .forget: "forget"
            }
        }
    }

    private mutating func read(_ number: Int, _ result: Result<RoomSnapshot?, StoreError>, at now: Int64 = 0)
        -> [String]
    {
        names(life.didRead(number: number, result, at: .at(now)))
    }

    private mutating func count(_ refusal: ChatError? = nil) -> [String] {
        let now = Now(wall: Timestamp(milliseconds: 0), monotonic: .at(0))
        return names(life.didCountCreation(refusal: refusal, at: now))
    }

    private mutating func open() {
        _ = say(.ask(0))
        _ = read(1, .success(Self.snapshot))
        _ = life.reconsider(contact: contact, at: .at(0))
    }

    // MARK: Loading

    @Test mutating func commandsWaitUntilTheRoomIsLoaded() {
        #expect(say(.ask(1)) == ["read 1"])
        #expect(say(.ask(2)) == [])
        #expect(!life.isOpen && !life.isIdle)
        #expect(read(1, .success(Self.snapshot)) == ["open", "reconsider"])
        #expect(names(life.reconsider(contact: contact, at: .at(0))) == ["execute ask(1)", "execute ask(2)"])
        #expect(say(.ask(3)) == ["execute"])
        #expect(life.isIdle && life.deadline == nil)
    }

    @Test mutating func whatChangedWhileItWasReadIsReadAgain() {
        _ = say(.ask(1))
        #expect(names(life.received(.deleted, notice: nil, at: .at(0))) == [])
        #expect(read(1, .success(Self.snapshot)) == ["read 2"])
        #expect(read(1, .success(Self.snapshot)) == [], "an answer that comes twice")
        #expect(read(2, .success(Self.snapshot)) == ["open", "reconsider"])
    }

    @Test mutating func aStoreThatFailsRefusesAllThatWaits() {
        _ = say(.ask(1))
        _ = say(.leave)
        #expect(
            read(1, .failure(Self.down))
                == ["forget", "refuse ask(1) storage_unavailable", "refuse leave storage_unavailable"])
        #expect(say(.ask(2)) == ["refuse forbidden"])
    }

    @Test mutating func aStoreThatDoesNotAnswerIsNotWaitedForForever() {
        _ = say(.ask(1))
        #expect(life.deadline == .at(5000))
        #expect(life.tick(at: .at(4999)).isEmpty)
        #expect(names(life.tick(at: .at(5000))) == ["forget", "refuse ask(1) storage_unavailable"])
        #expect(read(1, .success(Self.snapshot), at: 6000) == [])
    }

    @Test mutating func commandsThatWaitAreBounded() {
        life = Life(
            id: "room",
            policy: {
                var policy = Life.Policy(isShared: false, createsGroups: true, storeTimeout: .seconds(5))
                policy.maximumWaiting = 2
                return policy
            }())
        for number in 1...2 { _ = say(.ask(number)) }
        #expect(say(.ask(3)) == ["refuse overloaded"])
    }

    // MARK: Creating

    @Test mutating func theFirstCommandThatMayCreateTheRoomDoes() {
        for command in [Command.ask(1), .join("ann"), .join("bob")] { _ = say(command) }
        #expect(read(1, .success(nil)) == ["count ann"])
        #expect(count(.init(.rateLimited, "slow")) == ["count bob"])
        #expect(
            count() == ["refuse ask(1) forbidden", "refuse join(ann) forbidden", #"create group ["bob"] 2"#])
        #expect(names(life.didCreate(number: 2, .success(Self.snapshot), at: .at(0))) == ["open", "reconsider"])
    }

    @Test mutating func aRoomThatNoCommandMayCreateIsNotThere() {
        life = Self.make(createsGroups: false)
        _ = say(.join("ann"))
        #expect(read(1, .success(nil)) == ["forget", "refuse join(ann) forbidden"])
        life = Self.make()
        _ = say(.post("ann"))
        #expect(read(1, .success(nil)) == ["forget", "refuse post(ann) forbidden"], "groups are created by joins")
    }

    @Test mutating func aDirectRoomIsCreatedByItsTwoUsersAlone() {
        life = Self.make("direct:ann:bob", createsGroups: false)
        for user in ["cat", "bob"] as [UserID] { _ = say(.post(user)) }
        #expect(read(1, .success(nil)) == ["count bob"])
        #expect(count() == ["refuse post(cat) forbidden", #"create direct ["ann", "bob"] 2"#])
    }

    @Test mutating func aUserThatMayCreateNoMoreRoomsIsRefused() {
        _ = say(.join("ann"))
        _ = read(1, .success(nil))
        #expect(count(.init(.rateLimited, "slow")) == ["forget", "refuse join(ann) rate_limited"])
    }

    // MARK: Verifying

    @Test mutating func withoutContactTheStoreIsAskedOnceForAllThatWait() {
        open()
        contact = Contact(since: .at(1), until: .at(100_000))
        #expect(say(.ask(1), at: 10) == ["read 2"])
        #expect(say(.ask(2), at: 11) == [] && say(.leave, at: 11) == [])
        #expect(read(2, .success(Self.snapshot), at: 12) == ["refresh", "execute ask(1)", "reconsider"])
        let rest = names(life.reconsider(contact: contact, at: .at(12)))
        #expect(rest == ["execute ask(2)", "execute leave"], "the read began after contact did")
    }

    @Test mutating func whatCannotBeVerifiedIsRefusedAndLeavingIsNot() {
        open()
        contact = Contact()
        #expect(say(.leave) == ["execute"])
        #expect(say(.ask(1)) == ["read 2"])
        for command in [Command.leave, .ask(2), .ask(3)] { #expect(say(command) == []) }
        #expect(read(2, .failure(Self.down)) == ["failRefresh", "refuse ask(1) storage_unavailable", "reconsider"])
        #expect(names(life.reconsider(contact: contact, at: .at(1))) == ["read 3"], "one read for those that are left")
        #expect(
            names(life.tick(at: .at(6000))) == [
                "failRefresh", "execute leave", "refuse ask(2) storage_unavailable",
                "refuse ask(3) storage_unavailable",
            ])
        #expect(life.isIdle)
    }

    /// A client's commands wait for one another: if each had its own time here, a store that is away would keep the last one from an
    /// answer for as many times as there are commands before it.
    @Test mutating func aCommandThatWaitedBehindOthersHasLessTime() {
        open()
        contact = Contact()
        #expect(say(.ask(1), at: 10_000) == ["read 2"])
        #expect(say(.queued(6000), at: 10_000) == [])
        #expect(life.deadline == .at(11_000), "though it came behind one that has longer")
        #expect(say(.queued(5000), at: 10_000) == ["refuse storage_unavailable"])
        #expect(names(life.tick(at: .at(11_000))) == ["refuse queued(6000) storage_unavailable"])
        #expect(read(2, .success(Self.snapshot), at: 12_000) == ["refresh", "execute ask(1)"])
    }

    @Test mutating func anOverdueCommandHasTheRoomLoadedAllTheSame() {
        #expect(say(.queued(0), at: 10_000) == ["read 1"])
        #expect(names(life.tick(at: .at(10_000))) == ["refuse queued(0) storage_unavailable"])
        #expect(read(1, .success(Self.snapshot), at: 10_100) == ["open", "reconsider"])
        #expect(life.isOpen)
    }

    /// However often the room is read again meanwhile.
    @Test mutating func aCommandWaitsNoLongerThanForOneAnswer() {
        open()
        contact = Contact()
        #expect(say(.ask(1)) == ["read 2"])
        #expect(say(.ask(2), at: 1000) == [])
        _ = life.received(.revised(.init(name: "x"), at: .init(milliseconds: 0)), notice: nil, at: .at(4000))
        #expect(read(2, .success(Self.snapshot), at: 4900) == ["read 3"])
        #expect(say(.leave, at: 4950) == [])
        #expect(life.deadline == .at(5000))
        #expect(names(life.tick(at: .at(5000))) == ["refuse ask(1) storage_unavailable"])
        #expect(names(life.tick(at: .at(6000))) == ["refuse ask(2) storage_unavailable"])
        #expect(names(life.tick(at: .at(9900))) == ["failRefresh", "reconsider"])
        #expect(names(life.reconsider(contact: contact, at: .at(9900))) == ["read 4"])
        #expect(names(life.tick(at: .at(9950))) == ["execute leave"])
    }

    // MARK: Changes

    private let notice = ChangeNotice(teller: InstanceID("one"), ticket: 7)

    @Test mutating func aChangeIsAppliedBeforeItIsAcknowledged() {
        open()
        let actions = life.received(.admitted("ann"), notice: notice, at: .at(0))
        #expect(names(actions) == ["apply", "resume \(RefreshReason.change(notice))"])
    }

    @Test mutating func anUnspecifiedChangeIsAcknowledgedOnceTheRoomWasRead() {
        open()
        #expect(names(life.received(.unspecified, notice: notice, at: .at(0))) == ["read 2"])
        #expect(
            names(life.received(.revised(.init(name: "x"), at: .init(milliseconds: 0)), notice: nil, at: .at(0))) == [
                "apply"
            ])
        #expect(read(2, .success(Self.snapshot)) == ["read 3"], "what was read may be from before the revision")
        #expect(read(3, .success(Self.snapshot)) == ["refresh", "resume \(RefreshReason.change(notice))"])
    }

    @Test mutating func textsAreForgottenBeforeTheRoomIsReadAgain() {
        open()
        let change = RoomChange.contentErased(needsResync: true)
        #expect(names(life.received(change, notice: notice, at: .at(0))) == ["apply", "read 2"])
        #expect(read(2, .success(Self.snapshot)) == ["refresh", "resume \(RefreshReason.change(notice))"])
        #expect(names(life.received(change, notice: nil, at: .at(0))) == ["apply", "read 3"])
    }

    @Test mutating func anExpulsionIsComparedWithTheStoreALittleLater() {
        open()
        _ = life.received(.expelled("ann"), notice: nil, at: .at(0))
        _ = life.received(.expelled("bob"), notice: nil, at: .at(500))
        #expect(!life.isIdle && life.deadline == .at(1000))
        #expect(names(life.tick(at: .at(1000))) == ["read 2"])
        #expect(read(2, .success(Self.snapshot)) == ["refresh"] && life.isIdle)
    }

    @Test mutating func aRefreshBeginsAfterItWasAskedFor() {
        open()
        #expect(names(life.refresh(for: .reconnection, at: .at(0))) == ["read 2"])
        #expect(names(life.refresh(for: .subscription, at: .at(0))) == [])
        #expect(read(2, .success(Self.snapshot)) == ["refresh", "resume reconnection", "read 3"])
        #expect(read(3, .failure(Self.down)) == ["failRefresh", "resume subscription"])
    }

    @Test mutating func aChangeThatCouldNotBeReadIsReadAgainUntilItIs() {
        open()
        #expect(names(life.received(.unspecified, notice: nil, at: .at(0))) == ["read 2"])
        #expect(read(2, .failure(Self.down), at: 100) == ["failRefresh"])
        #expect(!life.isIdle && life.deadline == .at(1100))
        #expect(names(life.tick(at: .at(1100))) == ["read 3"])
        #expect(read(3, .failure(Self.down), at: 1200) == ["failRefresh"])
        #expect(names(life.tick(at: .at(2200))) == ["read 4"])
        #expect(read(4, .success(Self.snapshot), at: 2300) == ["refresh"])
        #expect(life.isIdle && life.deadline == nil)
    }

    // MARK: Closing

    @Test mutating func aDeletedRoomPassesItsCommandsOnToTheNext() {
        open()
        contact = Contact()
        _ = say(.ask(1))
        _ = say(.ask(2))
        #expect(read(2, .success(nil)) == ["close"])
        #expect(
            names(life.didClose(isWriting: false, at: .at(0))) == ["forget", "dispatch ask(1)", "dispatch ask(2)"])
        #expect(names(life.didClose(isWriting: false, at: .at(0))) == [])
    }

    @Test mutating func commandsWaitForTheLastWriteOfADeletedRoom() {
        open()
        _ = life.refresh(for: .reconnection, at: .at(0))
        #expect(names(life.received(.deleted, notice: nil, at: .at(0))) == ["close"])
        #expect(names(life.didClose(isWriting: true, at: .at(0))) == ["resume reconnection"])
        #expect(life.isClosing && say(.ask(1)) == [])
        #expect(names(life.didFinishLastWrite()) == ["forget", "dispatch ask(1)"])
    }

    @Test mutating func aLastWriteThatIsNotAnsweredHoldsNoCommandForever() {
        open()
        _ = life.didClose(isWriting: true, at: .at(0))
        _ = say(.ask(1), at: 10)
        #expect(life.deadline == .at(5010))
        #expect(names(life.tick(at: .at(5010))) == ["refuse ask(1) storage_unavailable"])
        #expect(names(life.didFinishLastWrite()) == ["forget"])
    }

    @Test mutating func aRoomThatIsNotOpenRefreshesNothing() {
        #expect(names(life.refresh(for: .reconnection, at: .at(0))) == ["resume reconnection"])
    }
}
