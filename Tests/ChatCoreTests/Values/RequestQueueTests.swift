import ChatDomain
import ChatProtocol
import TestSupport
import Testing

@testable import ChatCore

@Suite struct RequestQueueTests {
    private func request(_ command: ClientCommand, _ number: Int64 = 0) -> RequestQueue.Request {
        RequestQueue.Request(event: "e", command: command, tag: .number(number), since: moment(0))
    }

    private func send(_ name: String, _ number: Int64 = 0) -> RequestQueue.Request {
        request(.sendMessage(room(name), OutgoingMessage(text: "x")), number)
    }

    private func join(_ name: String, _ number: Int64 = 0) -> RequestQueue.Request {
        request(.joinRoom(room(name), HistoryRequest()), number)
    }

    @Test func messagesToOneRoomAreUnderWayTogether() {
        var queue = RequestQueue()
        let first = queue.begin(send("a"))
        #expect(queue.mayStart(send("a"), takesMore: { true }))
        #expect(!queue.mayStart(send("b"), takesMore: { true }))
        #expect(!queue.mayStart(request(.userActivity), takesMore: { true }))
        #expect(queue.finish(first) != nil && queue.finish(first) == nil)
        #expect(queue.mayStart(send("b"), takesMore: { true }))
    }

    @Test func whereAHookDecidesMessagesWaitForOneAnother() {
        var queue = RequestQueue(pipelines: false)
        let first = queue.begin(send("a"))
        #expect(!queue.mayStart(send("a"), takesMore: { true }))
        #expect(queue.finish(first) != nil)
        #expect(queue.mayStart(send("a"), takesMore: { true }))
    }

    @Test func whatWaitsIsNotOvertaken() {
        var queue = RequestQueue()
        let first = queue.begin(join("a"))
        #expect(queue.wait(send("a", 1)) == true)
        #expect(queue.finish(first) != nil)
        #expect(!queue.mayStart(send("a", 2), takesMore: { true }))
        #expect(queue.takeNext(takesMore: { true })?.tag == .number(1))
        #expect(queue.takeNext(takesMore: { true }) == nil)
    }

    @Test func aLargeAnswerWaitsUntilMoreIsTaken() {
        var queue = RequestQueue()
        #expect(!queue.mayStart(join("a"), takesMore: { false }))
        #expect(queue.mayStart(send("a"), takesMore: { false }))
        #expect(queue.wait(join("a", 1)) == true)
        #expect(queue.takeNext(takesMore: { false }) == nil)
        #expect(queue.takeNext(takesMore: { true })?.tag == .number(1))
    }

    @Test func requestsUnderWayAndWaitingAreBounded() {
        var queue = RequestQueue()
        for _ in 0..<RequestQueue.maximumPending {
            #expect(!queue.isFull)
            _ = queue.begin(send("a"))
        }
        #expect(queue.isFull)
        #expect(!queue.mayStart(send("a"), takesMore: { true }))
        for _ in 0..<RequestQueue.maximumWaiting { #expect(queue.wait(send("a")) == true) }
        #expect(queue.wait(send("a")) == false)
        #expect(queue.all.count == RequestQueue.maximumPending + RequestQueue.maximumWaiting)
        queue.removeAll()
        #expect(queue.all.isEmpty && !queue.isFull)
    }

    /// Requests start in the order they came, and those under way together are messages to one room.
    @Test(arguments: UInt64(1)...8) func requestsStartInTheOrderTheyCame(_ seed: UInt64) {
        var random = SplitMix(seed: seed)
        var queue = RequestQueue()
        var came: Int64 = 0
        var started: Int64 = 0
        var underWay: [(number: UInt32, request: RequestQueue.Request)] = []
        var waiting: [RequestQueue.Request] = []

        func start(_ request: RequestQueue.Request) {
            started += 1
            #expect(request.tag == .number(started), "started out of turn")
            if let first = underWay.first {
                #expect(first.request.command.pipelinedRoom != nil)
                #expect(first.request.command.pipelinedRoom == request.command.pipelinedRoom)
            }
            #expect(underWay.count < RequestQueue.maximumPending)
            underWay.append((queue.begin(request), request))
        }

        for _ in 0..<1500 {
            let takesMore = random.chance(3, in: 4)
            switch Int.random(in: 0..<5, using: &random) {
            case 0...2 where waiting.count < RequestQueue.maximumWaiting:
                came += 1
                let request =
                    switch Int.random(in: 0..<10, using: &random) {
                    case 0: join("a", came)
                    case 1: send("b", came)
                    case 2: self.request(.userActivity, came)
                    default: send("a", came)
                    }
                if queue.mayStart(request, takesMore: { takesMore }) {
                    #expect(waiting.isEmpty, "overtook what waits")
                    start(request)
                } else {
                    #expect(queue.wait(request) == true)
                    waiting.append(request)
                }
            case 3 where !underWay.isEmpty:
                let done = underWay.remove(at: Int.random(in: 0..<underWay.count, using: &random))
                #expect(queue.finish(done.number)?.tag == done.request.tag)
            default: break
            }
            while let next = queue.takeNext(takesMore: { takesMore }) {
                #expect(next.tag == waiting.removeFirst().tag)
                start(next)
            }
            guard random.chance(1, in: 20) else { continue }
            #expect(queue.all.map(\.tag) == (underWay.map(\.request) + waiting).map(\.tag))
            #expect(queue.isFull == (underWay.count + waiting.count >= RequestQueue.maximumPending))
        }
        // Nothing waits for ever.
        func startAll() {
            while let next = queue.takeNext(takesMore: { true }) {
                waiting.removeFirst()
                start(next)
            }
        }
        startAll()
        while !underWay.isEmpty {
            _ = queue.finish(underWay.removeFirst().number)
            startAll()
        }
        #expect(started == came && queue.all.isEmpty)
    }
}
