/// The last report of each sentinel, and the primary that follows from them. A value without I/O.
///
/// The newest decision counts, which is the one with the greatest epoch: a sentinel that was cut off may still name a primary that
/// the others have replaced. Between reports of one epoch the number of sentinels decides, then the order in the configuration. The
/// connection itself checks that the server is a primary, and else tries the next address of that epoch.
struct SentinelReports: Hashable, Sendable {
    private let sentinels: [RedisAddress]
    private let name: String
    private let access: RedisAccess
    /// By the sentinel's place in the configuration; nil before its first report.
    private var reports: [SentinelReport?]
    private(set) var location = ServerLocation.unknown

    init(_ configuration: RedisSentinels) {
        sentinels = configuration.sentinels
        name = configuration.primaryName
        access = configuration.access
        reports = Array(repeating: nil, count: sentinels.count)
    }

    /// - Parameter index: the sentinel's place in the configuration.
    mutating func received(_ report: SentinelReport, from index: Int) {
        guard reports.indices.contains(index) else { return }
        reports[index] = report
        // A sentinel that answers first may be the one that was cut off.
        guard !reports.contains(nil) else { return }
        let named = namedPrimaries()
        if !named.isEmpty {
            location = .servers(named.map(candidate))
        } else if case .servers = location, isCutOff {
            // The last known primary may serve on while all sentinels are away.
        } else {
            location = .none(reason: "no sentinel names the primary \(name): \(problems.joined(separator: "; "))")
        }
    }

    var status: RedisSentinelStatus {
        let agreeing = reports.count { report in
            if case .primary(let address, _) = report { address == primary } else { false }
        }
        return RedisSentinelStatus(
            primary: primary, sentinels: sentinels.count, agreeing: agreeing, problems: problems)
    }

    /// No sentinel answers at all.
    private var isCutOff: Bool {
        reports.allSatisfy { if case .unavailable = $0 { true } else { false } }
    }

    private var primary: RedisAddress? {
        if case .servers(let servers) = location { servers.first?.endpoint.address } else { nil }
    }

    /// None before every sentinel has reported.
    private var problems: [String] {
        guard !reports.contains(nil) else { return [] }
        return zip(sentinels, reports).compactMap { sentinel, report in
            switch report {
            case .primary(let address, _):
                address == primary ? nil : "sentinel \(sentinel): it names \(address)"
            case .noPrimary(let reason), .unavailable(let reason): "sentinel \(sentinel): \(reason)"
            case nil: nil
            }
        }
    }

    /// The addresses of the newest decision, in the order in which they are tried.
    private func namedPrimaries() -> [(address: RedisAddress, votes: Int)] {
        let votes = reports.compactMap { report -> (address: RedisAddress, epoch: Int64)? in
            guard case .primary(let address, let epoch) = report else { return nil }
            return (address, epoch ?? .min)
        }
        let newest = votes.map(\.epoch).max()
        var named: [(address: RedisAddress, votes: Int)] = []
        for vote in votes where vote.epoch == newest {
            if let known = named.firstIndex(where: { $0.address == vote.address }) {
                named[known].votes += 1
            } else {
                named.append((vote.address, 1))
            }
        }
        // The order of the configuration decides between equals; sorting alone does not keep it.
        return named.enumerated()
            .sorted { ($1.element.votes, $0.offset) < ($0.element.votes, $1.offset) }
            .map(\.element)
    }

    private func candidate(_ named: (address: RedisAddress, votes: Int)) -> ServerCandidate {
        ServerCandidate(
            endpoint: RedisEndpoint(named.address, access),
            label: "primary \(name) at \(named.address), named by \(named.votes) of \(sentinels.count) sentinels")
    }
}
