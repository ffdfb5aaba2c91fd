import ChatDomain
import TestSupport
import Testing

/// Several instances that disagree on which of them are alive, over a network that loses, repeats and delays, and a store
/// that refuses now and then.
@Suite struct RoomSequencerModelTests {
    /// A fleet as its messages see it.
    private struct Fleet {
        enum Packet {
            case forward(RoomWrite, ticket: UInt64, from: Int, to: Int)
            case answer(RoomWriteOutcome, ticket: UInt64, from: Int, to: Int)
            case progress(RoomID, ticket: UInt64, from: Int, to: Int)

            var receiver: Int {
                switch self {
                case .forward(_, _, _, let to), .answer(_, _, _, let to), .progress(_, _, _, let to): to
                }
            }

            var isProgress: Bool { if case .progress = self { true } else { false } }
        }

        let names = (0..<3).map { InstanceID("i\($0)") }
        var sequencers: [RoomSequencer]
        var network: [Packet] = []
        var isPaused = [false, false, false]
        /// Commits handed to the store and not carried out yet.
        var commits: [(instance: Int, write: RoomWrite)] = []
        var stored: [RoomID: [MessageID]] = [:]
        var submitted: [Int: [RoomID: [MessageDraft]]] = [:]
        var order: [Int: [RoomID: [MessageID]]] = [:]
        var finished = 0
        var refused: Set<MessageID> = []
        var nextID: UInt32 = 0
        var now = Moment(milliseconds: 0)
        var storeFails = false
        var problems: [String] = []

        init() {
            sequencers = (0..<3).map { RoomSequencer(instance: InstanceID("i\($0)"), firstTicket: 1 << 32) }
        }

        mutating func perform(_ actions: [RoomSequencer.Action], of instance: Int) {
            for action in actions {
                switch action {
                case .forward(let write, let ticket, let owner):
                    let to = names.firstIndex(of: owner) ?? 0
                    network.append(.forward(write, ticket: ticket, from: instance, to: to))
                case .answer(let outcome, let ticket, let asker):
                    let to = names.firstIndex(of: asker) ?? 0
                    network.append(.answer(outcome, ticket: ticket, from: instance, to: to))
                case .reportProgress(let room, let ticket, let asker):
                    let to = names.firstIndex(of: asker) ?? 0
                    // Time passes more slowly here than turns do; more reports would leave no place for the rest.
                    guard network.count(where: \.isProgress) < 3 else { continue }
                    network.append(.progress(room, ticket: ticket, from: instance, to: to))
                case .finish(let outcome): finish(outcome, of: instance)
                }
            }
        }

        private mutating func finish(_ outcome: RoomWriteOutcome, of instance: Int) {
            guard let drafts = submitted[instance]?.removeValue(forKey: outcome.roomID) else {
                return problems.append("a write finished twice")
            }
            finished += 1
            if drafts.count != outcome.drafts.count {
                problems.append("\(outcome.drafts.count) outcomes of \(drafts.count)")
            }
            for (draft, result) in zip(drafts, outcome.drafts) {
                switch result {
                case .stored(let sequence):
                    let held = stored[outcome.roomID] ?? []
                    let index = Int(sequence) - 1
                    if !held.indices.contains(index) || held[index] != draft.id {
                        problems.append("\(draft.id) is not number \(sequence)")
                    }
                default: refused.insert(draft.id)
                }
            }
        }

        mutating func submit(_ instance: Int, _ room: RoomID, count: Int) {
            guard submitted[instance]?[room] == nil else { return }
            let drafts = (0..<count).map { _ in
                nextID += 1
                return MessageDraft(
                    id: MessageID(high: UInt64(instance), low: nextID),
                    body: MessageBody(author: UserID(unchecked: "u\(instance)"), username: "u", text: "t"),
                    timestamp: Timestamp(milliseconds: 0))
            }
            submitted[instance, default: [:]][room] = drafts
            order[instance, default: [:]][room, default: []] += drafts.map(\.id)
            let known = SequenceNumber(stored[room]?.count ?? 0)
            let write = RoomWrite(roomID: room, lastKnown: known, messages: drafts)
            perform(sequencers[instance].submit(write, at: now), of: instance)
        }

        mutating func deliver(_ packet: Packet) {
            switch packet {
            case .forward(let write, let ticket, let from, let to):
                sequencers[to].receivedForward(write, ticket: ticket, from: names[from])
            case .answer(let outcome, let ticket, let from, let to):
                perform(sequencers[to].receivedOutcome(outcome, ticket: ticket, from: names[from], at: now), of: to)
            case .progress(let room, let ticket, let from, let to):
                sequencers[to].receivedProgress(of: room, ticket: ticket, from: names[from], at: now)
            }
        }

