import ChatDomain
import EventLoop
import Testing

@testable import Gateway

private func moment(_ milliseconds: Int64) -> Moment { Moment(milliseconds: milliseconds) }

@Suite struct AddressLimitTests {
    private func ip(_ number: UInt64) -> IPAddress { IPAddress(high: 0x2001_0DB8_0000_0000 + number, low: 1) }

    @Test func eachAddressHasItsOwnAllowance() {
        let limits = AddressLimits(connectionRate: 5, callRate: 5)
        for _ in 0..<20 { #expect(limits.countConnection(from: ip(1), at: moment(0)) == nil) }
        #expect(limits.countConnection(from: ip(1), at: moment(0)) == .milliseconds(200))
        #expect(limits.countConnection(from: ip(2), at: moment(0)) == nil)
        #expect(limits.countConnection(from: ip(1), at: moment(200)) == nil)
    }

    @Test func zeroMeansNoLimit() {
        let limits = AddressLimits(connectionRate: 0, callRate: 0)
        for _ in 0..<1000 { #expect(limits.countConnection(from: ip(1), at: moment(0)) == nil) }
        #expect(limits.count == 0)
    }

    @Test func ofIPv6ANetworkCountsAndOfIPv4AnAddress() throws {
        let limits = AddressLimits(connectionRate: 5, callRate: 5)
        for number in UInt64(0)..<20 {
            #expect(limits.countConnection(from: IPAddress(high: 1, low: number), at: moment(0)) == nil)
        }
        #expect(limits.countConnection(from: IPAddress(high: 1, low: 99), at: moment(0)) != nil)
        #expect(limits.countConnection(from: IPAddress(high: 2, low: 99), at: moment(0)) == nil)
        for number in 1...21 {
            let mapped = try #require(IPAddress("::ffff:10.0.0.\(number)"))
            #expect(limits.countConnection(from: mapped, at: moment(0)) == nil)
        }
    }

    @Test func idleAddressesAreForgottenFirst() {
        let limits = AddressLimits(connectionRate: 5, callRate: 5)
        for _ in 0..<20 { _ = limits.countConnection(from: ip(0), at: moment(0)) }
        for number in 1..<UInt64(200_000) {
            _ = limits.countConnection(from: ip(number), at: moment(0))
            if number.isMultiple(of: 10_000) {
                #expect(limits.countConnection(from: ip(0), at: moment(0)) != nil, "forgotten after \(number)")
            }
        }
        // One that was counted once, and never since.
        #expect(limits.countConnection(from: ip(1), at: moment(0)) == nil)
    }

    @Test func callsWithoutANameAreCountedByAddress() {
        let limits = AddressLimits(connectionRate: 0, callRate: 5)
        func passing(_ address: UInt64) -> Int {
            (0..<100).count { _ in
                do throws(ChatError) {
                    try limits.countCall(from: ip(address), at: moment(0))
                    return true
                } catch {
                    return false
                }
            }
        }
        #expect(passing(1) == 15)
        #expect(passing(2) == 15)
    }

    @Test func guessesOfAKeyAreFew() {
        let limits = AddressLimits(connectionRate: 0, callRate: 0)
        func attempt(_ isRight: Bool, _ address: UInt64, at now: Int64) -> ChatError.Code? {
            do throws(ChatError) {
                try limits.guardKey(from: ip(address), at: moment(now)) { isRight }
                return nil
            } catch { return error.code }
        }
        for _ in 0..<100 { #expect(attempt(true, 1, at: 0) == nil) }
        for _ in 0..<10 { #expect(attempt(false, 1, at: 0) == .unauthorized) }
        #expect(attempt(false, 1, at: 0) == .rateLimited)
        #expect(attempt(true, 1, at: 0) == .rateLimited, "a right guess is answered like a wrong one")
        #expect(attempt(true, 2, at: 0) == nil)
        #expect(attempt(false, 1, at: 1000) == .unauthorized)
        #expect(attempt(false, 1, at: 1000) == .rateLimited)
    }

    @Test func howeverManyAddressesComeTheTableIsBounded() {
        let limits = AddressLimits(connectionRate: 5, callRate: 5)
        for number in 0..<UInt64(70_000) { _ = limits.countConnection(from: ip(number), at: moment(0)) }
        #expect(limits.count <= 65_536)
        limits.sweep(at: moment(100_000))
        #expect(limits.count == 0)
    }
}
