/// The version of this release.
enum Version {
    static let current = "0.1.0"
}

enum HelpText {
    static let usage = """
        usage: chat-service <command>

          serve                     start the server; settings come from the environment and from .env
          token mint --user ID [--name NAME] [--expires 24h]
                                    print a token signed with JWT_SECRET
          token check [TOKEN | -]   verify a token (by default from standard input) and print its claims
          healthcheck               ask the server on this machine for /health; exit code 0 when it answers 200
          backup FILE [--force]     copy the embedded store into one file, also while the server runs
          restore FILE              replace the embedded store by a backup; the previous store is kept
          migrate                   number the messages of an existing MongoDB collection; may be repeated
          import-user-state FILE    import when users were last seen from an older service's user_state.json
          bench [options]           put load on a running server and measure it; see bench --help
          --check-config            show the settings in force and every problem with them
          --help, --version
        """

    static func full() -> String {
        """
        chat-service \(Version.current): real-time chat and presence over Socket.IO, WebSocket and REST

        \(usage)

        Environment variables (default in parentheses):

        \(ConfigurationText.help())
        """
    }
}
