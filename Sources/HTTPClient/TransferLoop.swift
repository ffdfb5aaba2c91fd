import CCurl

/// Performs requests by libcurl's multi interface. Confined to the client's thread.
final class TransferLoop {
    /// How long `curl_multi_poll` waits where nothing is due.
    private static let longestWait: Duration = .seconds(60)
    /// Connections that were idle for so long are not used again, in seconds.
    private static let maximumIdleSeconds = 60

    private let settings: HTTPClient.Settings
    private let inbox: TransferInbox
    private let multi: UnsafeMutableRawPointer?
    private var transfers: [UnsafeMutableRawPointer: Transfer] = [:]

    /// libcurl's own start, once in a process.
    private static let isReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    init(_ settings: HTTPClient.Settings, _ inbox: TransferInbox) {
        self.settings = settings
        self.inbox = inbox
        multi = Self.isReady ? curl_multi_init() : nil
        guard let multi else { return }
        _ = shim_curl_multi_set_number(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, settings.maximumConnections)
        _ = shim_curl_multi_set_number(multi, CURLMOPT_MAX_HOST_CONNECTIONS, settings.maximumConnectionsPerHost)
        _ = shim_curl_multi_set_number(multi, CURLMOPT_MAXCONNECTS, settings.maximumConnections)
    }

    /// Returns when the inbox is closed.
    func run() {
        guard let multi else { return refuseAll() }
        inbox.setWaiting(multi)
        while true {
            let (submissions, isClosed) = inbox.takeAll()
            for submission in submissions { begin(Transfer(submission), on: multi) }
            if isClosed { break }
            var count: Int32 = 0
            curl_multi_perform(multi, &count)
            takeFinished(from: multi)
            endOverdue(on: multi)
            if transfers.isEmpty {
                curl_multi_poll(multi, nil, 0, Self.milliseconds(Self.longestWait), nil)
            } else {
                curl_multi_poll(multi, nil, 0, Self.milliseconds(timeToNextDeadline), nil)
            }
        }
        inbox.setWaiting(nil)
        for transfer in transfers.values { end(transfer, on: multi, .failure(.closed)) }
        curl_multi_cleanup(multi)
    }

    /// libcurl has no memory for a handle: every request fails.
    private func refuseAll() {
        inbox.close()
        for submission in inbox.takeAll().submissions { submission.finish(.failure(.closed)) }
    }

    private var timeToNextDeadline: Duration {
        let first = transfers.values.map(\.deadline).min()
        return first.map { max(.zero, $0 - .now) } ?? Self.longestWait
    }

    /// Rounded up, so that the loop does not spin before a deadline.
    private static func milliseconds(_ span: Duration) -> Int32 {
        let (seconds, attoseconds) = min(span, longestWait).components
        return Int32(clamping: seconds * 1000 + attoseconds / 1_000_000_000_000_000 + 1)
    }

    // MARK: One transfer

    private func begin(_ transfer: Transfer, on multi: UnsafeMutableRawPointer) {
        do throws(HTTPClientError) {
            let handle = try transfer.prepare(settings, maximumIdleSeconds: Self.maximumIdleSeconds)
            guard curl_multi_add_handle(multi, handle) == CURLM_OK else { throw .overloaded }
            transfers[handle] = transfer
        } catch {
            transfer.finish(.failure(error))
        }
    }

    private func takeFinished(from multi: UnsafeMutableRawPointer) {
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let handle = message.pointee.easy_handle,
                let transfer = transfers[handle]
            else { continue }
            let code = shim_curl_result(message)
            switch transfer.ended(code) {
            case .finished(let result): end(transfer, on: multi, result)
            case .redirected:
                detach(transfer, from: multi)
                begin(transfer, on: multi)
            }
        }
    }

    private func endOverdue(on multi: UnsafeMutableRawPointer) {
        let now = ContinuousClock.now
        for transfer in transfers.values where transfer.deadline <= now {
            transfer.forbidReuse()
            end(transfer, on: multi, .failure(.timedOut))
        }
    }

    private func end(
        _ transfer: Transfer, on multi: UnsafeMutableRawPointer, _ result: Result<HTTPClientResponse, HTTPClientError>
    ) {
        detach(transfer, from: multi)
        transfer.finish(result)
    }

    private func detach(_ transfer: Transfer, from multi: UnsafeMutableRawPointer) {
        guard let handle = transfer.handle else { return }
        curl_multi_remove_handle(multi, handle)
        transfers[handle] = nil
    }
}
