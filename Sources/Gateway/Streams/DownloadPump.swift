import Engine

/// Reads the body of an answer off the loop, a part at a time, as its client takes it.
final class DownloadPump: ResponseBodySource {
    /// Bytes read at once.
    private static let partBytes: Int64 = 128 * 1024

    private unowned let channels: ChannelContext
    private weak var connection: Connection?
    private let read: RESTAnswer.BodyRead
    private var range: Range<Int64>
    private var isStopped = false

    /// - Parameter range: the bytes of the answer, within what `read` reads.
    init(
        _ range: Range<Int64>, on connection: Connection, _ channels: ChannelContext,
        read: @escaping RESTAnswer.BodyRead
    ) {
        self.range = range
        self.connection = connection
        self.channels = channels
        self.read = read
    }

    func produce() {
        guard !isStopped else { return }
        let (offset, limit) = (range.lowerBound, Int(min(Self.partBytes, range.upperBound - range.lowerBound)))
        channels.run({ [read] in await read(offset, limit) }) { [self] bytes in
            guard !isStopped, let connection else { return }
            // Without bytes the connection ends: its client must not take the answer for complete.
            let bytes = bytes.map { $0.count <= limit ? $0 : [] } ?? []
            range = (offset + Int64(bytes.count))..<range.upperBound
            connection.sendBody(bytes)
        }
    }

    func stop() { isStopped = true }
}
