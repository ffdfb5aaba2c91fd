import ChatDomain
import ChatTestSupport
import Foundation
import JSON
import Testing

@testable import ChatProtocol

/// The rules that all declarations of events keep.
@Suite struct ClientEventTests {
    private func refusal(_ event: String, _ data: String) throws -> ChatError? {
        try withJSON(data) { root in
            do throws(ChatError) {
                _ = try CommandDecoder.decode(event: event, data: root, isFlat: false, limits: CommandLimits())
                return nil
            } catch { return error }
        }
    }

    @Test func noNameIsDeclaredTwice() {
        let names = CommandDecoder.events.flatMap(\.names)
        #expect(Set(names).count == names.count)
    }

    @Test(arguments: CommandDecoder.events.flatMap { event in event.names.map { ($0, event) } })
    func theNameLeadsToTheEvent(_ name: String, _ event: ClientEvent) throws {
        #expect(try refusal(name, "{}")?.code != .unknownEvent)
    }

    /// A field of a kind that the event does not take is refused under its name.
    @Test(arguments: CommandDecoder.events)
    func aFieldOfTheWrongKindIsNamed(_ event: ClientEvent) throws {
        for field in event.fields {
            var members = event.fields.filter { $0.isRequired && $0 != field }.map { "\"\($0.name)\":\(Self.good($0))" }
            if event.names == ["send_message"], !["roomId", "recipientIds"].contains(field.name) {
                members.append(#""roomId":"r""#)
            }
            members.append("\"\(field.name)\":\(Self.bad(field))")
            let error = try refusal(event.names[0], "{" + members.joined(separator: ",") + "}")
            #expect(error?.code == .badRequest, "\(event.names[0]).\(field.name)")
            #expect(error?.message.contains(field.name) == true, "\(event.names[0]): \(error?.message ?? "taken")")
        }
    }

    @Test(arguments: CommandDecoder.events)
    func aMissingFieldIsNamed(_ event: ClientEvent) throws {
        for field in event.fields where field.isRequired {
            let others = event.fields.filter { $0.isRequired && $0 != field }
                .map { "\"\($0.name)\":\(Self.good($0))" }
            let room = event.names == ["send_message"] ? [#""roomId":"r""#] : []
            let error = try refusal(event.names[0], "{" + (others + room).joined(separator: ",") + "}")
            #expect(error?.code == .badRequest)
            #expect(error?.message.contains(field.name) == true, "\(event.names[0]): \(error?.message ?? "taken")")
        }
    }

    private static func good(_ field: ClientEvent.Field) -> String {
        switch field.kind {
        case .id where field.name == "messageId": #""6b019cd338c20c8767990049""#
        case .id, .text: #""x""#
        case .ids: #"["x"]"#
        case .integer: "1"
        case .boolean: "true"
        case .object: "{}"
        }
    }

    private static func bad(_ field: ClientEvent.Field) -> String {
        switch field.kind {
        case .id, .text, .integer, .boolean, .object: "[[]]"
        case .ids: #""x""#
        }
    }

    // MARK: Documents

    @Test func theDocumentedTablesAreTheDeclarations() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/protocol.md")
        let page = try String(contentsOf: file, encoding: .utf8)
        for table in [
            Self.table(ClientEvent.session + ClientEvent.rooms + ClientEvent.changes), Self.table(ClientEvent.presence),
        ] {
            let isThere = page.contains(table)
            #expect(isThere, "docs/protocol.md has to hold this table:\n\(table)")
        }
    }

    private static func table(_ events: [ClientEvent]) -> String {
        "| event | data | what follows |\n|---|---|---|\n"
            + events.map { event in
                let names = event.names.map { "`\($0)`" }.joined(separator: ", ")
                let fields = event.fields.map { $0.name + ($0.isRequired ? "" : "?") }.joined(separator: ", ")
                return "| \(names) | \(event.dataNote ?? "`{\(fields)}`") | \(event.effect) |\n"
            }.joined()
    }
}
