import ChatDomain
import Testing

@testable import MessagingOutbox

/// The relay's rules on manual time.
@Suite struct RelayMachineTests {
    /// Makes every random pause the longest.
    struct Highest: RandomNumberGenerator, Sendable {
        mutating func next() -> UInt64 { .max }
    }

    private static let start = Moment(milliseconds: 1_000_000)

    private var pacing: RelayPacing {
        var pacing = RelayPacing()
        pacing.window = 4
        pacing.batch = 3
        return pacing
    }

    private func connectedMachine() -> RelayMachine {
        var machine = RelayMachine(mode: .recipient, pacing: pacing, random: Highest())
        machine.didConnect(at: Self.start)
        return machine
    }

    private func id(_ number: UInt32) -> MessageID { MessageID(high: 1, low: number) }

    private func messages(_ numbers: ClosedRange<UInt32>, recipients: Int = 1) -> [AddressedEntry] {
        numbers.map { number in
            let message = Message(
                id: id(number), sequence: SequenceNumber(number), roomID: RoomID(unchecked: "den"),
                body: MessageBody(author: UserID(unchecked: "ann"), username: "Ann", text: "t"),
                timestamp: Timestamp(milliseconds: 0))
            let users = (0..<recipients).map { UserID(unchecked: "user-\($0)") }
            return AddressedEntry(entry: .message(message), recipients: users, online: [])
        }
    }

    private func read(_ machine: inout RelayMachine, at now: Moment = start) throws -> (Set<MessageID>, UInt64) {
        let action = machine.next(at: now)
        guard case .read(let limit, let except, let epoch)? = action else {
            Issue.record("\(String(describing: action)) instead of a read")
            throw CancellationError()
        }
        #expect(limit == 3)
        return (except, epoch)
    }

    private func published(_ machine: inout RelayMachine, at now: Moment = start) -> [BrokerEvent] {
        guard case .publish(let events)? = machine.next(at: now) else { return [] }
        return events
    }

    private func hasNoAction(_ machine: inout RelayMachine, at now: Moment) -> Bool {
        if case .none = machine.next(at: now) { true } else { false }
    }

    private func cleared(_ machine: inout RelayMachine, at now: Moment) -> [MessageID] {
        guard case .clear(let ids)? = machine.next(at: now) else { return [] }
        return ids
    }

    @Test func nothingIsReadWhileTheBrokerIsDisconnected() {
        var machine = RelayMachine(mode: .recipient, pacing: pacing, random: Highest())
        machine.receivedHint(at: Self.start)
        #expect(hasNoAction(&machine, at: Self.start) && machine.deadline == nil)
    }

    @Test func aMessageIsReadPublishedConfirmedAndCleared() throws {
        var machine = connectedMachine()
        let (_, epoch) = try read(&machine)
        #expect(hasNoAction(&machine, at: Self.start), "one read at a time")
        machine.receivedMessages(messages(1...2), limit: 3, epoch: epoch, at: Self.start)
        let events = published(&machine)
        #expect(events.map(\.messageID) == ["\(id(1)):user-0", "\(id(2)):user-0"])
        #expect(!machine.isIdle(at: Self.start))
        machine.receivedOutcomes(events.map { ($0.tag, .confirmed) }, at: Self.start)
        #expect(hasNoAction(&machine, at: Self.start), "clearing waits for more confirmed messages")
        let later = Self.start + pacing.clearSpacing
        #expect(machine.deadline == later)
        #expect(cleared(&machine, at: later) == [id(1), id(2)])
        #expect(!machine.isIdle(at: later))
        machine.didClear(at: later)
        #expect(machine.isIdle(at: later))
    }

    @Test func theWindowBoundsTheUnansweredEvents() throws {
        var machine = connectedMachine()
        let (_, epoch) = try read(&machine)
        machine.receivedMessages(messages(1...3, recipients: 3), limit: 3, epoch: epoch, at: Self.start)
        let first = published(&machine)
        #expect(first.count == 4)
        #expect(hasNoAction(&machine, at: Self.start) && machine.deadline == nil)
        machine.receivedOutcomes(first.map { ($0.tag, .confirmed) }, at: Self.start)
        let second = published(&machine)
        #expect(second.count == 4)
        machine.receivedOutcomes(second.prefix(2).map { ($0.tag, .confirmed) }, at: Self.start)
        let third = published(&machine)
        #expect(third.map(\.messageID) == ["\(id(3)):user-2"], "in order, up to the last event")
        // A full batch means that there may be more messages: they are read as soon as the window has room.
        let (except, _) = try read(&machine)
        #expect(except == [id(1), id(2), id(3)], "messages being published or cleared are not read again")
    }

    @Test func aMessageWithoutRecipientsIsClearedUnpublished() throws {
        var machine = connectedMachine()
        let (_, epoch) = try read(&machine)
        machine.receivedMessages(messages(1...1, recipients: 0), limit: 3, epoch: epoch, at: Self.start)
        #expect(cleared(&machine, at: Self.start + pacing.clearSpacing) == [id(1)])
    }

