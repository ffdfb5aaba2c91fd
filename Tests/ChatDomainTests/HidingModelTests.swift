import TestSupport
import Testing

@testable import ChatDomain

/// One room on two instances whose users come, go, hide and show themselves; what one instance tells the other comes late and
/// in order, and so does the news of hiding.
private struct HidingModel {
    struct Instance {
        var room = LiveRoom.open(participants: Set((0..<4).map { RoomUser.number($0).userID }))
        /// News that was sent and not received yet.
        var news: [RoomNews] = []
        /// Users that hid or showed themselves elsewhere; the news is not received yet.
        var edges: [Int] = []
        /// Users hidden, as far as is known here.
        var hidden: Set<Int> = []
        /// The users a member sees that was there from the beginning and believes every announcement.
        var picture: Set<UserID> = []
    }

    var random: SplitMix
    var instances = [Instance(), Instance()]
    var hidden: Set<Int> = []
    /// Sessions as user and instance; their place is their slot.
    var sessions: [(user: Int, place: Int)?] = []
    var problems: [String] = []

    init(seed: UInt64) { random = SplitMix(seed: seed) }

    mutating func step() {
        let place = Int.random(in: 0...1, using: &random)
        let user = Int.random(in: 0..<4, using: &random)
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<3:
            sessions.append((user, place))
            let isHidden = instances[place].hidden.contains(user)
            let result = instances[place].room.join(
                .number(user), session: .slot(sessions.count - 1), isHidden: isHidden, at: .at(0))
            perform(result.effects, at: place)
        case 3..<5:
            guard let slot = sessions.indices.filter({ sessions[$0] != nil }).randomElement(using: &random) else {
                return
            }
            leave(slot)
        case 5..<6:
            hidden.formSymmetricDifference([user])
            see(user, at: place)
            instances[1 - place].edges.append(user)
        default: hear(at: place)
        }
    }

    mutating func leave(_ slot: Int) {
        guard let (_, place) = sessions[slot] else { return }
        sessions[slot] = nil
        perform(instances[place].room.leave(.slot(slot), isBroken: false, at: .at(0)), at: place)
    }

    private mutating func see(_ user: Int, at place: Int) {
        let isHidden = hidden.contains(user)
        if isHidden { instances[place].hidden.insert(user) } else { instances[place].hidden.remove(user) }
        perform(instances[place].room.setHidden(RoomUser.number(user).userID, isHidden, at: .at(0)), at: place)
    }

    @discardableResult
    private mutating func hear(at place: Int) -> Bool {
        let hasEdge = !instances[place].edges.isEmpty
        if hasEdge, instances[1 - place].news.isEmpty || random.chance(1, in: 2) {
            see(instances[place].edges.removeFirst(), at: place)
            return true
        }
        guard !instances[1 - place].news.isEmpty else { return false }
        let news = instances[1 - place].news.removeFirst()
        perform(instances[place].room.receive(news, from: InstanceID("other"), at: .at(0)), at: place)
        return true
    }

    private mutating func perform(_ effects: [RoomEffect], at place: Int) {
        for effect in effects {
            switch effect {
            case .share(let news): instances[place].news.append(news)
            case .announce(.joined(let user), _):
                if !instances[place].picture.insert(user.userID).inserted { problems.append("\(user) joined twice") }
            case .announce(.left(let user), _):
                if instances[place].picture.remove(user.userID) == nil { problems.append("\(user) left twice") }
            default: break
            }
        }
    }

    /// All news is received; then each instance shows the users that are anywhere and do not hide, in lists, counts and by what
    /// it said.
    mutating func comeToRest() {
        while [0, 1].map({ hear(at: $0) }).contains(true) {}
        let present = Set(sessions.compactMap { $0?.user }).subtracting(hidden).map { RoomUser.number($0).userID }
        for place in instances.indices {
            guard case .view(let view) = instances[place].room.view(HistoryRequest()) else { continue }
            let shown = Set(view.users.map(\.userID))
            if shown != Set(present) || view.users.count != shown.count {
                problems.append("shows \(shown), not \(present)")
            }
            if view.state.online != present.count {
                problems.append("counts \(view.state.online), not \(present.count)")
            }
            if instances[place].picture != shown {
                problems.append("received \(instances[place].picture), not \(shown)")
            }
        }
    }
}

@Suite struct HidingModelTests {
    @Test(arguments: 0..<40 as Range<UInt64>)
    func aHiddenUserIsOutOfSightOnBothInstances(_ seed: UInt64) {
        var model = HidingModel(seed: seed)
        for _ in 0..<20 {
            for _ in 0..<15 { model.step() }
            model.comeToRest()
        }
        for slot in model.sessions.indices { model.leave(slot) }
        model.comeToRest()
        #expect(model.problems == [])
    }
}
