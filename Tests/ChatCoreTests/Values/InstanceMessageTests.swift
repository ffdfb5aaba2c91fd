import ChatDomain
import Testing

@testable import ChatCore

/// A message between instances decodes to itself, and anything else is refused.
@Suite struct InstanceMessageTests {
    private static let notice = ChangeNotice(teller: InstanceID("one"), ticket: 7)
    private static let ticket = RoomTicket(room: room("lobby"), number: 1 << 60, sender: InstanceID("one"), shard: 3)

    private static let fleetTicket = FleetTicket(asker: InstanceID("one"), number: 9)

    @Test(
        arguments: [
            .revised(RoomRevision(name: .some("Name")), at: Timestamp(milliseconds: 5)),
            .revised(RoomRevision(name: .some(nil), isPrivate: true), at: Timestamp(milliseconds: 6)),
            .revised(
                RoomRevision(isReadOnly: true, slowModeSeconds: 9, owner: user("bob"), retentionDays: .some(30)),
                at: Timestamp(milliseconds: 7)),
            .revised(RoomRevision(isReadOnly: false, retentionDays: .some(nil)), at: Timestamp(milliseconds: 8)),
            .standing(.set(.ban, user("ann"), until: Timestamp(milliseconds: 9))),
            .standing(.set(.moderator, user("ann"), until: nil)), .standing(.cleared(.mute, user("ann"))),
            .standing(.blocked(user("ann"))), .standing(.unblocked(user("ann"))),
            .admitted(user("ann")), .expelled(user("ann")), .deleted, .unspecified,
            .contentErased(needsResync: true), .contentErased(needsResync: false),
        ] as [RoomChange])
    func changesOfRooms(_ change: RoomChange) {
        let message = InstanceMessage.roomChanged(room("lobby"), change, Self.notice)
        #expect(InstanceMessage(decoding: message.encoded) == message)
    }

    @Test(
        arguments: [
            .userChanged(user("ann"), Self.notice), .changeApplied(7, by: InstanceID("two")),
            .forward(Self.ticket, write: Array(#"{"lastSeq":1}"#.utf8)),
            .outcome(Self.ticket, outcome: Array("{}".utf8)),
            .progress(Self.ticket),
            .question(Self.fleetTicket, FleetQuestion.stats.encoded),
            .answer(Self.fleetTicket, by: InstanceID("two"), Array(#"{"sessions":[]}"#.utf8)),
            .read(ReadMark(userID: user("ann"), sequence: 9), in: room("lobby")),
            .close(SessionID("s-1"), of: user("ann"), .replaced), .close(SessionID("s-1"), of: user("ann"), .loggedOut),
            .friendship(user("ann"), user("böb"), isFriend: true),
            .friendship(user("ann"), user("böb"), isFriend: false),
            .direct([user("ann"), user("a\"b")], Array(#"{"message":"\u0000 \" é"}"#.utf8)), .direct([], []),
            .release(RecoveryPID.random().key, to: InstanceID("one")), .released(RecoveryPID.random().key),
            .usage([UserUsage(user: user("ann"), count: 1), UserUsage(user: user("bob"), count: 100_000)]),
        ] as [InstanceMessage])
    func everyMessageComesBackAsItWas(_ message: InstanceMessage) {
        #expect(InstanceMessage(decoding: message.encoded) == message)
    }

    @Test func usersWithoutAValidNameOrCountAreLeftOut() {
        let text = #"{"kind":"spent","users":["ann","","bob","eve",7],"counts":[2,2,0,100001,1]}"#
        #expect(
            InstanceMessage(decoding: Array(text.utf8)) == .usage([UserUsage(user: user("ann"), count: 2)]))
        let direct = #"{"kind":"direct","users":["ann","",1],"data":"{}"}"#
        #expect(InstanceMessage(decoding: Array(direct.utf8)) == .direct([user("ann")], Array("{}".utf8)))
    }

    @Test(arguments: [
        "", "[]", "{}", #"{"kind":"x"}"#, #"{"kind":"roomChanged"}"#,
        #"{"kind":"roomChanged","roomId":"r","change":"burned","teller":"one","ticket":1}"#,
        #"{"kind":"roomChanged","roomId":"r","change":"standing","does":"set","userId":"a","teller":"one","ticket":1}"#,
        #"{"kind":"roomChanged","roomId":"r","change":"standing","does":"burn","standing":"ban","userId":"a","teller":"one","ticket":1}"#,
        #"{"kind":"roomChanged","roomId":"r","change":"standing","does":"set","standing":"ban","teller":"one","ticket":1}"#,
        #"{"kind":"roomChanged","roomId":"r","change":"contentErased","teller":"one","ticket":1}"#,
        #"{"kind":"roomChanged","roomId":"r","change":"expelled","teller":"one","ticket":1}"#,
        #"{"kind":"roomChanged","roomId":"r","change":"deleted","teller":"one","ticket":-1}"#,
        #"{"kind":"roomChanged","roomId":"r","change":"deleted","teller":"one","ticket":1e300}"#,
        #"{"kind":"roomChanged","roomId":"","change":"deleted","teller":"one","ticket":1}"#,
        #"{"kind":"userChanged","user":"","teller":"one","ticket":1}"#,
        #"{"kind":"userChanged","user":"a","ticket":1}"#,
        #"{"kind":"changeApplied","ticket":1}"#, #"{"kind":"read","roomId":"r","userId":"ann","seq":-1}"#,
        #"{"kind":"read","roomId":"r","userId":"ann","seq":99999999999999999999}"#,
        #"{"kind":"close","session":"s","user":"ann","ending":"burned"}"#, #"{"kind":"close","session":"s"}"#,
        #"{"kind":"close","session":"s","user":"","ending":"replaced"}"#,
        #"{"kind":"friendship","user":"ann","friend":"bob"}"#, #"{"kind":"direct","users":["ann"]}"#,
        #"{"kind":"direct","data":"{}"}"#, #"{"kind":"release","key":"x","to":"one"}"#,
        #"{"kind":"question","asker":"one","ticket":-1,"data":"{}"}"#, #"{"kind":"question","ticket":1,"data":"{}"}"#,
        #"{"kind":"answer","asker":"one","ticket":1,"data":"{}"}"#,
        #"{"kind":"answer","asker":"one","ticket":1,"by":"two"}"#,
        #"{"kind":"released","key":"not a key"}"#, #"{"kind":"spent","users":["ann"],"counts":[1,2]}"#,
    ])
    func anythingElseIsDropped(_ text: String) {
        #expect(InstanceMessage(decoding: Array(text.utf8)) == nil)
    }
}
