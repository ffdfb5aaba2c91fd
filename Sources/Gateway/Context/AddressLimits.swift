import ChatCore
import ChatDomain
import EventLoop

/// The rates of each address, shared by all shards. An IPv6 address counts as its /64, of which one subscriber has all.
final class AddressLimits: Sendable {
    private let connections: RateTable<IPAddress>
    /// Calls over REST of callers without a name.
    private let calls: RateTable<IPAddress>
    /// With a service key of `ServiceKey.minimumBytes` that many guesses come to nothing.
    private let keyGuesses = RateTable<IPAddress>(rate: 1, burst: 10)

    /// - Parameters:
    ///   - connectionRate: connections a second and address, 0 for no limit.
    ///   - callRate: calls a second and address, 0 for no limit.
    init(connectionRate: Int, callRate: Int) {
        connections = RateTable(rate: connectionRate, burst: connectionRate * 4)
        calls = RateTable(rate: callRate, burst: callRate * 3)
    }

    /// Uses other rates from now on.
    func setRates(connections: Int, calls: Int) {
        self.connections.setRate(connections, burst: connections * 4)
        self.calls.setRate(calls, burst: calls * 3)
    }

    /// Counts a connection; the time to wait when it is one too many.
    func countConnection(from address: IPAddress, at now: Moment) -> Duration? {
        connections.count(address.counted, at: now)
    }

    /// Counts a call over REST of a caller without a name.
    ///
    /// - Throws: `rate_limited` when it is one too many.
    func countCall(from address: IPAddress, at now: Moment) throws(ChatError) {
        if let wait = calls.count(address.counted, at: now) { throw .tooFast(wait: wait) }
    }

    /// Runs `check` unless the address guessed wrong too often; another wrong guess is counted.
    ///
    /// - Throws: `rate_limited` without a look at the key, `unauthorized` for a wrong one.
    func guardKey(from address: IPAddress, at now: Moment, _ check: () -> Bool) throws(ChatError) {
        if let wait = keyGuesses.wait(address.counted, at: now) { throw .tooFast(wait: wait) }
        guard !check() else { return }
        _ = keyGuesses.count(address.counted, at: now)
        throw .unauthorized
    }

    /// Addresses remembered.
    var count: Int { connections.size + calls.size + keyGuesses.size }

    func sweep(at now: Moment) {
        connections.sweep(at: now)
        calls.sweep(at: now)
        keyGuesses.sweep(at: now)
    }
}

extension IPAddress {
    /// The address that counts for this one: an IPv6 address counts as its /64.
    var counted: IPAddress { isIPv4 ? self : IPAddress(high: high, low: 0) }
}
