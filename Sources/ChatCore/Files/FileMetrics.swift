import Telemetry

/// The metrics of rooms' files.
package struct FileMetrics: Sendable {
    package let underWay: Gauge
    package let uploads: Counter
    package let uploadedBytes: Counter
    package let downloads: Counter
    package let downloadedBytes: Counter
    package let removed: Counter

    package init(_ registry: MetricsRegistry) {
        underWay = registry.gauge("chat_file_uploads_active", help: "Uploads of files under way on this instance.")
        uploads = registry.counter("chat_file_uploads_total", help: "Files that were uploaded completely.")
        uploadedBytes = registry.counter("chat_file_uploaded_bytes_total", help: "Bytes of files taken from clients.")
        downloads = registry.counter("chat_file_downloads_total", help: "Downloads of files, or parts of them, begun.")
        downloadedBytes = registry.counter("chat_file_downloaded_bytes_total", help: "Bytes of files read for clients.")
        removed = registry.counter("chat_files_removed_total", help: "Files removed by this instance.")
    }
}
