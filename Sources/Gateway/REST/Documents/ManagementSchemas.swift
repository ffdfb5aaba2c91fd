import ChatCore
import ChatDomain
import ChatProtocol

/// The answers to operators, as the documents describe them.
enum ManagementSchemas {
    private static let fleet: [Schema.Member] = [
        .required("instances", .list(of: .text("a"))),
        .required("unanswered", .list(of: .text("b")).noted("live instances that did not answer in time")),
        .required("complete", .boolean.noted("whether every instance is known and answered")),
    ]

    private static func answer(_ members: [Schema.Member]) -> Schema {
        .object([.required("success", .success)] + members + fleet)
    }

    static let sessions = answer([
        .required(
            "sessions",
            .list(
                of: .object(
                    .required("socketId", .text("a-0-65f0c1b2a3d4e5f60718293a")), .required("instance", .text("a")),
                    .required("userId", .nullable(.id("ada"))), .required("username", .nullable(.text("Ada"))),
                    .required("address", .nullable(.text("10.0.0.7"))),
                    .required("framing", .choice(["socket.io", "event", "type"])),
                    .required("userAgent", .nullable(.text("Mozilla/5.0"))), .required("connectedAt", .time),
                    .required("lastActivity", .time),
                    .required("queuedBytes", .count(0).noted("bytes that the client has not taken")),
                    .required("rooms", .list(of: .id("general"), atMost: SessionSummary.maximumRooms)),
                    .required("roomCount", .count(1))), atMost: SessionQuery.limits.upperBound)),
        .required("total", .count(1)),
    ])

    static let rooms = answer([
        .required(
            "rooms",
            .list(
                of: .object(
                    .required("roomId", .id("general")), .required("sessions", .count(12)),
                    .required("lastSeq", .count(77)), .required("instances", .list(of: .text("a")))),
                atMost: RoomQuery.limits.upperBound)),
        .required("total", .count(1).noted("exact where all rooms are listed, else an upper bound")),
    ])

    static let stats = answer([
        .required("timestamp", .time), .required("online", .count(12)),
        .required(
            "fleet",
            .list(
                of: .object(
                    .required("instance", .text("a")), .required("sessions", .count(10)),
                    .required("dependencies", .list(of: .object()))
                ).noted("counters are since the start of the instance; see the operations documents"))),
    ])

    static let audit = Schema.object(
        .required("success", .success),
        .required(
            "entries",
            .list(
                of: .object(
                    .required("id", .messageID), .required("timestamp", .milliseconds),
                    .required("action", .choice(AuditEntry.Action.allCases.map(\.rawValue))),
                    .required("outcome", .choice(["done", "refused"])), .required("service", .boolean),
                    .required("actor", .nullable(.id("ada"))), .required("address", .nullable(.text("10.0.0.9"))),
                    .required("instance", .text("a")), .required("userId", .nullable(.id("bob"))),
                    .required("roomId", .nullable(.id("general"))),
                    .required("messageId", .nullable(.messageID)), .required("detail", .nullable(.text("a b")))),
                atMost: Int(ManagementRoutes.pageLimits.upperBound))),
        .optional("cursor", .text("1795267795285:65f0c1b2a3d4e5f60718293a")))

    static let drain = Schema.object(
        .required("success", .success), .required("instance", .text("b")),
        .required("state", .choice(["draining"])), .required("sessions", .count(10)))

    static let reloads = answer([
        .required(
            "reloads",
            .list(
                of: .object(
                    .required("instance", .text("a")), .required("outcome", .choice(["done", "refused"])),
                    .required("applied", .list(of: .text("certificate"))),
                    .required("restartNeeded", .list(of: .text("PORT"))),
                    .required("warnings", .list(of: .text("key set: HTTP 500"))),
                    .required("error", .nullable(.text("JWT_JWKS_FILE=/keys.json: it is no JSON"))))))
    ])
}
