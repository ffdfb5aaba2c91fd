import ChatDomain
import Testing

@testable import ChatCore

@Suite struct KeptPresenceTests {
    private let ann = RoomUser(userID: UserID(unchecked: "ann"), username: "Ann")
    private let instance = InstanceID("a")

    private func time(_ milliseconds: Int64) -> Timestamp { Timestamp(milliseconds: milliseconds) }

    private func news(_ status: PresenceStatus, before: PresenceStatus?, at milliseconds: Int64 = 0) -> PresenceNews {
        PresenceNews(
            UserPresence(user: ann, actualStatus: status, lastSeen: time(milliseconds), sessions: 1), before: before,
            origin: instance)
    }

    private func edges(_ kept: KeptPresence, _ news: PresenceNews, isFirst: Bool) -> [String] {
        var edges: [String] = []
        kept.apply(news, isFirst: isFirst) { edges.append("\($0.before) \($0.presence.actualStatus)") }
        return edges
    }

    /// One record of a user is enough where the directory has all users.
    @Test func anInstanceByItselfKeepsNothingBesideItsDirectory() {
        let directory = DirectoryDouble(instance, on: DirectoryExchange(), isAlone: true)
        let kept = KeptPresence(directory)
        #expect(kept.knows(ann.userID) && kept.presence(of: ann.userID) == nil, "all who are not there are offline")
        directory.connect(
            SessionRecord(id: SessionID("s"), instance: instance, user: ann, connectedAt: time(1))
        ) { _ in }
        #expect(edges(kept, news(.online, before: .offline), isFirst: true) == ["offline online"])
        #expect(kept.count == 0)
        #expect(kept.presence(of: ann.userID)?.status == .online)
        kept.see(ann.userID, at: time(5))
        #expect(kept.presence(of: ann.userID)?.lastSeen == time(5))
        let (found, unknown) = kept.lookUp([ann.userID, UserID(unchecked: "bob")])
        #expect(found.count == 1 && unknown.isEmpty)
        #expect(edges(kept, news(.busy, before: .online), isFirst: true) == ["online busy"])
        #expect(edges(kept, news(.busy, before: .busy), isFirst: true).isEmpty)
    }

    @Test func oneOfSeveralKeepsWhatItWasTold() {
        let kept = KeptPresence(DirectoryDouble(instance, on: DirectoryExchange()))
        #expect(!kept.knows(ann.userID))
        #expect(edges(kept, news(.online, before: .away), isFirst: true) == ["away online"])
        #expect(edges(kept, news(.online, before: .away), isFirst: false).isEmpty, "it was told before")
        kept.see(ann.userID, at: time(5))
        #expect(kept.count == 1 && kept.presence(of: ann.userID)?.lastSeen == time(5))
        var missed: [PresenceEdge] = []
        kept.compare([.gone(ann.userID)], at: time(9)) { missed += $0 }
        #expect(missed.map(\.presence.status) == [.offline])
        let bob = UserID(unchecked: "bob")
        #expect(kept.lookUp([ann.userID, bob]).unknown == [bob] && kept.presence(of: [bob, ann.userID]).count == 2)
        kept.forget([ann.userID])
        #expect(!kept.knows(ann.userID))
        kept.learn([news(.online, before: nil).presence])
        #expect(kept.knows(ann.userID))
    }
}
