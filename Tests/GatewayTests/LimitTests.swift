import ChatProtocol
import ChatDomain
import Engine
import EventLoop
import Testing

@testable import Gateway

private func moment(_ milliseconds: Int64) -> Moment { Moment(milliseconds: 1_000_000 + milliseconds) }

private func address(_ slot: UInt32) -> SessionAddress { SessionAddress(shard: 0, slot: slot, generation: 0) }

private func id(_ slot: UInt32) -> SessionID { SessionID("i-0-\(slot)") }

@Suite struct UserDirectoryTests {
    private let ann = UserID(unchecked: "ann")

    private func id(_ slot: UInt32) -> SessionID { SessionID("s\(slot)") }

    @Test func sessionsAreFoundByTheirIDUntilTheyGo() {
        let users = UserDirectory(messageRate: 0)
        for slot in UInt32(1)...3 { users.add(id(slot), at: address(slot), of: ann, now: moment(0)) }
        #expect(users.sessions(of: ann) == [address(1), address(2), address(3)])
        #expect(users.address(of: id(2), of: ann) == address(2))
        #expect(users.address(of: id(2), of: UserID(unchecked: "bob")) == nil)
        users.remove(address(2), of: ann, at: moment(1))
        users.remove(address(2), of: ann, at: moment(1))
        #expect(users.address(of: id(2), of: ann) == nil)
        #expect(users.sessions(of: ann) == [address(1), address(3)])
    }

