/// What Redis means by an error, for which it has grown many wordings.
enum ErrorReply {
    /// A command or a script's command that this server does not have.
    static let unknownCommand = "UNKNOWN"

    /// The server is not, or no longer, one that can be written to, or does not know us any more: whoever goes on asking it
    /// is refused for ever, while another server may have taken its place.
    private static let endings: Set<String> = ["READONLY", "LOADING", "MASTERDOWN", "NOAUTH"]

    static func endsConnection(_ code: String) -> Bool { endings.contains(code) }

    /// The code an error is about: its first word, but for errors inside scripts and for ones without a word of their own.
    ///
    /// Redis 7 passes on what a script met. Redis 6 wraps it: `ERR Error running script (…): @user_script:1: -OOM …`.
    static func code(_ word: String, _ message: String) -> String {
        guard word == "ERR" else { return word }
        if message.hasPrefix("Error running script"), let inner = inner(message) { return inner }
        if message.contains("nknown Redis command") || message.hasPrefix("unknown command") { return unknownCommand }
        return message.contains("The user executing the script can't") ? "NOPERM" : word
    }

    /// The first word in capitals that follows a dash.
    private static func inner(_ message: String) -> String? {
        message.split(separator: " ").lazy
            .filter { $0.first == "-" && $0.count > 3 && $0.dropFirst().allSatisfy { $0.isASCII && $0.isUppercase } }
            .first.map { String($0.dropFirst()) }
    }

    /// Why the server is left, for operators.
    static func reason(_ code: String) -> String {
        switch code {
        case "READONLY": "Redis has become a replica, which takes no writes (READONLY)"
        case "LOADING": "Redis is still loading its data (LOADING)"
        case "MASTERDOWN": "Redis is a replica that has lost its primary (MASTERDOWN)"
        case "NOAUTH": "Redis asks for a password and none is configured (NOAUTH)"
        default: "Redis refuses (\(code.prefix(32)))"
        }
    }
}
