import ChatDomain

extension ClientEvent {
    /// What the event's sender gets when it asks for an answer and is not refused.
    package var answer: Schema {
        switch names.first {
        case "join_room": Self.joined
        case "send_message":
            .oneOf(.object([.required("success", .success)] + SchemaComponent.sentMembers), .named(.delivery))
        case "edit_message", "delete_message", "react", "pin_message": Self.success(SchemaComponent.changedMembers)
        case "join_user": Self.success([.required("userId", .id("ada"))])
        case "get_online_users": .list(of: .named(.presence), atMost: 1000)
        default: answerOfEvent ?? Self.success([])
        }
    }

    /// The data of the event that answers this one, with `success` in an object.
    private var answerOfEvent: Schema? {
        let event = ServerEvent.all.first { $0.request.map(names.contains) ?? false }
        guard let event else { return nil }
        return event.data.members.map(Self.success) ?? event.data
    }

    private static func success(_ members: [Schema.Member]) -> Schema {
        .object([.required("success", .success)] + members)
    }

    private static let joined = success(
        SchemaComponent.stateMembers + [
            .required("messages", .list(of: .named(.message), atMost: HistoryQuery.limits.upperBound)),
            .optional("changes", .list(of: .named(.message), atMost: HistoryQuery.limits.upperBound)),
            .required("users", .list(of: .named(.user), atMost: 200)),
            .optional("readMarks", .list(of: .named(.readMark), atMost: 50)), .optional("resync", .boolean),
        ])
}
