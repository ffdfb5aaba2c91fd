/// What the service itself looks at in a MongoDB connection string; the rest is the driver's.
///
/// https://www.mongodb.com/docs/manual/reference/connection-string/
struct MongoURI {
    /// The database messages are kept in; `chat` where none is named.
    let database: String
    /// Options by their lower-case names; of repeated ones the last.
    private let options: [String: String]

    init(_ text: String) {
        let rest = text.firstRange(of: "://").map { text[$0.upperBound...] } ?? text[...]
        let address = rest.prefix { $0 != "?" }
        // Passwords may hold a slash that somebody forgot to escape: what counts stands behind the last @.
        let hosts = address.lastIndex(of: "@").map { address[address.index(after: $0)...] } ?? address
        let path = hosts.firstIndex(of: "/").map { hosts[hosts.index(after: $0)...] } ?? ""
        let name = ServerURL.decoded(path) ?? ""
        database = name.isEmpty ? "chat" : name
        var options: [String: String] = [:]
        for part in rest.dropFirst(address.count + 1).split(whereSeparator: { $0 == "&" || $0 == ";" }) {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2, let value = ServerURL.decoded(pair[1]) else { continue }
            options[pair[0].lowercased()] = value
        }
        self.options = options
    }

    /// What would let an acknowledged message be lost: what is refused for it, and what is only warned about.
    var durabilityTrouble: (refusals: [String], warnings: [String]) {
        var refusals: [String] = []
        var warnings: [String] = []
        if let w = options["w"] {
            if let count = Int(w), count < 1 {
                refusals.append("w=\(count) acknowledges what was never stored; allowed: majority, or 1 and more")
            } else if w != "majority" {
                warnings.append("w=\(w) may be less than the majority: what is acknowledged may go with a primary")
            }
        }
        if options["safe"]?.lowercased() == "false" {
            refusals.append("safe=false acknowledges what was never stored; leave it out")
        }
        for option in ["j", "journal"] where options[option]?.lowercased() == "false" {
            warnings.append("\(option)=false: what is acknowledged is lost when servers end suddenly")
        }
        if let level = options["readconcernlevel"], !["majority", "linearizable"].contains(level) {
            warnings.append("readConcernLevel below majority may show messages that are rolled back later")
        }
        return (refusals, warnings)
    }
}