    @Test func zeroMeansNoLimit() {
        let users = UserDirectory(messageRate: 0)
        for _ in 0..<1000 { #expect(users.wait(of: ann, at: moment(0)) == nil) }
        #expect(users.count == 0)
    }

    @Test func theOldestSessionGivesWay() async throws {
        try await GatewayHost.serve(maximumSessions: 2) { host in
            let first = try await host.client("ann")
            let second = try await host.client("ann")
            let other = try await host.client("bob")
            let third = try await host.client("ann")
            #expect(try await first.await("close 4409").event == "close 4409")
            for client in [second, other, third] {
                try await client.say("ping", [:], id: 1)
                #expect(try await client.answer(1).success)
            }
        }
    }

    @Test func anAllowanceSurvivesAReconnect() {
        let users = UserDirectory(messageRate: 10)
        users.add(id(1), at: address(1), of: ann, now: moment(0))
        for _ in 0..<30 { #expect(users.wait(of: ann, at: moment(0)) == nil) }
        #expect(users.wait(of: ann, at: moment(0)) == 100)
        users.remove(address(1), of: ann, at: moment(1))
        users.add(id(2), at: address(2), of: ann, now: moment(2))
        #expect(users.wait(of: ann, at: moment(2)) != nil)
        // Two devices share one allowance; another user has their own.
        users.add(id(3), at: address(3), of: ann, now: moment(2))
        #expect(users.wait(of: ann, at: moment(3)) != nil)
        #expect(users.wait(of: UserID(unchecked: "bob"), at: moment(3)) == nil)
        #expect(users.wait(of: ann, at: moment(101)) == nil)
    }

    @Test func sweepingForgetsOnlyWhoWouldNotNotice() {
        let users = UserDirectory(messageRate: 10)
        let bob = UserID(unchecked: "bob")
        users.add(id(1), at: address(1), of: bob, now: moment(0))
        for _ in 0..<30 { _ = users.wait(of: ann, at: moment(0)) }
        users.sweep(at: moment(1000))
        #expect(users.count == 2)
        users.sweep(at: moment(3000))
        #expect(users.count == 1)
        #expect(users.sessions(of: bob) == [address(1)])
        users.remove(address(1), of: bob, at: moment(3000))
        #expect(users.count == 0)
    }
}

@Suite struct AddressLimitTests {
    private func ip(_ number: UInt64) -> IPAddress { IPAddress(high: 0x2001_0DB8_0000_0000 + number, low: 1) }

    @Test func eachAddressHasItsOwnAllowance() {
        let limits = AddressLimits(rate: 5)
        for _ in 0..<20 { #expect(limits.countConnection(from: ip(1), at: moment(0)) == nil) }
        #expect(limits.countConnection(from: ip(1), at: moment(0)) == 200)
        #expect(limits.countConnection(from: ip(2), at: moment(0)) == nil)
        #expect(limits.countConnection(from: ip(1), at: moment(200)) == nil)
    }

    @Test func zeroMeansNoLimit() {
        let limits = AddressLimits(rate: 0)
        for _ in 0..<1000 { #expect(limits.countConnection(from: ip(1), at: moment(0)) == nil) }
        #expect(limits.count == 0)
    }

    @Test func ofIPv6ANetworkCountsAndOfIPv4AnAddress() throws {
        let limits = AddressLimits(rate: 5)
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
        let limits = AddressLimits(rate: 5)
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

    @Test func guessesOfAKeyAreFew() {
        let limits = AddressLimits(rate: 0)
        func attempt(_ isRight: Bool, _ address: UInt64, at now: Int64) -> ChatError.Code? {
            do throws(ChatError) {
                try limits.guardKey(from: ip(address), at: moment(now)) { isRight }
                return nil
            } catch { return error.code }
        }
        for _ in 0..<100 { #expect(attempt(true, 1, at: 0) == nil) }
        for _ in 0..<10 { #expect(attempt(false, 1, at: 0) == .unauthorized) }
        #expect(attempt(false, 1, at: 0) == .rateLimited)
        #expect(attempt(true, 1, at: 0) == .rateLimited, "a right guess tells as much as a wrong one")
        #expect(attempt(true, 2, at: 0) == nil)
        #expect(attempt(false, 1, at: 1000) == .unauthorized)
        #expect(attempt(false, 1, at: 1000) == .rateLimited)
    }

    @Test func howeverManyAddressesComeTheTableIsBounded() {
        let limits = AddressLimits(rate: 5)
        for number in 0..<UInt64(70_000) { _ = limits.countConnection(from: ip(number), at: moment(0)) }
        #expect(limits.count <= 65_536)
        limits.sweep(at: moment(100_000))
        #expect(limits.count == 0)
    }
}

@Suite struct UserLimitTests {
    private let ann = UserID(unchecked: "ann")
    private let bob = UserID(unchecked: "bob")

    /// How many of a hundred pass.
    private func passing(_ count: () throws(ChatError) -> Void) -> Int {
        (0..<100).count { _ in
            do throws(ChatError) {
                try count()
                return true
            } catch {
                return false
            }
        }
    }

    @Test func eachThingHasARateOfItsOwn() {
        let limits = UserLimits(messageRate: 5)
        let now = moment(0)
        #expect(passing { () throws(ChatError) in try limits.countCall(of: .user(ann), at: now) } == 15)
        #expect(passing { () throws(ChatError) in try limits.countCall(of: .user(bob), at: now) } == 15)
        #expect(passing { () throws(ChatError) in try limits.countJoin(of: ann, at: now) } == 50)
        #expect(passing { () throws(ChatError) in try limits.countRoom(of: ann, at: now) } == 15)
        #expect((0..<100).count { _ in limits.mayType(ann, at: now) } == 5)
        #expect((0..<100).count { _ in limits.mayType(ann, at: moment(1000)) } == 1)
    }

    @Test func zeroMeansNoLimit() {
        let limits = UserLimits(messageRate: 0)
        #expect(passing { () throws(ChatError) in try limits.countRoom(of: ann, at: moment(0)) } == 100)
        #expect((0..<100).allSatisfy { _ in limits.mayType(ann, at: moment(0)) })
    }
}

@Suite struct ConnectionRateTests {
    private func count(_ rate: inout ConnectionRate, at now: Int64) -> ChatError.Code? {
        do throws(ChatError) {
            try rate.count(at: moment(now))
            return nil
        } catch { return error.code }
    }

    @Test func framesOfEveryKindCount() {
        var rate = ConnectionRate(messageRate: 2, at: moment(0))
        for _ in 0..<30 { #expect(count(&rate, at: 0) == nil) }
        #expect(count(&rate, at: 0) == .rateLimited)
        #expect(count(&rate, at: 100) == nil)
        #expect(count(&rate, at: 100) == .rateLimited)
    }

    @Test func whoGoesOnAndOnIsAbusive() {
        var rate = ConnectionRate(messageRate: 1, at: moment(0))
        for _ in 0..<(15 + 49) { _ = count(&rate, at: 0) }
        #expect(!rate.isAbusive)
        _ = count(&rate, at: 0)
        #expect(rate.isAbusive)
    }

    @Test func refusalsLongAgoAreForgiven() {
        var rate = ConnectionRate(messageRate: 1, at: moment(0))
        for _ in 0..<49 { rate.noteRefusal(at: moment(0)) }
        rate.noteRefusal(at: moment(10_001))
        #expect(!rate.isAbusive)
    }

    @Test func zeroMeansNoLimit() {
        var rate = ConnectionRate(messageRate: 0, at: moment(0))
        for _ in 0..<1000 { #expect(count(&rate, at: 0) == nil) }
    }
}

@Suite struct SessionTableTests {
    private final class SilentChannel: SessionChannel {
        var queuedBytes: Int { 0 }
        func whenDrained(to bytes: Int, _ action: @escaping () -> Void) {}
        func recognize() {}
        var frameSink: Connection? { nil }
        func send(_ frames: [UInt8], isDroppable: Bool) {}
        func close(_ code: CloseCode, reason: String) {}
        func pause() {}
        func resume() {}
    }

    @Test func aSlotUsedAgainIsAnotherAddress() async throws {
        try await GatewayHost.serve { host in
            // A shard that never runs, for sessions that only have to be there.
            let shard = try ShardCore(
                index: 0, loop: EventLoop(name: "idle"), services: host.gateway.services, runner: Runner { _, _ in })
            check(shard)
        }
    }

    private func check(_ shard: ShardCore) {
        var table = SessionTable()
        func add() -> Session {
            let session = Session(
                shard: shard, id: SessionID("s"), address: table.reserve(shard: 3), channel: SilentChannel(),
                encoding: .event,
                isRaw: true, handshake: Credentials())
            table.set(session)
            return session
        }
        let first = add()
        let second = add()
        #expect(table.count == 2)
        #expect(first.address.slot != second.address.slot)
        #expect(table[first.address] === first)
        table.remove(first.address)
        table.remove(first.address)
        #expect(table.count == 1)
        #expect(table[first.address] == nil)
        let third = add()
        #expect(third.address.slot == first.address.slot)
        #expect(third.address.generation == first.address.generation + 1)
        #expect(table[first.address] == nil)
        #expect(table[third.address] === third)
        // A late goodbye to the slot's first owner leaves the new one alone.
        table.remove(first.address)
        #expect(table[third.address] === third)
        #expect(Set(table.all.map(ObjectIdentifier.init)) == [ObjectIdentifier(second), ObjectIdentifier(third)])
        #expect(table[SessionAddress(shard: 3, slot: 99, generation: 0)] == nil)
    }
}
