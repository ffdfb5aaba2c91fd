import ChatDomain
import Testing

@testable import MessagingOutbox

/// The recipients of a message's events.
@Suite struct EventAudienceTests {
    private func message(_ sequence: SequenceNumber) -> RoomLogEntry {
        .message(
            Message(
                id: MessageID(high: 1, low: UInt32(sequence)), sequence: sequence, roomID: RoomID(unchecked: "den"),
                body: MessageBody(author: UserID(unchecked: "ann"), username: "Ann", text: "\(sequence)"),
                timestamp: Timestamp(milliseconds: 1000)))
    }

    @Test func participantsOfARoomGetNoEventsOfAnEarlierRoomWithItsID() async throws {
        let directory = EventDirectory(
            people: { _ in
                let participants = ["ann", "bob"].map { UserID(unchecked: $0) }
                return [RoomID(unchecked: "den"): RoomPeople(participants: Set(participants), historyBase: 2)]
            },
            online: { Set($0) }, isAlive: { _ in true })
        let addressed = try await directory.address([message(1), message(2), message(3)])
        #expect(addressed.map(\.recipients) == [[], [], [UserID(unchecked: "bob")]])
    }
}
