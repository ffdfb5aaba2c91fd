import ChatDomain
import Testing

@testable import MessagingOutbox

/// The relay's rules, with the time in hand.
@Suite struct RelayMachineTests {
    /// Always draws the longest pause.
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
        machine.connected(at: Self.start)
        return machine
    }

    private func id(_ number: UInt32) -> MessageID { MessageID(high: 1, low: number) }

    private func messages(_ numbers: ClosedRange<UInt32>, recipients: Int = 1) -> [AddressedMessage] {
        numbers.map { number in
            let message = Message(
                id: id(number), sequence: SequenceNumber(number), roomID: RoomID(unchecked: "den"),
                body: MessageBody(author: UserID(unchecked: "ann"), username: "Ann", text: "t"),
                timestamp: Timestamp(milliseconds: 0))
            let users = (0..<recipients).map { UserID(unchecked: "user-\($0)") }
            return AddressedMessage(message: message, recipients: users, online: [])
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

    private func isAtRest(_ machine: inout RelayMachine, at now: Moment) -> Bool {
        if case .none = machine.next(at: now) { true } else { false }
    }

    private func cleared(_ machine: inout RelayMachine, at now: Moment) -> [MessageID] {
        guard case .clear(let ids)? = machine.next(at: now) else { return [] }
        return ids
    }

    @Test func nothingIsReadWithoutABroker() {
        var machine = RelayMachine(mode: .recipient, pacing: pacing, random: Highest())
        machine.woken(at: Self.start)
        #expect(isAtRest(&machine, at: Self.start) && machine.deadline == nil)
    }

    @Test func aMessageIsReadPublishedConfirmedAndCleared() throws {
        var machine = connectedMachine()
        let (_, epoch) = try read(&machine)
        #expect(isAtRest(&machine, at: Self.start), "one read at a time")
        machine.read(messages(1...2), limit: 3, epoch: epoch, at: Self.start)
        let events = published(&machine)
        #expect(events.map(\.messageID) == ["\(id(1)):user-0", "\(id(2)):user-0"])
        #expect(!machine.isIdle(at: Self.start))
        machine.settled(events.map { ($0.tag, .confirmed) }, at: Self.start)
        #expect(isAtRest(&machine, at: Self.start), "clearing waits for company")
        let later = Self.start + pacing.clearSpacing
        #expect(machine.deadline == later)
        #expect(cleared(&machine, at: later) == [id(1), id(2)])
        #expect(!machine.isIdle(at: later))
        machine.cleared(at: later)
        #expect(machine.isIdle(at: later))
    }

    @Test func theWindowBoundsWhatTheBrokerOwesAnAnswer() throws {
        var machine = connectedMachine()
        let (_, epoch) = try read(&machine)
        machine.read(messages(1...3, recipients: 3), limit: 3, epoch: epoch, at: Self.start)
        let first = published(&machine)
        #expect(first.count == 4)
        #expect(isAtRest(&machine, at: Self.start) && machine.deadline == nil)
        machine.settled(first.map { ($0.tag, .confirmed) }, at: Self.start)
        let second = published(&machine)
        #expect(second.count == 4)
        machine.settled(second.prefix(2).map { ($0.tag, .confirmed) }, at: Self.start)
        let third = published(&machine)
        #expect(third.map(\.messageID) == ["\(id(3)):user-2"], "in order, to the last one")
        // A full batch means that there may be more: it is read as soon as the window has room.
        let (except, _) = try read(&machine)
        #expect(except == [id(1), id(2), id(3)], "what is on its way, or to be cleared, is not read again")
    }

    @Test func aMessageForNobodyIsClearedUnpublished() throws {
        var machine = connectedMachine()
        let (_, epoch) = try read(&machine)
        machine.read(messages(1...1, recipients: 0), limit: 3, epoch: epoch, at: Self.start)
        #expect(cleared(&machine, at: Self.start + pacing.clearSpacing) == [id(1)])
    }

    @Test(arguments: [BrokerOutcome.returned, .refused])
    func whatComesBackIsReadAgainAfterAPause(_ outcome: BrokerOutcome) throws {
        var machine = connectedMachine()
        let (_, epoch) = try read(&machine)
        machine.read(messages(1...2, recipients: 2), limit: 3, epoch: epoch, at: Self.start)
        let events = published(&machine)
        machine.settled([(events[0].tag, .confirmed), (events[1].tag, outcome)], at: Self.start)
        machine.woken(at: Self.start)
        #expect(isAtRest(&machine, at: Self.start + 60_000), "nothing more before the rest is answered")
        machine.settled(events.suffix(2).map { ($0.tag, .confirmed) }, at: Self.start)
        let retryAt = Self.start + 200
        #expect(cleared(&machine, at: Self.start + 199) == [id(2)], "the message that is whole")
        machine.cleared(at: Self.start + 199)
        #expect(isAtRest(&machine, at: Self.start + 199))
        let (except, again) = try read(&machine, at: retryAt)
        #expect(except.isEmpty)
        machine.read(messages(1...1, recipients: 2), limit: 3, epoch: again, at: retryAt)
        let repeated = published(&machine, at: retryAt)
        #expect(repeated.map(\.messageID) == events.prefix(2).map(\.messageID), "under the same ids")
        #expect(Set(repeated.map(\.tag)).isDisjoint(with: events.map(\.tag)))
        // A second failure in a row waits twice as long.
        machine.settled(repeated.map { ($0.tag, outcome) }, at: retryAt)
        #expect(machine.deadline == retryAt + 400)
    }

    @Test func aLostConnectionMakesEverythingUncertainPendingAgain() throws {
        var machine = connectedMachine()
        let (_, epoch) = try read(&machine)
        machine.read(messages(1...3), limit: 3, epoch: epoch, at: Self.start)
        let events = published(&machine)
        machine.settled([(events[0].tag, .confirmed)], at: Self.start)
        let (_, staleEpoch) = try read(&machine)
        machine.disconnected(at: Self.start)
        #expect(cleared(&machine, at: Self.start + 50) == [id(1)], "what was confirmed stays confirmed")
        machine.connected(at: Self.start + 100)
        machine.settled([(events[1].tag, .confirmed)], at: Self.start + 100)
        // Those read before the loss would come before the ones that were lost.
        machine.read(messages(4...6), limit: 3, epoch: staleEpoch, at: Self.start + 100)
        #expect(published(&machine, at: Self.start + 99).isEmpty)
        let (except, _) = try read(&machine, at: Self.start + 100)
        #expect(except == [id(1)])
    }

    @Test func aHintIsActedOnSoonAndInTime() throws {
        var machine = connectedMachine()
        let (_, epoch) = try read(&machine)
        machine.woken(at: Self.start)
        machine.read([], limit: 3, epoch: epoch, at: Self.start)
        #expect(machine.deadline == Self.start + pacing.readSpacing, "a hint during a read asks for another")
        let (_, second) = try read(&machine, at: Self.start + 20)
        machine.read([], limit: 3, epoch: second, at: Self.start + 21)
        #expect(machine.deadline == Self.start + 21 + pacing.pollInterval)
        machine.woken(at: Self.start + 1000)
        #expect(machine.deadline == Self.start + 1000)
    }

    @Test func aStoreThatFailsIsAskedAgainAfterAPause() throws {
        var machine = connectedMachine()
        _ = try read(&machine)
        machine.readFailed(at: Self.start)
        #expect(machine.deadline == Self.start + 200)
        let (_, epoch) = try read(&machine, at: Self.start + 200)
        machine.read(messages(1...1), limit: 3, epoch: epoch, at: Self.start + 200)
        let events = published(&machine, at: Self.start + 200)
        machine.settled(events.map { ($0.tag, .confirmed) }, at: Self.start + 200)
        #expect(cleared(&machine, at: Self.start + 250) == [id(1)])
        machine.clearFailed(at: Self.start + 250)
        #expect(isAtRest(&machine, at: Self.start + 251))
        #expect(cleared(&machine, at: Self.start + 450) == [id(1)])
    }
}
