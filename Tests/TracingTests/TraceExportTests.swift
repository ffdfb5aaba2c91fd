import ChatDomain
import JSON
import Testing

@testable import Tracing

@Suite("OTLP over HTTP")
struct TraceExportTests {
    @Test("Spans are encoded as JSON of Protocol Buffers asks for it")
    func json() throws {
        let span = Span(
            name: "message commit", kind: .inside, trace: .init(high: 1, low: 2), id: 3, parent: 4,
            start: 1_700_000_000_000_001,
            end: 1_700_000_000_000_250, attributes: [.init("messaging.message.id", "a\"b")], failure: "no disk")
        let body = try JSONValue(
            parsing: TraceExport.encode([span], of: [.init("service.name", "chat")], version: "1.2"))
        let resource = try #require(body["resourceSpans"]?.array?.first)
        #expect(resource["resource"]?["attributes"]?.array?.first?["value"]?["stringValue"]?.string == "chat")
        let scope = try #require(resource["scopeSpans"]?.array?.first)
        #expect(scope["scope"]?["version"]?.string == "1.2")
        let encoded = try #require(scope["spans"]?.array?.first)
        #expect(encoded["traceId"]?.string == "00000000000000010000000000000002")
        #expect(
            encoded["spanId"]?.string == "0000000000000003" && encoded["parentSpanId"]?.string == "0000000000000004")
        #expect(encoded["startTimeUnixNano"]?.string == "1700000000000001000")
        #expect(encoded["endTimeUnixNano"]?.string == "1700000000000250000")
        #expect(encoded["status"]?["code"]?.integer == 2 && encoded["status"]?["message"]?.string == "no disk")
        #expect(encoded["attributes"]?.array?.first?["value"]?["stringValue"]?.string == "a\"b")
    }
}
