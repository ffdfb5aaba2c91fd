import ChatDomain
import EventLoop
import Identity

/// What an address may do, shared by all shards. An IPv6 address counts as its /64, of which one subscriber has all.
final class AddressLimits: Sendable {
    private let connections: RateTable<IPAddress>
    /// With a service key of `ServiceKey.minimumBytes` that many guesses come to nothing.
    private let keyGuesses = RateTable<IPAddress>(rate: 1, burst: 10)

    /// - Parameter rate: connections a second and address, 0 for no limit.
    init(rate: Int) { connections = RateTable(rate: rate, burst: rate * 4) }

    /// Counts a connection; the milliseconds to wait when it is one too many.
    func countConnection(from address: IPAddress, at now: Moment) -> Int64? {
        connections.count(address.counted, at: now)
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
    var count: Int { connections.size + keyGuesses.size }

    func sweep(at now: Moment) {
        connections.sweep(at: now)
        keyGuesses.sweep(at: now)
    }
}

extension Services {
    /// - Throws: `unauthorized` for a key that is not the configured one, `rate_limited` after too many of those.
    func check(serviceKey key: String?, from address: IPAddress, at now: Moment) throws(ChatError) {
        guard let key, let expected = configuration.serviceKey else { throw .unauthorized }
        try addresses.guardKey(from: address, at: now) { expected.matches(key) }
    }
}

extension IPAddress {
    /// What stands for this address where addresses are counted.
    var counted: IPAddress { isIPv4 ? self : IPAddress(high: high, low: 0) }
}
