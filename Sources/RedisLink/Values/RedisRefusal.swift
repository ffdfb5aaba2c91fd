/// An error with which Redis answered a command.
public struct RedisRefusal: Hashable, Sendable {
    /// Redis's code: `OOM`, `NOPERM`, `READONLY`; `UNKNOWN` for a command this server does not have. Scripts' errors
    /// have the code of what the script met.
    public let code: String
    /// The command's or the script's name, without arguments.
    public let command: String
    public let isScript: Bool
}

extension RedisRefusal {
    init(_ code: String, _ name: RedisCommand.Name) {
        switch name {
        case .plain(let word):
            self.init(code: code, command: String(decoding: word.bytes.prefix(32), as: UTF8.self), isScript: false)
        case .script(let name): self.init(code: code, command: name, isScript: true)
        }
    }
}
