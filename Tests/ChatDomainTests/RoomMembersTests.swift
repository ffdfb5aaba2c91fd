import Testing

@testable import ChatDomain

@Suite struct RoomMembersTests {
    private var members = RoomMembers()

    @Test mutating func aUserWithSeveralSessionsIsOneUser() {
        #expect(members.join(.ann, session: .slot(1)) == .firstSession)
        #expect(members.join(.ann, session: .slot(2)) == .anotherSession)
        #expect(members.join(.ann, session: .slot(2)) == .already)
        #expect(members.count == 1)
        #expect(members.sessions.count == 2)
        #expect(members.leave(.slot(1), grace: nil) == .sessionsRemain)
        #expect(members.leave(.slot(1), grace: nil) == .notHere)
        #expect(members.leave(.slot(2), grace: nil) == .gone(.ann))
        #expect(members.isEmpty)
        #expect(members.sessions.isEmpty)
    }

    @Test mutating func whoseLastSessionBreaksOffStaysForTheGracePeriod() {
        _ = members.join(.ann, session: .slot(1))
        #expect(members.leave(.slot(1), grace: .at(5000)) == .inGrace)
        #expect(members.count == 1)
        #expect(!members.contains(.slot(1)))
        #expect(members.contains("ann"))
        #expect(members.nextDeparture == .at(5000))
        #expect(members.depart(at: .at(4999)).isEmpty)
        #expect(members.depart(at: .at(5000)) == [.ann])
        #expect(members.isEmpty)
        #expect(members.nextDeparture == nil)
    }

    @Test mutating func aUserThatReturnsWithinTheGracePeriodNeverLeft() {
        _ = members.join(.ann, session: .slot(1))
        _ = members.leave(.slot(1), grace: .at(5000))
        #expect(members.join(.ann, session: .slot(2)) == .anotherSession)
        #expect(members.nextDeparture == nil)
        #expect(members.depart(at: .at(9000)).isEmpty)
        #expect(members.leave(.slot(2), grace: nil) == .gone(.ann))
    }

    @Test mutating func onlyTheLastSessionStartsTheGracePeriod() {
        _ = members.join(.ann, session: .slot(1))
        _ = members.join(.ann, session: .slot(2))
        #expect(members.leave(.slot(1), grace: .at(1)) == .sessionsRemain)
        #expect(members.nextDeparture == nil)
    }

    @Test mutating func removingAUserNamesTheSessions() {
        _ = members.join(.ann, session: .slot(1))
        _ = members.join(.ann, session: .slot(2))
        _ = members.join(.bob, session: .slot(3))
        #expect(members.remove("ann") == [.slot(1), .slot(2)])
        #expect(members.remove("ann").isEmpty)
        #expect(members.leave(.slot(1), grace: nil) == .notHere)
        #expect(members.user(of: .slot(3)) == .bob)
        #expect(members.count == 1)
    }

    @Test mutating func departuresComeInAnyNumber() {
        for number in 0..<10 {
            _ = members.join(.number(number), session: .slot(number))
            _ = members.leave(.slot(number), grace: .at(Int64(number)))
        }
        #expect(Set(members.depart(at: .at(4)).map(\.userID.value)) == ["u0", "u1", "u2", "u3", "u4"])
        #expect(members.nextDeparture == .at(5))
        #expect(members.count == 5)
    }

    @Test mutating func theListIsBoundedAndShowsTheNewestName() {
        for number in 0..<10 { _ = members.join(.number(number), session: .slot(number)) }
        #expect(members.list(limit: 4).count == 4)
        #expect(members.list(limit: 100).count == 10)
        _ = members.join(RoomUser(userID: "u0", username: "Renamed"), session: .slot(100))
        #expect(members.user(of: .slot(0))?.username == "Renamed")
    }
}

extension RoomMembers.Left: Equatable {
    public static func == (a: Self, b: Self) -> Bool {
        switch (a, b) {
        case (.notHere, .notHere), (.sessionsRemain, .sessionsRemain), (.inGrace, .inGrace): true
        case (.gone(let a), .gone(let b)): a == b
        default: false
        }
    }
}

@Suite struct TypingBoardTests {
    private var board = TypingBoard()

    @Test mutating func onlyChangesShow() {
        #expect(board.set(.ann, isTyping: true, at: .at(0)) == true)
        #expect(board.set(.ann, isTyping: true, at: .at(1)) == false)
        #expect(board.set(.ann, isTyping: false, at: .at(2)) == true)
        #expect(board.set(.ann, isTyping: false, at: .at(3)) == false)
        #expect(board.isEmpty)
        #expect(board.nextExpiry == nil)
    }

    @Test mutating func endsByItselfAfterSixSeconds() {
        _ = board.set(.ann, isTyping: true, at: .at(0))
        _ = board.set(.bob, isTyping: true, at: .at(1000))
        #expect(board.nextExpiry == .at(6000))
        #expect(board.expire(at: .at(5999)).isEmpty)
        #expect(board.expire(at: .at(6000)) == [.ann])
        #expect(board.nextExpiry == .at(7000))
    }

    @Test mutating func repeatsProlong() {
        _ = board.set(.ann, isTyping: true, at: .at(0))
        _ = board.set(.ann, isTyping: true, at: .at(4000))
        #expect(board.expire(at: .at(6000)).isEmpty)
        #expect(board.expire(at: .at(10_000)) == [.ann])
        #expect(board.isEmpty)
    }
}
