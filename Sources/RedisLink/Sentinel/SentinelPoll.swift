internal import EventLoop

/// Connections to all sentinels, over which each is asked for the primary again and again. Confined to its loop.
///
/// Polling finds a fail-over within one interval, also when the connection to a sentinel was lost meanwhile. A subscription to
/// `+switch-master` would need a second connection to each sentinel, and polling all the same.
final class SentinelPoll {
    private struct Sentinel {
        let connection: CommandConnection
        var isConnected = false
        var isAsked = false
        var hasReported = false
    }

    private let questions: [RedisCommand]
    private let interval: Duration
    private let loop: EventLoop
    private let publish: (SentinelReports) -> Void
    private var reports: SentinelReports
    private var sentinels: [Sentinel] = []
    private var timer: TimerID?

    /// - Parameters:
    ///   - post: brings an event of the sentinel with this index back to `handle` by way of the loop's queue.
    ///   - publish: called after every report, on the loop.
    init(
        _ configuration: RedisSentinels, _ options: RedisOptions, on loop: EventLoop,
        post: @escaping @Sendable (RedisConnectionEvent, Int) -> Void,
        publish: @escaping (SentinelReports) -> Void
    ) {
        questions = SentinelReport.questions(configuration.primaryName)
        interval = options.sentinelInterval
        self.loop = loop
        self.publish = publish
        reports = SentinelReports(configuration)
        for (index, address) in configuration.sentinels.enumerated() {
            let server = FixedServer(RedisEndpoint(address, configuration.sentinelAccess))
            let connection = RedisConnection(server, options, greets: .sentinel, on: loop) { post($0, index) }
            let commands = CommandConnection(
                connection, report: { [weak self] in self?.didChange($0, of: index) }, refused: { _ in },
                didLeaveServer: { _, _ in })
            sentinels.append(Sentinel(connection: commands))
        }
        scheduleRound()
    }

    func handle(_ event: RedisConnectionEvent, of index: Int) { sentinels[index].connection.handle(event) }

    func close() {
        if let timer { loop.cancel(timer) }
        timer = nil
        for sentinel in sentinels { sentinel.connection.close() }
    }

    private func scheduleRound() {
        timer = loop.schedule(after: interval) { [weak self] in
            self?.askAll()
            self?.scheduleRound()
        }
    }

    private func askAll() {
        for index in sentinels.indices {
            if sentinels[index].isConnected {
                ask(index)
            } else if !sentinels[index].hasReported {
                didReport(.unavailable(reason: "not connected yet"), from: index)
            }
        }
    }

    private func didChange(_ state: RedisState, of index: Int) {
        switch state {
        case .connected:
            sentinels[index].isConnected = true
            ask(index)
        case .disconnected(let reason):
            sentinels[index].isConnected = false
            didReport(.unavailable(reason: reason), from: index)
        case .connecting, .closed: break
        }
    }

    private func ask(_ index: Int) {
        guard !sentinels[index].isAsked else { return }
        sentinels[index].isAsked = true
        var answers: [Result<RedisValue, RedisError>] = []
        for question in questions {
            sentinels[index].connection.send(question) { [weak self] answer in
                answers.append(answer)
                guard let self, answers.count == questions.count else { return }
                sentinels[index].isAsked = false
                didReport(SentinelReport(address: answers[0], details: answers[1]), from: index)
            }
        }
    }

    private func didReport(_ report: SentinelReport, from index: Int) {
        sentinels[index].hasReported = true
        reports.received(report, from: index)
        publish(reports)
    }
}
