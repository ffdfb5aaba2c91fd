import TestSupport

@testable import ChatDomain

/// A command of the model, which its machines take for opaque.
enum ModelCommand: LifecycleCommand {
    case join(JoinRequest)
    case leave(SessionAddress)
    case send(RequestOrigin, Int)

    var isAlwaysAllowed: Bool { if case .leave = self { true } else { false } }
    var creation: RoomCreation? { if case .join(let join) = self { .byJoining(join.user.userID) } else { nil } }
    var since: Moment? { nil }
    func waiting(since now: Moment) -> Self { self }
    var origin: RequestOrigin? {
        switch self {
        case .join(let join): join.origin
        case .send(let origin, _): origin
        case .leave: nil
        }
    }
}

/// What the model's surroundings were asked and have not answered.
enum ModelQuestion {
    case read(number: Int, RoomSnapshot?)
    case create(number: Int)
    case page(ViewPage)
    case catchUp(number: Int, RoomLogPage)
    case repair(RoomLogPage)
    case listeners(round: Int)
    case subscription
    case roster(InstanceID)
    case turn(number: Int)
    case commit(RoomWrite)

    /// Its answer may get lost. The others are answered for certain, though late.
    var mayBeLost: Bool {
        switch self {
        case .read, .create, .page, .catchUp, .listeners, .subscription, .roster: true
        case .turn, .commit, .repair: false
        }
    }

    var mayRepeat: Bool { if case .commit = self { false } else { true } }
}

/// A room at home on an instance, as its hub drives it: the machines, beside a store and other instances that answer late, twice,
/// never, or with a failure; sessions that join at any moment and write down what they see; and a room that is deleted in the
/// middle.
struct HostedRoomModel {
    struct Host {
        let id: Int
        var life: RoomLifecycle<ModelCommand>
        var joins = RoomJoins(isShared: true)
        var live: LiveRoom?
        var shown: Set<SessionAddress> = []
        var isSubscribed = false
    }

    struct Client {
        let join: JoinRequest
        var isShown = false
        var seen: [SequenceNumber] = []
        /// What `seen` continues; nil when the client was shown the newest instead.
        var mark: SequenceNumber?
    }

    static let user = UserID(unchecked: "u0")

    var random: SplitMix
    var now: Int64 = 0
    var host: Host?
    var lastHost = 0
    var questions: [(host: Int, what: ModelQuestion)] = []
    var contact = Contact.always
    /// The durable truth. Messages of earlier rooms stay; `base` is the last number of those.
    var stored: [MessageDraft] = []
    var base: SequenceNumber = 0
    var participants: Set<UserID>?
    var publications: [Message] = []
    var clients: [SessionAddress: Client] = [:]
    /// Requests and how often they were answered.
    var answers: [RequestOrigin: Int] = [:]
    var notices: [ChangeNotice: Int] = [:]
    var problems: [String] = []
    /// How many of ten questions fail, are lost, or are answered twice.
    var trouble = 1
    private var lastSlot = 0
    private var lastNumber = 0

    init(seed: UInt64) {
        random = SplitMix(seed: seed)
        let earlier = random.chance(1, in: 3) ? 0 : Int.random(in: 1...2500, using: &random)
        stored = (0..<earlier).map { .sample($0 + 1) }
        lastNumber = earlier
        if earlier > 0 { participants = [Self.user] }
        trouble = Int.random(in: 0...3, using: &random)
    }

