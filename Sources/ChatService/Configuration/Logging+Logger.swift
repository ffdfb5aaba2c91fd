import Telemetry

extension Configuration.Logging {
    /// The process's logger: standard error, and the rotated files where a directory is set.
    func makeLogger() throws(RotatingFileSink.Unusable) -> Logger {
        guard let directory else { return Logger(level: level, format: format, sink: StandardErrorSink()) }
        let files = try RotatingFileSink(directory: directory, name: "chat-service")
        return Logger(level: level, format: format, sink: TeeSink([StandardErrorSink(), files]))
    }
}