    @Test(arguments: [BrokerOutcome.returned, .refused])
    func unconfirmedMessagesAreReadAgainAfterAPause(_ outcome: BrokerOutcome) throws {
        var machine = connectedMachine()
        let (_, epoch) = try read(&machine)
        machine.receivedMessages(messages(1...2, recipients: 2), limit: 3, epoch: epoch, at: Self.start)
        let events = published(&machine)
        machine.receivedOutcomes([(events[0].tag, .confirmed), (events[1].tag, outcome)], at: Self.start)
        machine.receivedHint(at: Self.start)
        #expect(
            hasNoAction(&machine, at: Self.start + .seconds(60)), "nothing is sent before the other events are answered"
        )
        machine.receivedOutcomes(events.suffix(2).map { ($0.tag, .confirmed) }, at: Self.start)
        let retryAt = Self.start + .milliseconds(200)
        #expect(
            cleared(&machine, at: Self.start + .milliseconds(199)) == [id(2)],
            "the message whose events are all confirmed")
        machine.didClear(at: Self.start + .milliseconds(199))
        #expect(hasNoAction(&machine, at: Self.start + .milliseconds(199)))
        let (except, again) = try read(&machine, at: retryAt)
        #expect(except.isEmpty)
        machine.receivedMessages(messages(1...1, recipients: 2), limit: 3, epoch: again, at: retryAt)
        let repeated = published(&machine, at: retryAt)
        #expect(repeated.map(\.messageID) == events.prefix(2).map(\.messageID), "under the same ids")
        #expect(Set(repeated.map(\.tag)).isDisjoint(with: events.map(\.tag)))
        // A second failure in a row waits twice as long.
        machine.receivedOutcomes(repeated.map { ($0.tag, outcome) }, at: retryAt)
        #expect(machine.deadline == retryAt + .milliseconds(400))
    }

    @Test func afterALostConnectionUnansweredMessagesArePendingAgain() throws {
        var machine = connectedMachine()
        let (_, epoch) = try read(&machine)
        machine.receivedMessages(messages(1...3), limit: 3, epoch: epoch, at: Self.start)
        let events = published(&machine)
        machine.receivedOutcomes([(events[0].tag, .confirmed)], at: Self.start)
        let (_, staleEpoch) = try read(&machine)
        machine.didDisconnect(at: Self.start)
        #expect(cleared(&machine, at: Self.start + .milliseconds(50)) == [id(1)], "confirmed messages stay confirmed")
        machine.didConnect(at: Self.start + .milliseconds(100))
        machine.receivedOutcomes([(events[1].tag, .confirmed)], at: Self.start + .milliseconds(100))
        // Messages read before the loss would be published before the earlier ones that are pending again.
        machine.receivedMessages(messages(4...6), limit: 3, epoch: staleEpoch, at: Self.start + .milliseconds(100))
        #expect(published(&machine, at: Self.start + .milliseconds(99)).isEmpty)
        let (except, _) = try read(&machine, at: Self.start + .milliseconds(100))
        #expect(except == [id(1)])
    }

    @Test func aHintCausesAReadAfterTheSpacing() throws {
        var machine = connectedMachine()
        let (_, epoch) = try read(&machine)
        machine.receivedHint(at: Self.start)
        machine.receivedMessages([], limit: 3, epoch: epoch, at: Self.start)
        #expect(machine.deadline == Self.start + pacing.readSpacing, "a hint during a read asks for another")
        let (_, second) = try read(&machine, at: Self.start + .milliseconds(20))
        machine.receivedMessages([], limit: 3, epoch: second, at: Self.start + .milliseconds(21))
        #expect(machine.deadline == Self.start + .milliseconds(21) + pacing.pollInterval)
        machine.receivedHint(at: Self.start + .milliseconds(1000))
        #expect(machine.deadline == Self.start + .milliseconds(1000))
    }

    @Test func aFailedReadOrClearingIsRepeatedAfterAPause() throws {
        var machine = connectedMachine()
        _ = try read(&machine)
        machine.didFailReading(at: Self.start)
        #expect(machine.deadline == Self.start + .milliseconds(200))
        let (_, epoch) = try read(&machine, at: Self.start + .milliseconds(200))
        machine.receivedMessages(messages(1...1), limit: 3, epoch: epoch, at: Self.start + .milliseconds(200))
        let events = published(&machine, at: Self.start + .milliseconds(200))
        machine.receivedOutcomes(events.map { ($0.tag, .confirmed) }, at: Self.start + .milliseconds(200))
        #expect(cleared(&machine, at: Self.start + .milliseconds(250)) == [id(1)])
        machine.didFailClearing(at: Self.start + .milliseconds(250))
        #expect(hasNoAction(&machine, at: Self.start + .milliseconds(251)))
        #expect(cleared(&machine, at: Self.start + .milliseconds(450)) == [id(1)])
    }
}
