import Testing

@testable import ChatDomain

/// Values that stores, buses and clients exchange.
@Suite struct ValueTests {
    @Test func aPageTakesItsFirstPieceWhateverItWeighs() {
        var budget = PageBudget(bytes: 10)
        // After the first piece that is not taken, none is.
        let taken = [25, 1, 0].map { budget.takes($0) }
        #expect(taken == [true, false, false])
        #expect(budget.isSpent)
        budget = PageBudget(bytes: 10)
        let fitting = [4, 6].map { budget.takes($0) }
        #expect(fitting == [true, true])
        #expect(!budget.isSpent)
    }

    @Test func aPlaceInAListOfRoomsSurvivesItsText() {
        let place = RoomListCursor(activity: Timestamp(milliseconds: 5), room: "a:b")
        #expect(RoomListCursor(text: place.text) == place)
        #expect(place.precedes(.init(activity: Timestamp(milliseconds: 4), room: "a")), "the latest first")
        #expect(place.precedes(.init(activity: Timestamp(milliseconds: 5), room: "b")) && !place.precedes(place))
        #expect(RoomListCursor.start.precedes(place))
        for text in ["", "5", "5:", "x:a", "5:a\0"] { #expect(RoomListCursor(text: text) == nil, "\(text)") }
    }

    @Test func aRoomIsSeenWithItsParticipantsWhereTheyAreFew() {
        let many = Set((0...RoomInfo.participantLimit).map { UserID(unchecked: "u\($0)") })
        #expect(LiveRoom.open(participants: many).info(by: "ann").participants == nil)
        let info = LiveRoom.closed(to: ["bob", "ann"]).info(by: "eve")
        #expect(info.participants == ["ann", "bob"] && !info.isAdmitted && info.room.id == "room")
    }

    @Test func roomsAreUnreadFromTheReadMarkOn() {
        var room = Room(id: "room", kind: .group, isPrivate: false, createdAt: Timestamp(milliseconds: 7))
        room.historyBase = 4
        let snapshot = RoomSnapshot(room: room, participants: [], lastSequence: 9)
        let summary = RoomSummary(snapshot: snapshot, lastMessage: nil, lastReadSequence: 0)
        #expect(summary.unread == 5, "messages of an earlier room are unreachable")
        #expect(RoomSummary(snapshot: snapshot, lastMessage: nil, lastReadSequence: 8).unread == 1)
        #expect(summary.cursor == RoomListCursor(activity: Timestamp(milliseconds: 7), room: "room"))
    }

    @Test func aDeploymentHasANameThatFitsAChannel() {
        #expect(DeploymentID("prod-1.eu_west")?.value == "prod-1.eu_west")
        for text in ["", "a b", "ü", String(repeating: "x", count: DeploymentID.maximumLength + 1)] {
            #expect(DeploymentID(text) == nil, "\(text)")
        }
        #expect(DeploymentID(redisDatabase: 2, store: "chat/db").value == "2-chat_db")
    }

    @Test func storesSayWhyTheyFailed() {
        #expect(StoreError.unavailable(reason: "x").reason == "x" && StoreError.rejected(reason: "y").reason == "y")
        #expect(BrokerError.denied(reason: "x").description.contains("sign-in"))
    }

    @Test(arguments: CloseCode.allCases) func closeCodesAreOfTheStandardsRanges(_ code: CloseCode) {
        #expect((1000...1015).contains(code.rawValue) || (4000...4999).contains(code.rawValue))
    }
}