    mutating func step() {
        now += Int64.random(in: 0...40, using: &random)
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<14: join()
        case 14..<20: leave()
        case 20..<30: send()
        case 30..<70: answer()
        case 70..<80: storeElsewhere()
        case 80..<88: hear()
        case 88..<90: change()
        case 92..<94: sweep()
        case 90..<92:
            contact = Contact(since: random.chance(1, in: 2) ? .at(now) : .at(now + 500), until: .at(now + 3000))
        default: break
        }
        passTime()
    }

    /// Everything is answered from here on, and time advances.
    mutating func finish() {
        trouble = 0
        contact = .always
        for _ in 0..<400 {
            now += 50
            while !publications.isEmpty { hear() }
            for _ in 0..<questions.count { answer() }
            sweep()
            passTime()
        }
    }

    /// Nothing is answered any more but what happens on the loop, and time advances.
    mutating func abandon() {
        for _ in 0..<400 {
            now += 100
            let turns = questions
            questions = []
            for question in turns {
                if case .turn(let number) = question.what { answer(.turn(number: number), of: question.host) }
            }
            passTime()
        }
    }

    // MARK: Sessions

    private mutating func join() {
        lastSlot += 1
        let session = SessionAddress.slot(lastSlot)
        let since: SequenceNumber? =
            switch Int.random(in: 0..<4, using: &random) {
            case 0: nil
            case 1: SequenceNumber.random(in: 0...(SequenceNumber(stored.count) + 2), using: &random)
            default: SequenceNumber(max(0, stored.count - Int.random(in: 0...20, using: &random)))
            }
        let history = HistoryRequest(since: since, limit: Int.random(in: 1...200, using: &random))
        let join = JoinRequest(
            session: session, request: 0, user: .number(lastSlot % 8), history: history, form: EventForm(code: lastSlot)
        )
        clients[session] = Client(join: join, mark: since)
        answers[join.origin] = 0
        dispatch(.join(join))
    }

    private mutating func leave() {
        guard let session = someClient() else { return }
        check(session)
        clients[session] = nil
        dispatch(.leave(session))
    }

    private mutating func send() {
        guard let session = someClient() else { return }
        lastNumber += 1
        let origin = RequestOrigin.session(session, request: UInt32(lastNumber))
        answers[origin] = 0
        dispatch(.send(origin, lastNumber))
    }

    private mutating func someClient() -> SessionAddress? {
        clients.keys.sorted { $0.slot < $1.slot }.randomElement(using: &random)
    }

    // MARK: Other instances, and changes from outside

    mutating func storeElsewhere() {
        guard participants != nil else { return }
        lastNumber += 1
        stored.append(.sample(lastNumber))
        guard !random.chance(1, in: 5), let draft = stored.last else { return }
        publications.append(Message(draft, in: "room", sequence: SequenceNumber(stored.count)))
    }

    private mutating func hear() {
        guard let place = publications.indices.randomElement(using: &random) else { return }
        let message = publications.remove(at: place)
        // A new room of this id counts on; the rest of the old one's traffic is not delivered again.
        guard message.sequence > base else { return }
        perform(host?.live?.received([message], at: .at(now)) ?? [])
    }

    /// The newest number in the store is looked up, for messages of which no publication came.
    private mutating func sweep() {
        if participants != nil { host?.live?.announced(lastSequence: SequenceNumber(stored.count), at: .at(now)) }
    }

    private mutating func change() {
        lastNumber += 1
        let change: RoomChange
        switch Int.random(in: 0..<5, using: &random) {
        case 0:
            change = .deleted
            guard participants != nil else { return }
            participants = nil
            base = SequenceNumber(stored.count)
        case 1:
            guard let user = participants?.sorted().randomElement(using: &random) else { return }
            participants?.remove(user)
            change = .expelled(user)
        case 2: change = .revised(RoomRevision(name: "name"), at: Timestamp(milliseconds: now))
        default: change = .unspecified
        }
        let notice = ChangeNotice(teller: InstanceID("one"), ticket: UInt64(lastNumber))
        notices[notice] = 0
        guard let id = host?.id else {
            notices[notice] = 1
            return
        }
        perform(host?.life.received(change, notice: notice, at: .at(now)) ?? [], of: id)
    }

    // MARK: What comes out

    mutating func replied(_ origin: RequestOrigin) {
        guard let count = answers[origin] else { return problems.append("\(origin) was never asked") }
        answers[origin] = count + 1
        if count > 0 { problems.append("\(origin) was answered twice") }
    }

    mutating func show(_ join: JoinRequest, _ view: RoomView) {
        replied(join.origin)
        guard var client = clients[join.session] else { return }
        if view.messages.last?.sequence ?? view.state.lastSequence != view.state.lastSequence {
            problems.append("the view of \(join.session) ends early")
        }
        client.isShown = true
        client.seen = view.messages.map(\.sequence)
        let start = host?.live?.room.historyBase ?? 0
        client.mark = view.needsResync ? nil : join.history.since.map { max($0, start) }
        clients[join.session] = client
    }

    mutating func deliver(_ numbers: [SequenceNumber]) {
        for session in host?.shown ?? [] { clients[session]?.seen += numbers }
    }

    /// The messages a session saw are gapless and without repeats, and continue where it asked.
    mutating func check(_ session: SessionAddress) {
        guard let client = clients[session], client.isShown else { return }
        let start = client.mark ?? client.seen.first.map { $0 - 1 } ?? 0
        let expected = client.seen.indices.map { start + SequenceNumber($0) + 1 }
        if client.seen != expected { problems.append("session \(session) saw \(client.seen) after \(start)") }
    }
}
