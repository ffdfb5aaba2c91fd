import ChatDomain
import Testing

@Suite struct LeaseWatchTests {
    var watch = LeaseWatch(period: .seconds(10))

    private func moment(_ seconds: Double) -> Moment { Moment(milliseconds: Int64(seconds * 1000)) }

    @Test mutating func mayJudgeAfterAFullPeriodWithoutAGap() {
        #expect(!watch.mayJudge(at: moment(0)))
        watch.renewed(held: false, at: moment(0))
        for second in stride(from: 2.5, through: 10, by: 2.5) {
            #expect(!watch.mayJudge(at: moment(second - 0.1)))
            watch.renewed(held: true, at: moment(second))
        }
        #expect(watch.mayJudge(at: moment(10)))
        #expect(!watch.mayJudge(at: moment(20)))
    }

    @Test mutating func aPauseBeginsAgain() {
        watch.renewed(held: false, at: moment(0))
        for second in stride(from: 2.5, through: 20, by: 2.5) { watch.renewed(held: true, at: moment(second)) }
        watch.renewed(held: false, at: moment(31))
        #expect(!watch.mayJudge(at: moment(31)))
        for second in stride(from: 33.5, through: 38.5, by: 2.5) { watch.renewed(held: true, at: moment(second)) }
        #expect(!watch.mayJudge(at: moment(38.5)))
        watch.renewed(held: true, at: moment(41))
        #expect(watch.mayJudge(at: moment(41)))
        watch.lost()
        #expect(!watch.mayJudge(at: moment(41)))
    }
}
