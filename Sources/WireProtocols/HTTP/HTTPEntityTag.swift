/// Comparing entity tags with conditional fields (RFC 9110 section 8.8.3).
public enum HTTPEntityTag {
    /// Whether `If-None-Match` names the tag, by weak comparison.
    ///
    /// - Parameters:
    ///   - field: the value of `If-None-Match`; nil for none.
    ///   - tag: the tag with its quotes.
    public static func matches(_ field: String?, _ tag: String) -> Bool {
        guard let field else { return false }
        // What most clients send.
        if field == tag { return true }
        return HTTPSyntax.listMembers(field).contains { $0 == "*" || $0 == tag || $0 == "W/" + tag }
    }
}
