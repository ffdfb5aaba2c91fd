/// The version of this release.
enum Version {
    static let current = "0.1.0"
}

/// Help, made of the catalogue of commands and the table of variables.
enum HelpText {
    private static let column = 27

    static var usage: String {
        let groups = CommandCatalogue.groups.map { group in
            let lines = group.commands.map { line($0.name + $0.operand.synopsis, $0.summary) }
            return "\(group.title):\n" + lines.joined(separator: "\n")
        }
        let others = [
            line("help [COMMAND]", "this text, or a command's options (also COMMAND --help)"),
            line("--check-config", "show the settings in force and every problem with them"),
            line("--version", "the version"),
        ]
        return
            "usage: chat-service <command>\n\n\((groups + [others.joined(separator: "\n")]).joined(separator: "\n\n"))"
    }

    static func full() -> String {
        """
        chat-service \(Version.current): real-time chat and presence over Socket.IO, WebSocket and REST

        \(usage)

        Environment variables (default in parentheses):

        \(ConfigurationText.help())
        """
    }

    /// The options of a command, or of all commands with this first word.
    static func text(of name: String) -> String {
        CommandCatalogue.named(name).map(text).joined(separator: "\n\n")
    }

    private static func text(of command: CommandSyntax) -> String {
        let options = command.options.isEmpty ? "" : " [options]"
        var parts = ["usage: chat-service \(command.name)\(options)\(command.operand.synopsis)", command.summary]
        if !command.options.isEmpty {
            parts.append(command.options.map { line($0.synopsis, $0.meaning) }.joined(separator: "\n"))
        }
        if !command.notes.isEmpty { parts.append(command.notes) }
        return parts.joined(separator: "\n\n")
    }

    private static func line(_ name: String, _ meaning: String) -> String {
        let padding = max(2, column - name.count)
        return "  \(name)\(String(repeating: " ", count: padding))\(meaning)"
    }
}
