/// The commands, with everything that their help says.
enum CommandCatalogue {
    static let json = CommandSyntax.Option("--json", "print JSON on standard output")

    /// How the commands that call a running server find it.
    private static let access: [CommandSyntax.Option] = [
        json,
        .init(
            "--server", "URL",
            "http(s)://HOST:PORT of any instance; by default the one on this machine, by HOST and PORT"),
        .init("--service-key-file", "FILE", "file that holds the service key; by default SERVICE_API_KEY is used"),
        .init("--ca-file", "FILE", "certificates (PEM) that are trusted instead of the system's"),
    ]
    /// Likewise, of commands that the audit trail records.
    private static let acting =
        [
            CommandSyntax.Option(
                "--as", "USER", "your user id, which the audit trail then names; it has your account and host anyway")
        ] + access
    private static let limit = CommandSyntax.Option("--limit", "N", "at most so many; 50 by default, 200 at most")
    private static let list = [
        CommandSyntax.Option("--search", "TEXT", "those whose name or id holds the text"), limit,
    ]
    private static let user = CommandSyntax.Option("--user", "ID", "of this user")
    private static let room = CommandSyntax.Option("--room", "ID", "of this room")

    static let service: [CommandSyntax] = [
        CommandSyntax(
            "serve", "start the server; settings come from the environment and from .env",
            options: [.init("--check-config", "only show the settings in force and every problem with them")]),
        CommandSyntax(
            "doctor", "check the configuration, this host and every server that is used",
            options: [json, .init("--strict", "exit code 1 for warnings too")],
            notes: """
                Every finding says what to do. Nothing is changed, but for a key in Redis that expires after ten seconds.
                Exit code 0: no errors; 1: errors; 78: the configuration is not allowed.
                """),
        CommandSyntax(
            "healthcheck", "ask the server on this machine for /health; exit code 0 when it answers 200",
            options: [.init("--alive", "exit code 0 for 503 too: a full server works")]),
        CommandSyntax(
            "token mint", "print a token signed with JWT_SECRET",
            options: [
                .init("--user", "ID", "the user that the token names"), .init("--name", "NAME", "the user's name"),
                .init("--expires", "SPAN", "90s, 15m, 24h or 7d; JWT_EXPIRATION by default"),
            ]),
        CommandSyntax(
            "token check", .optional("TOKEN"), "verify a token (by default from standard input) and print its claims"),
    ]

    static let data: [CommandSyntax] = [
        CommandSyntax(
            "backup", .one("FILE"), "copy the embedded store into one file, also while the server runs",
            options: [json, .init("--force", "replace the file")]),
        CommandSyntax(
            "restore", .one("FILE"), "replace the embedded store by a backup; the previous store is kept",
            options: [json]
        ),
        CommandSyntax(
            "migrate", "bring the store up to date before the service starts; may be repeated",
            options: [json, .init("--dry-run", "only show what would change")],
            notes: """
                The embedded store gets the tables of this version. In MongoDB the messages that an older program stored without
                numbers are numbered, also while the service runs.
                """),
        CommandSyntax(
            "import-user-state", .one("FILE"),
            "import when users were last seen from an older service's user_state.json"),
    ]

    static let running: [CommandSyntax] = [
        CommandSyntax("stats", "show the instances, their load and their dependencies", options: access),
        CommandSyntax(
            "sessions", "list the sessions of all instances",
            options: [
                user, room, .init("--instance", "NAME", "on this instance"),
                .init("--sort", "KEY", "connectedAt (default), lastActivity, queuedBytes or userId"),
            ] + list + access),
        CommandSyntax(
            "rooms", "list the rooms that have sessions",
            options: [.init("--sort", "KEY", "sessions (default), roomId or lastSeq")] + list + access),
        CommandSyntax(
            "tail", "follow the messages of a room or a user, and their changes",
            options: [
                room, .init("--user", "ID", "written by this user, in the room or in the user's latest 200 rooms"),
                .init("--last", "N", "begin with so many messages of the room; 10 by default, 1000 at most"),
                .init("--interval", "SPAN", "time between two looks; 1s by default"),
            ] + access,
            notes: "With --json each line is one message or change. Ends with Ctrl-C."),
        CommandSyntax(
            "kick", .one("USER"), "end the user's sessions on all instances",
            options: [.init("--session", "ID", "end this session only")] + acting),
        CommandSyntax(
            "ban", .one("USER"), "keep a user out of the deployment, or of one room",
            options: [
                .init("--room", "ID", "of this room only"),
                .init("--for", "SPAN", "90s, 15m, 24h or 7d; for ever by default"),
                .init("--until", "TIME", "ISO 8601, instead of --for"),
                .init("--reason", "TEXT", "kept with the ban"), .init("--lift", "end the ban"),
            ] + acting),
        CommandSyntax(
            "bans", "list the users that are banned from the deployment, or from one room",
            options: [
                .init("--room", "ID", "from this room"), limit,
                .init("--after", "CURSOR", "the next page; an answer that is not the last shows its cursor"),
            ] + access),
        CommandSyntax(
            "drain", .one("INSTANCE"), "let an instance take no new sessions and close those it has",
            options: [.init("--wait", "return when it has no session, within ten minutes")] + acting),
        CommandSyntax(
            "reload", "have all instances read settings, certificates and keys again",
            options: [.init("--instance", "NAME", "this instance only")] + acting,
            notes: """
                Each instance takes all of it or keeps what it had. Exit code 1: an instance refused, or did not answer.
                """),
        CommandSyntax(
            "audit", "list acts of management, the newest first",
            options: [
                .init("--action", "ACTION", "of this kind, such as user_ban or login"),
                .init("--user", "ID", "about this user"), .init("--actor", "ID", "by this user"), limit,
                .init("--before", "CURSOR", "the next page; an answer that is not the last shows its cursor"),
            ] + access),
        CommandSyntax(
            "export", "write all that is known of a user or a room, as lines of JSON",
            options: [user, room, .init("--output", "FILE", "a new file, instead of standard output")] + acting),
        CommandSyntax(
            "erase", "erase a user or a room; cannot be undone",
            options: [
                user, room,
                .init("--messages", "HOW", "of a user: erase (default) or anonymize"),
                .init("--yes", "confirms it; needed"), .init("--wait", "return when all is erased"),
            ] + acting),
    ]

    static let tools: [CommandSyntax] = [
        CommandSyntax("bench", .any("[options]"), "put load on a running server and measure it; see bench --help")
    ]

    static let groups: [(title: String, commands: [CommandSyntax])] = [
        ("The service", service), ("Its data", data),
        ("A running server, with the service key", running), ("Measuring", tools),
    ]

    static var all: [CommandSyntax] { groups.flatMap(\.commands) }

    /// The command that arguments begin with, and the arguments behind its name.
    static func find(in arguments: [String]) throws(UsageError) -> (CommandSyntax, rest: [String]) {
        for command in all {
            let words = command.name.split(separator: " ").map(String.init)
            if arguments.starts(with: words) { return (command, Array(arguments.dropFirst(words.count))) }
        }
        guard let first = arguments.first else { throw UsageError(description: "a command is missing") }
        let parts = all.map(\.name).filter { $0.hasPrefix(first + " ") }.map { $0.dropFirst(first.count + 1) }
        if parts.isEmpty { throw UsageError(description: "unknown command \(first)") }
        throw UsageError(description: "\(first) takes \(parts.joined(separator: " or "))")
    }

    /// The commands of that name, or whose first word it is.
    static func named(_ name: String) -> [CommandSyntax] {
        all.filter { $0.name == name || $0.name.hasPrefix(name + " ") }
    }
}
