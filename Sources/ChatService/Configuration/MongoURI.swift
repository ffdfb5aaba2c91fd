/// The parts of a MongoDB connection string that the service reads; the driver reads the rest.
///
/// https://www.mongodb.com/docs/manual/reference/connection-string/
struct MongoURI {
    /// The database that holds messages; `chat` when the string names none.
    let database: String
    /// Options by their lower-case names. The last of repeated options counts.
    private let options: [String: String]

    init(_ text: String) {
        let rest = text.firstRange(of: "://").map { text[$0.upperBound...] } ?? text[...]
        let address = rest.prefix { $0 != "?" }
        // A password may hold a slash that is not escaped, so hosts begin behind the last @.
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

    /// Options by which an acknowledged message may be lost: refusals, and warnings.
    var durabilityProblems: (refusals: [String], warnings: [String]) {
        var refusals: [String] = []
        var warnings: [String] = []
        if let w = options["w"] {
            if let count = Int(w), count < 1 {
                refusals.append(
                    "w=\(count) acknowledges messages before they are stored; allowed: majority, or 1 and more")
            } else if w != "majority" {
                warnings.append(
                    "w=\(w) may be less than the majority: acknowledged messages may be lost with a primary")
            }
        }
        if options["safe"]?.lowercased() == "false" {
            refusals.append("safe=false acknowledges messages before they are stored; leave it out")
        }
        for option in ["j", "journal"] where options[option]?.lowercased() == "false" {
            warnings.append("\(option)=false: acknowledged messages are lost when servers end suddenly")
        }
        if let level = options["readconcernlevel"], !["majority", "linearizable"].contains(level) {
            warnings.append("readConcernLevel below majority may show messages that are rolled back later")
        }
        return (refusals, warnings)
    }
}
