import ChatProtocol
import ChatDomain
import Testing

@testable import ChatCore

@Suite struct UserDirectoryTests {
    private let ann = UserID(unchecked: "ann")

    @Test func sessionsAreFoundUntilTheyGo() {
        let users = UserDirectory(messageRate: 0)
        for slot in UInt32(1)...3 { users.add(address(slot), of: ann) }
        #expect(Set(users.sessions(of: ann)) == [address(1), address(2), address(3)])
        #expect(users.sessions(of: UserID(unchecked: "bob")).isEmpty)
        users.remove(address(2), of: ann)
        users.remove(address(2), of: ann)
        #expect(Set(users.sessions(of: ann)) == [address(1), address(3)])
        #expect(users.present == [ann])
        for slot in UInt32(1)...3 { users.remove(address(slot), of: ann) }
        #expect(users.present.isEmpty)
    }

    @Test func zeroMeansNoLimit() {
        let users = UserDirectory(messageRate: 0)
        for _ in 0..<1000 { #expect(users.wait(of: ann, at: moment(0)) == nil) }
        #expect(users.count == 0)
    }

    @Test func anAllowanceSurvivesAReconnect() {
        let users = UserDirectory(messageRate: 10)
        users.add(address(1), of: ann)
        for _ in 0..<30 { #expect(users.wait(of: ann, at: moment(0)) == nil) }
        #expect(users.wait(of: ann, at: moment(0)) == 100)
        users.remove(address(1), of: ann)
        users.add(address(2), of: ann)
        #expect(users.wait(of: ann, at: moment(2)) != nil)
        // Two devices share one allowance; another user has their own.
        users.add(address(3), of: ann)
        #expect(users.wait(of: ann, at: moment(3)) != nil)
        #expect(users.wait(of: UserID(unchecked: "bob"), at: moment(3)) == nil)
        #expect(users.wait(of: ann, at: moment(101)) == nil)
    }

    @Test func sweepingForgetsFullAllowances() {
        let users = UserDirectory(messageRate: 10)
        users.add(address(1), of: ann)
        for _ in 0..<30 { _ = users.wait(of: ann, at: moment(0)) }
        users.sweep(at: moment(1000))
        #expect(users.count == 1)
        users.sweep(at: moment(3000))
        #expect(users.count == 0)
        #expect(Array(users.sessions(of: ann)) == [address(1)])
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
        #expect(passing { () throws(ChatError) in try limits.countCall(of: ann, at: now) } == 15)
        #expect(passing { () throws(ChatError) in try limits.countCall(of: bob, at: now) } == 15)
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
    private func count(_ rate: inout ConnectionRate, of messageRate: Int, at now: Int64) -> ChatError.Code? {
        do throws(ChatError) {
            try rate.count(messageRate: messageRate, at: moment(now))
            return nil
        } catch { return error.code }
    }

    @Test func framesOfEveryKindCount() {
        var rate = ConnectionRate(messageRate: 2, at: moment(0))
        for _ in 0..<30 { #expect(count(&rate, of: 2, at: 0) == nil) }
        #expect(count(&rate, of: 2, at: 0) == .rateLimited)
        #expect(count(&rate, of: 2, at: 100) == nil)
        #expect(count(&rate, of: 2, at: 100) == .rateLimited)
    }

    @Test func persistentExcessIsAbusive() {
        var rate = ConnectionRate(messageRate: 1, at: moment(0))
        for _ in 0..<(15 + 49) { _ = count(&rate, of: 1, at: 0) }
        #expect(!rate.isAbusive)
        _ = count(&rate, of: 1, at: 0)
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
        for _ in 0..<1000 { #expect(count(&rate, of: 0, at: 0) == nil) }
    }
}
