import RedisTestSupport
import TestSupport

/// A sentinel that says what a test wants.
final class ScriptedSentinel: Sendable {
    private struct Answer {
        let primary: UInt16?
        let epoch: Int
    }

    private let answers: CallbackLog<Answer?>
    private let peer: ScriptedPeer
    var port: UInt16 { peer.port }

    /// - Parameters:
    ///   - primary: the port of the server that it names; nil when it knows none.
    ///   - password: what clients have to sign in with, as the user `reader`.
    init(primary: UInt16?, epoch: Int = 1, password: String? = nil) throws {
        let answers = CallbackLog<Answer?>()
        answers.add(Answer(primary: primary, epoch: epoch))
        self.answers = answers
        peer = try ScriptedPeer { _, received in
            guard let answer = answers.entries.last ?? nil else { return nil }
            let text = String(decoding: received, as: UTF8.self)
            if let password, text.contains("PING"), !text.contains("reader\r\n$\(password.utf8.count)\r\n\(password)") {
                return [Array("-NOAUTH Authentication required.\r\n".utf8)]
            }
            return [Array(Self.replies(to: text, answer).utf8)]
        }
    }

    func names(_ primary: UInt16?, epoch: Int) { answers.add(Answer(primary: primary, epoch: epoch)) }

    /// Ends every connection when something arrives on it.
    func stop() { answers.add(nil) }

    private static func replies(to commands: String, _ answer: Answer) -> String {
        let epoch = "*2\r\n+config-epoch\r\n+\(answer.epoch)\r\n"
        let address = answer.primary.map { "*2\r\n+127.0.0.1\r\n+\($0)\r\n" } ?? "*-1\r\n"
        return commands.split(separator: "\r\n").compactMap { word in
            switch word {
            case "AUTH": "+OK\r\n"
            case "PING": "+PONG\r\n"
            case "GET-MASTER-ADDR-BY-NAME": address
            case "MASTER": answer.primary == nil ? "-ERR No such master with that name\r\n" : epoch
            default: nil
            }
        }.joined()
    }
}
