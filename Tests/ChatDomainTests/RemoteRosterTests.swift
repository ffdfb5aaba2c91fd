import Testing

@testable import ChatDomain

@Suite struct RemoteRosterTests {
    private let one = InstanceID("one")
    private let two = InstanceID("two")
    private var roster = RemoteRoster()

    private func names(_ users: [RoomUser]) -> Set<UserID> { Set(users.map(\.userID)) }

    @Test mutating func aUserOnSeveralInstancesIsOneUser() {
        let first = roster.add(.ann, of: one)
        let again = roster.add(.ann, of: one)
        let elsewhere = roster.add(.ann, of: two)
        #expect((first, again, elsewhere) == (true, false, false))
        #expect(roster.count == 1)
        #expect(roster.remove("ann", of: one) == nil)
        #expect(roster.contains("ann"))
        #expect(roster.remove("ann", of: two) == .ann)
        #expect(roster.isEmpty)
    }

    @Test mutating func noInstanceSpeaksForAnother() {
        _ = roster.add(.ann, of: one)
        #expect(roster.remove("ann", of: two) == nil)
        #expect(roster.remove("bob", of: one) == nil)
        #expect(roster.contains("ann"))
    }

    @Test mutating func aRosterReplacesEarlierNews() {
        _ = roster.add(.ann, of: one)
        _ = roster.add(.bob, of: one)
        _ = roster.add(.bob, of: two)
        let (gone, new) = roster.replace([.bob, .cat], of: one)
        #expect((gone, new) == ([.ann], [.cat]))
        let (none, silent) = roster.replace([], of: one)
        #expect((none, silent) == ([.cat], []))
        #expect(roster.count == 1 && roster.contains("bob"))
    }

    @Test mutating func aDeadInstanceTakesOnlyItsOwnUsersAlong() {
        for user in [RoomUser.ann, .bob] { _ = roster.add(user, of: one) }
        _ = roster.add(.bob, of: two)
        #expect(roster.drop(one) == [.ann])
        #expect(roster.drop(one) == [])
        #expect(roster.contains("bob"))
    }

    @Test mutating func anInstanceThatSpeaksIsDoubtedNoLonger() {
        _ = roster.add(.ann, of: one)
        _ = roster.add(.bob, of: two)
        roster.doubtEverybody()
        _ = roster.replace([.bob], of: two)
        #expect(roster.dropDoubtful() == [.ann])
        #expect(roster.dropDoubtful() == [])
        #expect(roster.contains("bob"))
    }

    @Test mutating func aListHoldsEachUserOnce() {
        for user in [RoomUser.ann, .bob, .cat] {
            _ = roster.add(user, of: one)
            _ = roster.add(user, of: two)
        }
        #expect(names(roster.list(limit: 10) { _ in true }) == ["ann", "bob", "cat"])
        #expect(names(roster.list(limit: 10) { $0 != "bob" }) == ["ann", "cat"])
        #expect(roster.list(limit: 2) { _ in true }.count == 2)
    }
}
