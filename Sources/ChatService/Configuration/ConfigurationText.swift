/// The table of variables as text: for `--help`, `--check-config` and the reference page.
enum ConfigurationText {
    /// Every variable with its default, for `--help`.
    static func help() -> String {
        VariableGroup.allCases.map { group in
            let entries = Variables.all.filter { $0.group == group }.map { variable in
                "  \(variable.name) (\(variable.defaultText))\n"
                    + wrapped("\(variable.summary) Allowed: \(variable.allowed).", indent: 6, width: 100)
            }
            return "\(group.rawValue):\n" + entries.joined(separator: "\n")
        }.joined(separator: "\n\n")
    }

    /// The settings in force with their sources, for `--check-config`.
    static func settings(_ loaded: LoadedConfiguration) -> String {
        loaded.settings.map { setting in
            switch setting.value {
            case .text(let text): "\(setting.name)=\(text)  (\(setting.source.rawValue))"
            case .described(let meaning): "\(setting.name) is not set: \(meaning)"
            }
        }.joined(separator: "\n")
    }

    /// The reference page, docs/configuration.md, without the newline at its end.
    static func referencePage() -> String {
        var page = """
            # Configuration

            <!-- Written by `chat-service --print-configuration-docs`; change Sources/ChatService/Configuration/Variables.swift. -->

            Every setting is an environment variable. The file that CONFIG_FILE names, or `.env` in the working directory, is read
            too; the environment takes precedence over it. An empty variable counts as unset. Unknown variables are ignored, but one that looks like a
            misspelling of a known one is reported. `chat-service --check-config` shows the settings in force, secrets masked, and
            every problem, without starting. A bad value stops the start with a message that names the variable, the value and
            the allowed values.

            `SIGHUP` and `POST /internal/reload` read certificates, token keys, the service key, the log level, rates and origins
            again; every other variable takes effect at the next start (see [operations](operations.md#reload)).

            """
        for group in VariableGroup.allCases {
            page += "\n## \(group.rawValue)\n\n| Variable | Default | Allowed | Meaning |\n|---|---|---|---|\n"
            for variable in Variables.all where variable.group == group {
                let fallback: String
                switch variable.fallback {
                case .text(let text): fallback = "`\(text)`"
                case .described(let meaning): fallback = meaning
                }
                let cells = ["`\(variable.name)`", fallback, variable.allowed, variable.summary]
                page += "| " + cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |\n"
            }
        }
        return String(page.dropLast())
    }

    private static func wrapped(_ text: String, indent: Int, width: Int) -> String {
        let margin = String(repeating: " ", count: indent)
        var lines = [margin]
        for word in text.split(separator: " ") {
            let line = lines[lines.count - 1]
            if line.count > indent, line.count + 1 + word.count > width {
                lines.append(margin + word)
            } else {
                lines[lines.count - 1] = line + (line.count > indent ? " " : "") + word
            }
        }
        return lines.joined(separator: "\n")
    }
}