        /// The store takes a write: all of it, a part before a lost race, or nothing.
        mutating func commit(_ random: inout SplitMix) {
            guard !commits.isEmpty else { return }
            let (instance, write) = commits.remove(at: Int.random(in: commits.indices, using: &random))
            var held = stored[write.roomID] ?? []
            let isLost = !storeFails && Int.random(in: 0..<5, using: &random) == 0
            let cut = isLost ? Int.random(in: 0...write.drafts.count, using: &random) : write.drafts.count
            let drafts = write.drafts.enumerated().map { index, draft -> RoomWriteOutcome.Draft in
                if let known = held.firstIndex(of: draft.id) { return .stored(SequenceNumber(known + 1)) }
                if storeFails { return .failed(.unavailable(reason: "away")) }
                guard index < cut else { return .failed(.contended) }
                held.append(draft.id)
                return .stored(SequenceNumber(held.count))
            }
            stored[write.roomID] = held
            let outcome = RoomWriteOutcome(roomID: write.roomID, drafts: drafts, readMarks: [])
            perform(sequencers[instance].committed(outcome, at: now), of: instance)
        }

        mutating func turn(_ instance: Int) {
            guard !isPaused[instance] else { return }
            perform(sequencers[instance].tick(at: now), of: instance)
            for write in sequencers[instance].takeCommits() { commits.append((instance, write)) }
        }
    }

    @Test(arguments: 0..<40)
    func everyWriteFinishesOnceAsTheStoreHasIt(_ seed: UInt64) {
        var random = SplitMix(seed: seed)
        var fleet = Fleet()
        let rooms = ["a", "b"].map { RoomID(unchecked: $0) }
        let everyone = Set(fleet.names)
        for index in 0..<3 { fleet.perform(fleet.sequencers[index].setInstances(everyone, at: fleet.now), of: index) }
        for _ in 0..<3000 {
            let instance = Int.random(in: 0..<3, using: &random)
            switch Int.random(in: 0..<20, using: &random) {
            case 0...3:
                if !fleet.isPaused[instance] {
                    fleet.submit(
                        instance, rooms.randomElement(using: &random)!, count: Int.random(in: 1...4, using: &random))
                }
            case 4...8:
                guard let index = fleet.network.indices.randomElement(using: &random) else { break }
                let packet = fleet.network[index]
                guard !fleet.isPaused[packet.receiver] else { break }
                let fate = Int.random(in: 0..<10, using: &random)
                if fate != 0 { fleet.network.remove(at: index) }
                if fate != 1 { fleet.deliver(packet) }
            case 9...12: fleet.commit(&random)
            case 13...17: fleet.turn(instance)
            case 18:
                fleet.now = fleet.now + .milliseconds(Int.random(in: 1...400, using: &random))
            default:
                switch Int.random(in: 0..<3, using: &random) {
                case 0:
                    let view = everyone.filter { $0 == fleet.names[instance] || Bool.random(using: &random) }
                    fleet.perform(fleet.sequencers[instance].setInstances(view, at: fleet.now), of: instance)
                case 1: fleet.isPaused[instance].toggle()
                default: fleet.storeFails.toggle()
                }
            }
        }
        heal(&fleet, everyone, &random)
        #expect(fleet.problems.isEmpty, "seed \(seed): \(fleet.problems.prefix(3))")
        #expect(fleet.submitted.values.flatMap(\.keys).isEmpty, "seed \(seed): a write never finished")
        #expect(fleet.finished > 50)
        judge(fleet, seed)
    }

    /// Every instance lives, knows the others, and the store takes everything.
    private func heal(_ fleet: inout Fleet, _ everyone: Set<InstanceID>, _ random: inout SplitMix) {
        fleet.storeFails = false
        fleet.isPaused = [false, false, false]
        for index in 0..<3 { fleet.perform(fleet.sequencers[index].setInstances(everyone, at: fleet.now), of: index) }
        for _ in 0..<500 {
            fleet.now = fleet.now + .milliseconds(20)
            let packets = fleet.network
            fleet.network = []
            for packet in packets { fleet.deliver(packet) }
            for index in 0..<3 { fleet.turn(index) }
            while !fleet.commits.isEmpty { fleet.commit(&random) }
        }
    }

    private func judge(_ fleet: Fleet, _ seed: UInt64) {
        for (room, held) in fleet.stored {
            #expect(Set(held).count == held.count, "seed \(seed): stored twice")
            let both = fleet.refused.intersection(held)
            #expect(both.isEmpty, "seed \(seed): refused and stored")
            for (instance, rooms) in fleet.order {
                let mine = held.filter { $0.high == UInt64(instance) }
                let sent = (rooms[room] ?? []).filter { held.contains($0) }
                #expect(mine == sent, "seed \(seed): the order of instance \(instance) turned")
            }
        }
    }
}
