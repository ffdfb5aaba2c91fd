import ChatCore
import ChatProtocol
import ChatDomain
import JSON
import WireProtocols

/// The recovery state of a Socket.IO connection. As wide as a reference: most connections have nothing of it.
enum ChannelRecovery {
    /// The client does not know offsets, so broadcasts carry none.
    case notOffered
    /// The client knows offsets, and has no session that may be recovered.
    case offered
    /// The return of a session is under way.
    case returning(ReturningSession)
    /// The session may be recovered later under this pid.
    case open(Shared<RecoveryPID>)

    var isOffered: Bool { if case .notOffered = self { false } else { true } }

    var returning: ReturningSession? { if case .returning(let session) = self { session } else { nil } }

    var pid: RecoveryPID? { if case .open(let pid) = self { pid.value } else { nil } }

    /// Nothing returns any more, and nothing may be recovered; whether recovery is offered stays as it is.
    mutating func end() { if isOffered { self = .offered } }
}

/// A session that its client wants back.
final class ReturningSession {
    /// Bytes that are missed and still brought back.
    static let maximumBytes = 4 << 20

    let pid: RecoveryPID
    /// The session found under the pid, to be kept again if the client leaves before it has it; nil while it is looked for.
    var found: RecoverableSession?
    /// Frames that wait until the session is whole.
    private(set) var held: [HeldFrames] = []
    private var heldBytes = 0
    /// More was missed than may wait: the client starts over.
    private(set) var isTooMuch = false

    init(_ pid: RecoveryPID) { self.pid = pid }

    func hold(_ frames: HeldFrames) {
        heldBytes += frames.bytes.count
        isTooMuch = heldBytes > Self.maximumBytes
        if isTooMuch { held = [] } else { held.append(frames) }
    }
}

/// Frames or packets, as the transport they were made for takes them.
struct HeldFrames {
    let bytes: [UInt8]
    let isForWebSocket: Bool

    /// The bytes for the client's present transport: packets made for polling are framed for a WebSocket.
    func bytes(onWebSocket: Bool) -> [UInt8] {
        isForWebSocket == onWebSocket ? bytes : EncodedFrames.framed(packets: bytes)
    }
}

/// A client's request for recovery, in its CONNECT packet.
struct RecoveryClaim {
    /// The session it left; nil also for what cannot be one.
    let pid: RecoveryPID?
    /// The last offset it saw.
    let offset: MessageOffset?
    private let isRequested: Bool?
    private let hasPID: Bool

    /// Never throws: a client with an unreadable claim starts over.
    init(_ fields: CommandFields) {
        let text = fields["pid"]?.string
        hasPID = text != nil
        pid = text.flatMap { RecoveryPID($0) }
        offset = fields["offset"]?.string.flatMap { MessageOffset($0) }
        isRequested = fields["recovery"]?.bool
    }

    /// Offsets come as one more argument, which handlers of some clients refuse. They are for clients that ask for them, have
    /// shown that they know them, or are the JavaScript client: in a browser, or in Node by its polling.
    func isUnderstood(by userAgent: String?) -> Bool {
        if let isRequested { return isRequested }
        if hasPID { return true }
        guard let userAgent else { return false }
        return userAgent.hasPrefix("Mozilla/") || userAgent.hasPrefix("node-XMLHttpRequest")
    }
}
