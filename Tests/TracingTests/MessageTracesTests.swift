import ChatDomain
import Synchronization
import Testing

@testable import Tracing

@Suite("Traces of messages")
struct MessageTracesTests {
    private final class Recorder: Sendable {
        private let state = Mutex<(now: Int64, spans: [Span])>((1000, []))

        var spans: [Span] { state.withLock { $0.spans } }
        func advance(_ microseconds: Int64) { state.withLock { $0.now += microseconds } }

        func traces(ratio: Double, capacity: Int = 4096) -> MessageTraces {
            MessageTraces(
                ratio: ratio, capacity: capacity, clock: { [self] in state.withLock { $0.now } },
                record: { [self] spans in state.withLock { $0.spans += spans } })
        }
    }

    private static let caller = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    private let recorder = Recorder()
    private let message = MessageID(high: 7, low: 9)

    @Test("The caller's trace goes on: its span is the parent of the first, and that the parent of the others")
    func parents() throws {
        let traces = recorder.traces(ratio: 0)
        let header = try #require(traces.receive(message, parent: Self.caller))
        let passedOn = try #require(TraceContext(header))
        traces.begin(.commit, of: [message])
        recorder.advance(250)
        traces.end(.commit, of: [message], failure: nil)
        recorder.advance(50)
        traces.end(.receive, of: [message], failure: "no place")
        let (commit, receive) = try #require(recorder.spans.count == 2 ? (recorder.spans[0], recorder.spans[1]) : nil)
        #expect(receive.trace == TraceContext(Self.caller)?.trace && commit.trace == receive.trace)
        #expect(receive.parent == TraceContext(Self.caller)?.span && commit.parent == receive.id)
        #expect(passedOn.span == receive.id && passedOn.trace == receive.trace)
        #expect((commit.start, commit.end) == (1000, 1250) && (receive.start, receive.end) == (1000, 1300))
        #expect(commit.failure == nil && receive.failure == "no place")
    }

    @Test("Another instance adds its spans below the sender's instance's, without being told their ids")
    func forwarded() throws {
        let sender = recorder.traces(ratio: 0)
        let numbering = recorder.traces(ratio: 0)
        let passedOn = try #require(sender.receive(message, parent: Self.caller))
        numbering.follow(message, traceparent: passedOn)
        for step in [MessageStep.commit, .event] {
            numbering.begin(step, of: [message])
            numbering.end(step, of: [message], failure: nil)
        }
        sender.end(.receive, of: [message], failure: nil)
        let receive = try #require(recorder.spans.last)
        #expect(recorder.spans.dropLast().allSatisfy { $0.parent == receive.id && $0.trace == receive.trace })
        let header = try #require(numbering.traceparent(of: .event, of: message))
        let event = try #require(TraceContext(header))
        #expect(event.span == recorder.spans[1].id)
    }

    @Test("A caller that does not record its trace, and a message that was not chosen, cost no span")
    func notFollowed() {
        let traces = recorder.traces(ratio: 1)
        #expect(traces.receive(message, parent: String(Self.caller.dropLast(2)) + "00") == nil)
        let none = recorder.traces(ratio: 0)
        #expect(none.receive(message, parent: nil) == nil && none.receive(message, parent: "nonsense") == nil)
        for each in [traces, none] {
            each.begin(.commit, of: [message])
            each.end(.commit, of: [message], failure: nil)
            #expect(each.traceparent(of: .event, of: message) == nil)
        }
        #expect(recorder.spans.isEmpty)
    }

    @Test("About the share that was asked for is followed, each in a trace of its own")
    func ratio() {
        let traces = recorder.traces(ratio: 0.25, capacity: 10_000)
        let followed = (0..<4000).compactMap { traces.receive(MessageID(high: 5, low: $0), parent: nil) }
        #expect((800...1200).contains(followed.count))
        #expect(Set(followed.map { $0.prefix(35) }).count == followed.count)
    }

    @Test("Past the bound the oldest message is not followed any more")
    func bound() {
        let traces = recorder.traces(ratio: 1, capacity: 2)
        let messages = (0..<3).map { MessageID(high: 1, low: $0) }
        for message in messages { #expect(traces.receive(message, parent: nil) != nil) }
        traces.end(.receive, of: messages, failure: nil)
        #expect(recorder.spans.map(\.attributes[0].value) == messages.suffix(2).map(\.description))
    }

    @Test("An end without a beginning is no span")
    func unbegun() {
        let traces = recorder.traces(ratio: 1)
        _ = traces.receive(message, parent: nil)
        traces.end(.event, of: [message], failure: nil)
        #expect(recorder.spans.isEmpty)
    }
}
