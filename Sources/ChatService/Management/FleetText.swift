import ChatDomain
import JSON

/// The answers about sessions, rooms, instances and acts of management as tables.
enum FleetText {
    static func sessions(_ answer: JSONValue) -> String {
        var table = TextTable(
            "USER", "SESSION", "INSTANCE", "ADDRESS", "FRAMING", "CONNECTED", "ACTIVE", "QUEUED", "ROOMS")
        let sessions = answer["sessions"]?.array ?? []
        for session in sessions {
            let rooms = session["rooms"]?.array?.compactMap(\.string) ?? []
            let more = Int(session["roomCount"]?.integer ?? 0) - rooms.count
            table.add(
                session["userId"]?.string ?? "-", session["socketId"]?.string ?? "-",
                session["instance"]?.string ?? "-",
                session["address"]?.string ?? "-", session["framing"]?.string ?? "-",
                session["connectedAt"]?.string ?? "-", session["lastActivity"]?.string ?? "-",
                "\(session["queuedBytes"]?.integer ?? 0)",
                rooms.joined(separator: ",") + (more > 0 ? " and \(more) more" : ""))
        }
        return list(table, shown: sessions.count, answer, "sessions")
    }

    static func rooms(_ answer: JSONValue) -> String {
        var table = TextTable("ROOM", "SESSIONS", "LAST SEQ", "INSTANCES")
        let rooms = answer["rooms"]?.array ?? []
        for room in rooms {
            table.add(
                room["roomId"]?.string ?? "-", "\(room["sessions"]?.integer ?? 0)", "\(room["lastSeq"]?.integer ?? 0)",
                (room["instances"]?.array?.compactMap(\.string) ?? []).joined(separator: ","))
        }
        return list(table, shown: rooms.count, answer, "rooms")
    }

    static func stats(_ answer: JSONValue) -> String {
        var table = TextTable(
            "INSTANCE", "VERSION", "STARTED", "STATE", "SESSIONS", "ROOMS", "MESSAGES", "DELIVERIES", "REFUSALS",
            "FAN-OUT P99", "COMMIT P99", "OUTBOX", "SLOW", "MEMORY")
        var troubles: [String] = []
        for instance in answer["fleet"]?.array ?? [] {
            let name = instance["instance"]?.string ?? "-"
            func count(_ key: String) -> String { instance[key]?.integer.map { "\($0)" } ?? "-" }
            table.add(
                name, instance["version"]?.string ?? "-", instance["startedAt"]?.string ?? "-",
                instance["draining"]?.bool == true ? "draining" : "serving", count("sessions"), count("rooms"),
                count("messages"), count("deliveries"), count("refusals"), percentile(instance["fanOut"]),
                percentile(instance["commit"]), instance["outbox"]?["messages"]?.integer.map { "\($0)" } ?? "-",
                count("slowConsumers"), megabytes(instance["memoryBytes"]))
            troubles += (instance["dependencies"]?.array ?? []).compactMap { trouble($0, of: name) }
        }
        let online = "online users: \(answer["online"]?.integer ?? 0)"
        return ([table.text, online] + troubles).joined(separator: "\n")
    }

    static func audit(_ answer: JSONValue) -> String {
        var table = TextTable("TIME", "ACTION", "OUTCOME", "ACTOR", "ADDRESS", "INSTANCE", "USER", "ROOM", "DETAIL")
        let entries = answer["entries"]?.array ?? []
        for entry in entries {
            let message = entry["messageId"]?.string.map { "message \($0)" }
            let details = [message, entry["detail"]?.string].compactMap(\.self)
            table.add(
                time(entry["timestamp"]) ?? "-", entry["action"]?.string ?? "-", entry["outcome"]?.string ?? "-",
                entry["actor"]?.string ?? (entry["service"]?.bool == true ? "(service)" : "-"),
                entry["address"]?.string ?? "-", entry["instance"]?.string ?? "-", entry["userId"]?.string ?? "-",
                entry["roomId"]?.string ?? "-", details.isEmpty ? "-" : details.joined(separator: "; "))
        }
        let more = answer["cursor"]?.string.map { "; older ones with --before \($0.printable)" } ?? ""
        return "\(table.text)\n\(entries.count) \(entries.count == 1 ? "entry" : "entries")\(more)"
    }

