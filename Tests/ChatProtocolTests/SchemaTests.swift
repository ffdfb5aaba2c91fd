import JSON
import Testing

@testable import ChatProtocol

@Suite struct SchemaTests {
    private func text(_ schema: Schema) -> String {
        var out = JSONWriter()
        out.schema(schema)
        return String(decoding: out.bytes, as: UTF8.self)
    }

    @Test func anObjectNamesTheMembersThatItNeeds() {
        let schema = Schema.object(.required("a", .boolean), .optional("b", .count(1)))
        #expect(
            text(schema)
                == #"{"type":"object","properties":{"a":{"type":"boolean"},"b":{"type":"integer","minimum":0}},"required":["a"]}"#
        )
        #expect(schema.example == .object(["a": .bool(true), "b": .integer(1)]))
    }

    @Test func aNamedSchemaIsAReferenceWithTheComponentsExample() {
        let component = SchemaComponent("Thing", .object(.required("a", .id("x"))))
        #expect(text(.named(component)) == ##"{"$ref":"#/components/schemas/Thing"}"##)
        #expect(Schema.named(component).example == .object(["a": .string("x")]))
    }

    @Test func idsThatAreGivenMayBeIntegers() {
        #expect(text(.givenID("x")).contains(#""type":["string","integer"]"#))
        #expect(text(.givenID("x", isIntegerTaken: false)).contains(#""type":"string""#))
    }

    @Test func nullIsAllowedWhereTheSchemaSaysSo() {
        #expect(text(.nullable(.boolean)) == #"{"anyOf":[{"type":"boolean"},{"type":"null"}]}"#)
    }

    @Test func valuesForPeopleHaveAMemberOnEachLine() {
        let value = JSONValue.object(["b": .array([.integer(1), .null]), "a": .object([:])])
        #expect(value.indented() == "{\n  \"a\": {},\n  \"b\": [\n    1,\n    null\n  ]\n}")
    }

    @Test func everyEventOfClientsHasAnAnswerThatSaysSuccessOrIsAList() {
        for event in CommandDecoder.events where event.names[0] != "ping" {
            let answer = event.answer
            let isPlain = answer.members == nil
            #expect(isPlain || answer.members?.contains { $0.name == "success" } == true, "\(event.names)")
        }
    }

    @Test func theEventsOfTheServerHaveNamesOfTheirOwn() {
        let names = ServerEvent.all.map(\.name)
        #expect(Set(names).count == names.count)
        let requests = Set(CommandDecoder.events.flatMap(\.names))
        for event in ServerEvent.all {
            if let request = event.request { #expect(requests.contains(request), "\(event.name)") }
        }
    }
}
