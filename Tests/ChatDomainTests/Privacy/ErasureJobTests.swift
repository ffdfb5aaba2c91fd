import TestSupport
import Testing

@testable import ChatDomain

/// The stages of erasures, also through crashes.
@Suite struct ErasureJobTests {
    private static let user = ErasureSubject.user(UserID(unchecked: "ann"), .erase)
    private static let room = ErasureSubject.room(RoomID(unchecked: "r"))

    private static func job(_ subject: ErasureSubject, at milliseconds: Int64 = 0) -> ErasureJob {
        ErasureJob(id: MessageID(high: 1, low: 2), subject, at: Timestamp(milliseconds: milliseconds))
    }

    /// What a job has to remove. Each pass over messages takes parts of two.
    private struct World {
        var sessions = 2
        var records = true
        var directRooms = 3
        var messages = 7
        /// A session that has ended writes this many more, while the first pass is under way.
        var late = 2
        var files = true
        var traces = true
        var isPurged = false
        var isRemoved = false
        var steps = 0

        /// Performs a step as the runner does.
        mutating func perform(_ job: inout ErasureJob, now: inout Int64) {
            steps += 1
            switch job.step {
            case .close: sessions = 0
            case .wait(let end): now = max(now, end.milliseconds)
            case .eraseRecords: records = false
            case .renameDirectRooms:
                directRooms = max(0, directRooms - 1)
                return job.didPerform(ErasureSlice(next: directRooms > 0 ? "direct:\(directRooms)" : nil))
            case .eraseMessages:
                let count = min(messages, 2)
                messages -= count
                let isEnd = messages == 0
                if isEnd { (messages, late) = (late, 0) }
                isPurged = false
                return job.didPerform(ErasureSlice(messages: count, next: isEnd ? nil : "\(messages)"))
            case .eraseFiles: files = false
            case .eraseTraces: traces = false
            case .purge: isPurged = true
            case .finish: return isRemoved = true
            }
            job.didPerformStep(gracePeriod: .seconds(5), at: Timestamp(milliseconds: now))
        }
    }

    @Test func aUserIsErasedStageByStage() {
        var job = Self.job(Self.user)
        var (world, now, stages): (World, Int64, [ErasureJob.Stage]) = (World(), 0, [])
        while !world.isRemoved, world.steps < 100 {
            if stages.last != job.stage { stages.append(job.stage) }
            world.perform(&job, now: &now)
        }
        #expect(stages == ErasureJob.stages(of: Self.user))
        #expect(world.isRemoved && world.isPurged && world.messages == 0 && world.late == 0 && world.directRooms == 0)
        #expect(!world.records && !world.files && !world.traces && world.sessions == 0)
        #expect(job.messages == 9 && now >= 8000)
    }

    /// The process dies at any moment: before a step, or behind it and before the job was stored. Another instance goes on with the
    /// job that is stored.
    @Test(arguments: 0..<200) func everythingIsErasedThroughCrashes(seed: UInt64) {
        var chance = SplitMix(seed: seed)
        var stored = Self.job(Self.user)
        var (world, now): (World, Int64) = (World(), 0)
        while !world.isRemoved, world.steps < 1000 {
            var job = stored
            // Until the next crash.
            for _ in 0..<(chance.next() % 6) where !world.isRemoved {
                world.perform(&job, now: &now)
                if chance.next() % 4 == 0 { break }
                stored = job
            }
        }
        #expect(world.isRemoved && world.isPurged && world.messages == 0 && world.late == 0 && world.directRooms == 0)
        #expect(!world.records && !world.files && !world.traces && world.sessions == 0)
    }

    @Test func aStageWaitsForWhatEndedSessionsWrite() {
        var job = Self.job(Self.user, at: 1000)
        #expect(job.step == .close)
        job.didPerformStep(gracePeriod: .seconds(5), at: Timestamp(milliseconds: 2000))
        #expect(job.step == .wait(until: Timestamp(milliseconds: 10_000)))
        job.didPerformStep(gracePeriod: .seconds(5), at: Timestamp(milliseconds: 9999))
        #expect(job.stage == .waiting)
        job.didPerformStep(gracePeriod: .seconds(5), at: Timestamp(milliseconds: 10_000))
        #expect(job.step == .eraseRecords)
    }

