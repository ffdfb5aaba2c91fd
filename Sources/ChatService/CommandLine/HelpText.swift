/// The release this is.
enum Version {
    static let current = "0.1.0"
}

enum HelpText {
    static let usage = """
        usage: chat-service <command>

          serve                     start the server; every setting comes from the environment or from .env
          token mint --user ID [--name NAME] [--expires 24h]
                                    print a token signed with JWT_SECRET
          token check [TOKEN | -]   verify a token (by default from standard input) and print its claims
          healthcheck               ask the server on this machine for /health; exit code 0 when it is well
          backup FILE [--force]     copy the embedded store into one file, also while the server runs
          restore FILE              make a backup the embedded store; the one before is kept aside
          migrate                   number the messages of an existing MongoDB collection; may be repeated
          import-user-state FILE    take over who was last seen when from an older service's user_state.json
          bench [options]           drive a running server with load and measure it; bench --help says more
          --check-config            show the settings that take effect and everything that is wrong with them
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