    static func bans(_ answer: JSONValue) -> String {
        var table = TextTable("USER", "SINCE", "UNTIL", "BY", "REASON")
        let bans = answer["bans"]?.array ?? []
        for ban in bans {
            table.add(
                ban["userId"]?.string ?? "-", time(ban["timestamp"]) ?? "-", time(ban["until"]) ?? "for ever",
                ban["by"]?.string ?? "-", ban["reason"]?.string ?? "-")
        }
        let more = answer["cursor"]?.string.map { "; more with --after \($0.printable)" } ?? ""
        return "\(table.text)\n\(bans.count) \(bans.count == 1 ? "ban" : "bans")\(more)"
    }

    static func reloads(_ answer: JSONValue) -> String {
        var table = TextTable("INSTANCE", "OUTCOME", "APPLIED")
        var remarks: [String] = []
        func texts(_ value: JSONValue?) -> [String] { value?.array?.compactMap(\.string) ?? [] }
        for reload in answer["reloads"]?.array ?? [] {
            let name = reload["instance"]?.string ?? "-"
            let applied = texts(reload["applied"])
            table.add(
                name, reload["outcome"]?.string ?? "-", applied.isEmpty ? "-" : applied.joined(separator: ", "))
            let later = texts(reload["restartNeeded"])
            if !later.isEmpty { remarks.append("\(name): at the next start: \(later.joined(separator: ", "))") }
            remarks += texts(reload["warnings"]).map { "\(name): warning: \($0)" }
            if let reason = reload["error"]?.string { remarks.append("\(name): refused: \(reason)") }
        }
        return ([table.text] + remarks.map(\.printable)).joined(separator: "\n")
    }

    private static func time(_ value: JSONValue?) -> String? {
        value?.integer.map { Timestamp(milliseconds: $0).iso8601 }
    }

    private static func list(_ table: TextTable, shown: Int, _ answer: JSONValue, _ noun: String) -> String {
        let total = answer["total"]?.integer ?? Int64(shown)
        return "\(table.text)\n\(shown) of \(total) \(noun)"
    }

    /// The bound of the histogram's bucket that holds the 99th of a hundred values.
    static func percentile(_ histogram: JSONValue?) -> String {
        let bounds = histogram?["bounds"]?.array?.compactMap(\.number) ?? []
        let counts = histogram?["counts"]?.array?.compactMap(\.number) ?? []
        let total = counts.reduce(0, +)
        guard total > 0 else { return "-" }
        var sum = 0.0
        for (index, count) in counts.enumerated() {
            sum += count
            guard sum >= total * 0.99 else { continue }
            guard bounds.indices.contains(index) else { break }
            return "≤\(shown(bounds[index])) ms"
        }
        return bounds.last.map { ">\(shown($0)) ms" } ?? "-"
    }

    private static func shown(_ bound: Double) -> String {
        Int64(exactly: bound).map { "\($0)" } ?? "\(bound)"
    }

    private static func megabytes(_ bytes: JSONValue?) -> String {
        bytes?.integer.map { "\($0 / 1_048_576) MiB" } ?? "-"
    }

    private static func trouble(_ dependency: JSONValue, of instance: String) -> String? {
        let state = dependency["state"]?.string ?? "unknown"
        guard state != "up" else { return nil }
        let since = dependency["since"]?.string.map { " since \($0)" } ?? ""
        let reason = dependency["lastError"]?.string.map { ": \($0)" } ?? ""
        return "\(instance): \(dependency["name"]?.string ?? "-") is \(state)\(since)\(reason)".printable
    }
}
