import ChatDomain
import PersistenceMongoDB
import PersistenceSQLite

/// The store: whether it can be used, its version, and what the next start would change in it.
enum StoreChecks {
    static func findings(
        _ configuration: Configuration, now: @Sendable () -> Timestamp
    ) async -> [Finding] {
        switch configuration.store {
        case .embedded(let directory): embedded(directory)
        case .mongo(let uri): await mongo(uri.text, now: now)
        }
    }

    private static func embedded(_ directory: String) -> [Finding] {
        do throws(StoreError) {
            return [finding(try SQLiteStore.schemaPlan(directory: directory))]
        } catch {
            return [
                .error(
                    "store", error.reason,
                    do: "start the version that made it, or restore a backup (docs/upgrade.md)")
            ]
        }
    }

    static func finding(_ plan: SchemaPlan) -> Finding {
        guard let version = plan.version else { return .ok("store", "there is no store yet; the first start makes it") }
        let text = "the embedded store has version \(version)\(plan.isInUse ? " and is in use" : "")"
        guard version < plan.newest else { return .ok("store", text) }
        return .note(
            "store", "\(text); the next start makes it version \(plan.newest)",
            do:
                "make a backup before: an older program will not open it. chat-service migrate --dry-run shows the changes"
        )
    }

    private static func mongo(_ uri: String, now: @Sendable () -> Timestamp) async -> [Finding] {
        let before = now()
        do throws(StoreError) {
            let inspection = try await MongoStore.inspect(uri: uri)
            return findings(inspection, between: before, now())
        } catch {
            return [
                .error(
                    "mongodb", error.reason,
                    do: "check MONGODB_URI, the network, and that the deployment has a primary (rs.status())")
            ]
        }
    }

    static func findings(
        _ inspection: MongoInspection, between before: Timestamp, _ after: Timestamp
    ) -> [Finding] {
        var findings = [
            Finding.ok(
                "mongodb",
                "MongoDB \(inspection.version ?? "of unknown version") answers (\(inspection.topology.rawValue), database \(inspection.database))"
            )
        ]
        if inspection.topology == .single {
            findings.append(
                .warning(
                    "mongodb", "it is a single server, without a replica",
                    do: "use a replica set of three in production: acknowledged messages are otherwise on one disk"))
        }
        if !inspection.missingRights.isEmpty {
            findings.append(
                .error(
                    "mongodb", "its user may not: \(inspection.missingRights.joined(separator: ", "))",
                    do: "grant it the role readWrite on the database \(inspection.database)"))
        }
        findings += inspection.differentIndexes.map { index in
            .error(
                "mongodb", "the index \(index.name) of \(index.collection) has another definition",
                do: "drop it while no instance runs; the next start makes it")
        }
        if !inspection.missingIndexes.isEmpty {
            findings.append(
                .note(
                    "mongodb", "the next start makes \(inspection.missingIndexes.count) indexes",
                    do: "chat-service migrate --dry-run lists them; on large collections choose a quiet time"))
        }
        if inspection.holdsUnnumbered {
            findings.append(
                .warning(
                    "mongodb", "messages of an older program have no numbers", do: "run chat-service migrate"))
        }
        if let time = inspection.time {
            findings.append(ClockCheck.finding("clock", "MongoDB", says: time, between: before, after))
        }
        return findings
    }
}
