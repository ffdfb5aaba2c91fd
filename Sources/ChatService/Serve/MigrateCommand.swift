import ChatDomain
import PersistenceMongoDB
import Telemetry

/// `chat-service migrate`: numbers the messages that an older program stored without numbers. It may run beside the service, and
/// again after it was interrupted.
enum MigrateCommand {
    static func run(_ loaded: LoadedConfiguration) async -> Int32 {
        let logger = Logger(level: .info, format: loaded.configuration.logging.format, sink: StandardErrorSink())
        guard case .mongo(let uri) = loaded.configuration.store else {
            logger.error(
                "there is nothing to migrate: MONGODB_URI is not set, and the embedded store numbers by itself")
            return ExitCode.configuration
        }
        do throws(StoreError) {
            let store = try await MongoStore.open(uri: uri.text, options: StoreOptions())
            let count = try await store.migrate { logger.info("numbering", ["messages": $0]) }
            await store.close()
            logger.notice("migrated", ["messages": count])
            return ExitCode.success
        } catch {
            logger.error("cannot migrate: \(error)")
            return ExitCode.failure
        }
    }
}
