import ChatDomain
import JSON
import PersistenceMongoDB
import PersistenceSQLite
import Telemetry

/// `chat-service migrate`: brings the store up to date. It may run again after it was interrupted, with MongoDB also beside the service.
enum MigrateCommand {
    static func run(
        _ loaded: LoadedConfiguration, _ arguments: MigrateArguments, print: @Sendable (String) -> Void
    ) async -> Int32 {
        let logger = Logger(level: .info, format: loaded.configuration.logging.format, sink: StandardErrorSink())
        do throws(StoreError) {
            let plan = try await MigrationPlan(loaded.configuration.store)
            if arguments.isDryRun {
                print(arguments.printsJSON ? plan.json : plan.text)
                return ExitCode.success
            }
            let numbered = try await migrate(loaded, logger)
            logger.notice("migrated", ["changes": plan.changes.count, "messages": numbered])
            if arguments.printsJSON { print(plan.json(numbered: numbered)) }
            return ExitCode.success
        } catch {
            logger.error("cannot migrate: \(error.reason)")
            return ExitCode.failure
        }
    }

    /// - Returns: the number of messages that got a number.
    private static func migrate(_ loaded: LoadedConfiguration, _ logger: Logger) async throws(StoreError) -> Int {
        guard case .mongo(let uri) = loaded.configuration.store else {
            // Opening the store makes the tables of this version.
            await (try await loaded.configuration.openStore()).close()
            return 0
        }
        let store = try await MongoStore.open(uri: uri.text, options: StoreOptions())
        do throws(StoreError) {
            let count = try await store.migrate { logger.info("numbering", ["messages": $0]) }
            await store.close()
            return count
        } catch {
            await store.close()
            throw error
        }
    }
}

/// What a migration would change.
struct MigrationPlan: Equatable, Sendable {
    /// `sqlite` or `mongodb`.
    let store: String
    /// The version of the embedded store's file; nil for MongoDB and where there is no file.
    let version: Int?
    /// nil for MongoDB, whose documents have no version.
    let newest: Int?
    let changes: [String]
    let notes: [String]

    init(_ store: Configuration.Store) async throws(StoreError) {
        switch store {
        case .embedded(let directory): self.init(try SQLiteStore.schemaPlan(directory: directory))
        case .mongo(let uri): self.init(try await MongoStore.inspect(uri: uri.text))
        }
    }

    init(_ plan: SchemaPlan) {
        store = "sqlite"
        version = plan.version
        newest = plan.newest
        changes = plan.changes
        notes = plan.isInUse ? ["a process has the store open; the version is the one in its file"] : []
    }

    init(_ inspection: MongoInspection) {
        store = "mongodb"
        version = nil
        newest = nil
        var changes = inspection.missingIndexes.map { "make index \($0.name) of \($0.collection)" }
        if inspection.holdsUnnumbered {
            let count = inspection.unnumberedMessages.map { "\($0) messages" } ?? "the messages that have no number"
            changes.append("number \(count)")
        }
        self.changes = changes
        notes = inspection.differentIndexes.map {
            "the index \($0.name) of \($0.collection) has another definition; drop it while no instance runs"
        }
    }

    var text: String {
        let title =
            switch (version, newest) {
            case (let version?, let newest?):
                "the embedded store has version \(version), this program makes version \(newest)"
            case (nil, let newest?): "there is no embedded store; this program makes version \(newest)"
            default: "the store is MongoDB"
            }
        let lines = changes.isEmpty ? ["nothing would change"] : changes.map { "would \($0)" }
        return ([title] + lines + notes.map { "note: \($0)" }).joined(separator: "\n")
    }

    var json: String { json(numbered: nil) }

    /// - Parameter numbered: the number of messages that got a number; nil for a dry run.
    func json(numbered: Int?) -> String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("store", store)
            writer.member("dryRun", numbered == nil)
            if let version { writer.member("version", version) }
            if let newest { writer.member("newest", newest) }
            writer.key("changes")
            writer.array(changes) { $0.string($1) }
            writer.key("notes")
            writer.array(notes) { $0.string($1) }
            if let numbered { writer.member("numberedMessages", numbered) }
        }
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
