import Testing
import WireProtocols

@testable import Engine

/// The rules of one HTTP connection, without a socket.
@Suite struct HTTPExchangeTests {
    private let exchange = HTTPExchange(maximumBodyBytes: 10)
    private var input = InputBuffer(capacity: 4096)
    private var heads = HTTPHeadMemory(capacity: 4)

    private mutating func feed(_ text: String) -> HTTPExchange.Step {
        input.append(contentsOf: Array(text.utf8))
        return exchange.next(&input, heads: &heads)
    }

    private func answer() -> String? {
        exchange.answer(HTTPResponse(status: 204), date: "now").map { String(decoding: $0.beginning, as: UTF8.self) }
    }

    private mutating func request(_ text: String) {
        guard case .request = feed(text) else {
            Issue.record("\(text) is no request")
            return
        }
    }

    @Test mutating func nothingIsAnsweredWithoutARequest() {
        #expect(answer() == nil)
        request("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(exchange.isAnswering)
        #expect(answer()?.contains("keep-alive") == true)
        #expect(answer() == nil)
    }

    @Test mutating func aLaterHeadIsTimedFromItsFirstByte() {
        guard case .needMore = feed("GET / HT") else { return #expect(Bool(false), "the first head is timed already") }
        request("TP/1.1\r\nHost: a\r\n\r\n")
        _ = answer()
        guard case .needMore = exchange.next(&input, heads: &heads) else { return #expect(Bool(false), "no byte came") }
        guard case .headBegan = feed("G") else { return #expect(Bool(false), "the second head began") }
        guard case .needMore = feed("E") else { return #expect(Bool(false), "it is timed already") }
    }

    @Test mutating func aTimeoutIsAnsweredOnlyToARequestThatBegan() {
        #expect(exchange.didTimeOut(hasUnread: false)?.status == 408, "a new connection owes a request")
        request("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        _ = answer()
        #expect(exchange.didTimeOut(hasUnread: false) == nil)
        #expect(exchange.didTimeOut(hasUnread: true)?.status == 408)
    }

    @Test mutating func aRefusalKnowsItsSender() {
        let head = "POST / HTTP/1.1\r\nHost: a\r\nOrigin: https://b\r\nContent-Length: 3\r\n\r\n"
        guard case .head(let expectsContinue) = feed(head) else { return #expect(Bool(false), "no head") }
        #expect(!expectsContinue)
        let refusal = exchange.didTimeOut(hasUnread: false)
        #expect(refusal?.origin == "https://b")
        #expect(refusal?.host == "a")
    }

    @Test mutating func theLastAnswerSaysSo() {
        request("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        #expect(exchange.isLast)
        #expect(answer()?.contains("close") == true)
    }

    @Test mutating func theEmbedderMakesAnAnswerTheLast() {
        request("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        exchange.endAfterAnswer()
        #expect(answer()?.contains("close") == true)
    }
}
