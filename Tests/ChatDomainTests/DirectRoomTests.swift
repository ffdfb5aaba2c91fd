import Testing

@testable import ChatDomain

@Suite struct DirectRoomTests {
    @Test(arguments: [
        ("ann", "bob", "direct:ann:bob"), ("bob", "ann", "direct:ann:bob"), ("10", "9", "direct:10:9"),
        ("B", "a", "direct:B:a"), ("a:b", "c", "direct:a%3Ab:c"), ("50%", "x", "direct:50%25:x"),
        ("%3A", ":", "direct:%253A:%3A"), ("é", "z", "direct:z:é"),
        // Marks that as characters merge with the colon or the percent sign before them.
        ("\u{301}a", "\u{302}b", "direct:\u{301}a:\u{302}b"), ("a", "\u{301}", "direct:a:\u{301}"),
        ("%\u{301}", ":\u{301}", "direct:%25\u{301}:%3A\u{301}"), ("\u{200D}x", "y", "direct:y:\u{200D}x"),
    ]) func hasOneIDForTwoUsersInEitherOrder(_ a: String, _ b: String, _ id: String) throws {
        let room = DirectRoom.id(of: UserID(unchecked: a), and: UserID(unchecked: b))
        #expect(room.value == id)
        let pair = try #require(DirectRoom.participants(of: room))
        #expect(Set([pair.0, pair.1]) == [UserID(unchecked: a), UserID(unchecked: b)])
        #expect(DirectRoom.isDirect(room))
    }

    @Test(arguments: [
        "direct:", "direct:ann", "direct::", "direct:ann:", "direct::bob", "direct:ann:bob:cat", "direct:bob:ann",
        "direct:ann:ann",
        "direct:%:a", "direct:%2:a", "direct:%41:b", "direct:%3a:b", "direct:a%3Ab", "Direct:ann:bob", "ann:bob", "",
        "direct:9:10",
    ]) func refusesAnythingButTheCanonicalIDOfTwo(_ id: String) {
        #expect(DirectRoom.participants(of: RoomID(unchecked: id)) == nil)
    }

    @Test func noTwoPairsShareAnID() {
        let names = ["a", "b", "a:b", ":", "%", "%3A", "%25", "a%", "b:", ":a", "\u{301}", "\u{301}a", "é", "e\u{301}"]
            .map(UserID.init(unchecked:))
        var seen: [RoomID: Set<UserID>] = [:]
        for a in names {
            for b in names where a != b {
                let id = DirectRoom.id(of: a, and: b)
                #expect(seen.updateValue([a, b], forKey: id).map { $0 == [a, b] } ?? true)
            }
        }
        #expect(seen.count == names.count * (names.count - 1) / 2)
    }

    @Test func alphabetsOfOneMeaningStayTwoUsers() {
        // Swift's own equality would take these for one text.
        let composed = UserID(unchecked: "\u{E9}")
        let decomposed = UserID(unchecked: "e\u{301}")
        #expect(DirectRoom.participants(of: DirectRoom.id(of: composed, and: decomposed)) != nil)
    }
}

@Suite struct HistoryValueTests {
    @Test func moreIsSoughtInTheDirectionAsked() {
        let page = HistoryPage(messages: [], hasMoreBefore: true, hasMoreAfter: false)
        for cursor: HistoryQuery.Cursor in [.latest, .before(9), .around(9)] { #expect(page.hasMore(for: cursor)) }
        #expect(!page.hasMore(for: .after(9)))
        let other = HistoryPage(messages: [], hasMoreBefore: false, hasMoreAfter: true)
        #expect(other.hasMore(for: .after(9)))
        #expect(!other.hasMore(for: .latest))
    }

    @Test func aQueryAsksForFiftyByDefault() {
        #expect(HistoryQuery(.latest).limit == 50)
        #expect(HistoryQuery(.latest).base == 0)
        #expect(HistoryQuery(.after(3)) != HistoryQuery(.before(3)))
    }

    @Test(arguments: [
        (10, 0, 0, 10), (10, 4, 0, 6), (10, 10, 0, 0), (10, 12, 0, 0), (10, 0, 7, 3), (10, 9, 7, 1), (0, 0, 0, 0),
    ])
    func unreadCountsReachableNewMessages(_ last: Int64, _ read: Int64, _ base: Int64, _ unread: Int) {
        let room = Room(
            id: "room", kind: .group, isPrivate: false, createdAt: Timestamp(milliseconds: 0), historyBase: base)
        let summary = RoomSummary(
            snapshot: RoomSnapshot(room: room, participants: [], lastSequence: last), lastMessage: nil,
            lastReadSequence: read)
        #expect(summary.unread == unread)
    }

    @Test func aRetrySaysTheSameWhateverTheAuthorIsCalled() {
        let first = MessageBody(author: "ann", username: "Ann", text: "hello", metadata: "{}", replyTo: "x")
        var retry = first
        retry.username = "Annie"
        #expect(retry.saysTheSame(as: first))
        for change: (inout MessageBody) -> Void in [
            { $0.text = "hallo" }, { $0.text = "hello\u{200D}" }, { $0.kind = "image" }, { $0.metadata = nil },
            { $0.replyTo = nil },
        ] {
            var other = first
            change(&other)
            #expect(!other.saysTheSame(as: first))
        }
        let composed = MessageBody(author: "ann", username: "Ann", text: "\u{E9}")
        let decomposed = MessageBody(author: "ann", username: "Ann", text: "e\u{301}")
        #expect(!composed.saysTheSame(as: decomposed), "what is stored is what was said, byte by byte")
    }
}
