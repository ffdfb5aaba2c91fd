import ChatDomain
import Telemetry

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// `chat-service serve`: assembles an instance, runs it until a signal ends it, reloads it on `SIGHUP`, and stops it.
enum ServeCommand {
    static func run(_ loaded: LoadedConfiguration, source: ConfigurationSource) async -> Int32 {
        let configuration = loaded.configuration
        let logger: Logger
        do throws(RotatingFileSink.Unusable) { logger = try configuration.logging.makeLogger() } catch {
            Logger(level: .error, format: .pretty(colours: false), sink: StandardErrorSink()).error("\(error)")
            return ExitCode.configuration
        }
        DescriptorLimit.raise()
        StartBanner.log(configuration, warnings: loaded.warnings, to: logger)
        let signals = Signals()
        let manager = ServiceManager(
            environment: source.environment, processID: ProcessInfo.processInfo.processIdentifier, logger: logger)
        do {
            let registry = MetricsRegistry()
            let instance = try await RunningInstance(configuration, logger: logger, registry: registry)
            logger.notice("listening", ["port": Int(instance.port)])
            manager.notify(.ready)
            let watchdog = Task { [respond = instance.respond] in await manager.reportAlive(afterEach: respond) }
            let release = Task { await UnusedMemory.releaseRegularly() }
            let reload = Reload(
                source: source, started: loaded, targets: instance.reloadTargets, logger: logger, registry: registry)
            instance.offerControl(reload: reload, grace: configuration.shutdownGrace)
            let reloading = Task { [reloads = signals.reloads, recordReload = instance.recordReload] in
                for await _ in reloads {
                    manager.notify(.reloading(microseconds: WallClock.monotonicMicroseconds()))
                    let report = await reload.perform()
                    await recordReload(report)
                    manager.notify(.ready)
                }
            }
            let signal = await signals.nextEnd()
            reloading.cancel()
            manager.notify(.stopping)
            logger.notice(
                "draining", ["signal": signal, "graceMs": Int(configuration.shutdownGrace.wholeMilliseconds)])
            await instance.stop(within: configuration.shutdownGrace)
            watchdog.cancel()
            release.cancel()
            logger.notice("stopped")
            return ExitCode.success
        } catch {
            logger.error("cannot start: \((error as? StoreError)?.reason ?? "\(error)")")
            return ExitCode.failure
        }
    }
}
