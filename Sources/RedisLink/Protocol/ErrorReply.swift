/// The meaning of Redis's errors, whose wording differs between versions.
enum ErrorReply {
    /// A command or a script's command that this server does not have.
    static let unknownCommand = "UNKNOWN"

    /// The server is not a primary any more, or wants another password. It would refuse every further command, while another server
    /// may have taken its place.
    private static let fatalCodes: Set<String> = ["READONLY", "LOADING", "MASTERDOWN", "NOAUTH"]

    static func endsConnection(_ code: String) -> Bool { fatalCodes.contains(code) }

    /// The code of an error: its first word, but for errors inside scripts and for errors without a code of their own.
    ///
    /// Redis 7 passes on the error that a script met. Redis 6 wraps it: `ERR Error running script (…): @user_script:1: -OOM …`.
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

    /// Why the connection ends, for operators.
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
