import ChatDomain
import ChatProtocol
import JSON

/// What the calls about bans, mutes, blocks and flags have in common: their bodies and pages.
extension RESTRequest {
    /// `until` and `reason` of a body, which may be empty.
    ///
    /// - Throws: `bad_request` for an end that is no time or is over.
    func sanctionTerms(
        limits: CommandLimits, at now: Timestamp
    ) throws(ChatError) -> (until: Timestamp?, reason: String?) {
        guard !body.isEmpty else { return (nil, nil) }
        return try fields(limits: limits) {
            (fields) throws(ChatError) -> (until: Timestamp?, reason: String?) in
            let until = try fields.optionalTime("until")
            guard until.map({ $0 > now }) ?? true else { throw .badRequest("until is over") }
            return (until, try fields.sanctionReason())
        }
    }

    /// The reason of a body, which may be empty.
    func reason(limits: CommandLimits) throws(ChatError) -> String? {
        guard !body.isEmpty else { return nil }
        return try fields(limits: limits) { (fields) throws(ChatError) -> String? in try fields.sanctionReason() }
    }
}

extension CommandFields {
    fileprivate func sanctionReason() throws(ChatError) -> String? {
        try optionalText("reason", maximumCharacters: RoomStanding.maximumReasonCharacters)
    }

    /// A time as integer milliseconds since the Unix epoch, or as ISO 8601 text.
    fileprivate func optionalTime(_ name: StaticString) throws(ChatError) -> Timestamp? {
        guard let value = self[name] else { return nil }
        if let milliseconds = value.integer { return Timestamp(milliseconds: milliseconds) }
        if let text = value.string, let time = Timestamp(iso8601: text) { return time }
        throw .badRequest("\(name) must be milliseconds since 1970 or an ISO 8601 time")
    }
}

/// A page of a list that is ordered by user.
struct UserPage {
    let cursor: UserID?
    let limit: Int

    /// The largest page is the usual one.
    init(_ request: RESTRequest, limits: ClosedRange<Int64>) throws(ChatError) {
        limit = Int(try request.integer("limit", in: limits) ?? limits.upperBound)
        var cursor: UserID?
        if let text = request.query("cursor") { cursor = try UserID(validating: text, field: "cursor") }
        self.cursor = cursor
    }

    /// - Parameters:
    ///   - name: the member that holds the list.
    ///   - found: one more than the page holds, where there are more.
    ///   - user: the user that an element is listed under.
    ///   - isShown: whether an element is there for the caller.
    func body<Element>(
        _ name: StaticString, _ found: [Element], of user: (Element) -> UserID,
        where isShown: (Element) -> Bool = { _ in true }, _ write: (inout JSONWriter, Element) -> Void
    ) -> [UInt8] {
        let shown = found.prefix(limit)
        return EventJSON.success { out in
            out.key(name)
            out.array(shown.filter(isShown), write)
            if found.count > shown.count, let last = shown.last { out.member("cursor", user(last).value) }
        }
    }
}