    @Test func sessionsThatStayAreWaitedForAMinute() {
        var job = Self.job(Self.user)
        job.didPerformStep(gracePeriod: .zero, at: Timestamp(milliseconds: 0))
        for second in stride(from: 3, to: 60, by: 3) as StrideTo<Int64> {
            let now = Timestamp(milliseconds: second * 1000)
            job.foundSessions(at: now)
            job.didPerformStep(gracePeriod: .zero, at: now)
            #expect(job.stage == .waiting, "after \(second) s")
        }
        job.foundSessions(at: Timestamp(milliseconds: 60_000))
        job.didPerformStep(gracePeriod: .zero, at: Timestamp(milliseconds: 60_000))
        #expect(job.stage == .records)
    }

    @Test func passesEndWhereOthersWriteAllTheTime() {
        var job = Self.job(.expiredMessages)
        for pass in 1...ErasureJob.maximumPasses {
            #expect(job.step == .eraseMessages(after: nil), "pass \(pass)")
            job.didPerform(ErasureSlice(messages: 1, next: "a"))
            #expect(job.step == .eraseMessages(after: "a"))
            job.didPerform(ErasureSlice(next: nil))
        }
        #expect(job.step == .purge && job.messages == ErasureJob.maximumPasses)
    }

    @Test func nothingIsPurgedWhereNothingExpired() {
        var job = Self.job(.expiredMessages)
        job.didPerform(ErasureSlice(next: nil))
        #expect(job.step == .finish)
    }

    @Test func aRoomNeedsFewerStages() {
        #expect(Self.job(Self.room).step == .close)
        #expect(!ErasureJob.stages(of: Self.room).contains(.records))
        #expect(Self.job(Self.room).user == nil)
    }

    @Test func subjectsAreReadFromTheirKeys() {
        let subjects: [ErasureSubject] = [
            Self.user, .user(UserID(unchecked: "a:b"), .anonymize), Self.room, .room(RoomID(unchecked: "room:x")),
            .expiredMessages,
        ]
        for subject in subjects {
            #expect(ErasureSubject(key: subject.key, policy: subject.policyName) == subject)
        }
        #expect(Set(subjects.map(\.key)).count == subjects.count)
        for (key, policy) in [
            ("", "erase"), ("user:", "erase"), ("user:a", ""), ("user:a", "x"), ("room:", ""), ("x:y", ""),
        ] {
            #expect(ErasureSubject(key: key, policy: policy) == nil)
        }
    }

    @Test func storedNumbersMayBeAnything() {
        var job = ErasureJob(
            id: MessageID(high: 0, low: 0), .expiredMessages, at: Timestamp(milliseconds: .min), stage: .messages,
            cursor: nil, notBefore: Timestamp(milliseconds: .max), messages: .max, passes: -5, changedInPass: .max)
        job.didPerform(ErasureSlice(messages: .max, others: .max, next: nil))
        #expect(job.messages == .max && job.passes == 1)
        job.didPerformStep(gracePeriod: .seconds(5), at: Timestamp(milliseconds: .max))
    }

    @Test func theNeutralUserTakesThePlaceInDirectRooms() {
        let erased = ErasedUser("ann:x", as: "erased-1", messages: .erase)
        let room = DirectRoom.id(of: "ann:x", and: "bob")
        #expect(erased.neutralRoom(of: room) == DirectRoom.id(of: "erased-1", and: "bob"))
        #expect(erased.partner(in: room) == "bob")
        #expect(erased.neutralRoom(of: DirectRoom.id(of: "bob", and: "cy")) == nil)
        #expect(erased.neutralRoom(of: RoomID(unchecked: "ann:x")) == nil)
    }

    @Test(
        arguments: [
            (7, nil, 300_000), (0, nil, nil), (7, 0, nil), (0, 1, 604_800_000 - 86_400_000 + 300_000), (-3, nil, nil),
        ] as [(Int, Int?, Int64?)])
    func roomsMayHaveDaysOfTheirOwn(days: Int, roomDays: Int?, expected: Int64?) {
        let now = Timestamp(milliseconds: 7 * 86_400_000 + 300_000)
        #expect(RetentionRule(days: days).limit(roomDays: roomDays, at: now)?.milliseconds == expected)
    }

    @Test func daysMayBeAnyNumber() {
        for days in [Int.max, .min] {
            _ = RetentionRule(days: days).limit(roomDays: nil, at: Timestamp(milliseconds: .min))
            _ = RetentionRule(days: 1).limit(roomDays: days, at: Timestamp(milliseconds: .max))
        }
    }
}
