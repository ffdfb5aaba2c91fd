import ChatCore
import ChatProtocol
import ChatDomain
import Engine
import JSON

/// A raw WebSocket as a session's channel: text frames in one of the two framings.
final class RawChannel: SessionChannel, WebSocketHandler {
    let origin: ClientOrigin
    private let connection: Connection
    private var session: Session?
    /// The framing of the endpoint holds until the first valid frame, then that frame's.
    private var isFramingFixed = false

    init(connection: Connection, origin: ClientOrigin) {
        self.connection = connection
        self.origin = origin
    }

    /// Opens the session. Called after the upgrade, so that what it says first goes out as frames.
    func open(_ framing: RawFraming, in sessions: SessionRegistry, handshake: Credentials) {
        let encoding = FrameEncoding(framing, deflates: connection.compressesOutput)
        connection.isStranger = true
        let session = sessions.open(channel: self, encoding: encoding, isRaw: true, handshake: handshake)
        self.session = session
        session.opened(by: handshake)
    }

    // MARK: From the client

    func received(text: UnsafeRawBufferPointer, isPadded: Bool, on connection: Connection) {
        guard let session else { return }
        let parser = session.registry.parser
        let root: JSONElement
        do throws(JSONError) { root = try parser.parseMending(text, padded: isPadded) } catch {
            let refusal = RawFrame.refusal(error, expecting: "a frame is JSON text")
            return session.receivedMalformed(
                refusal, tag: RequestTag(ofUnreadable: text, parser: parser))
        }
        var tag: RequestTag?
        do throws(ChatError) {
            guard root.kind == .object else { throw RawFrame.refusal("a frame is a JSON object") }
            // Before anything else is judged, so that whatever is refused is refused under its id.
            tag = try RequestTag(of: root)
            let frame = try RawFrame(root)
            if !isFramingFixed { fixFraming(frame.framing) }
            guard frame.framing == framing else { throw RawFrame.refusal("this connection speaks the other framing") }
            session.receive(event: frame.event, data: frame.data, tag: tag)
        } catch {
            session.receivedMalformed(error, tag: tag)
        }
    }

    private var framing: RawFraming { session?.encoding.isFlat == true ? .type : .event }

    private func fixFraming(_ framing: RawFraming) {
        isFramingFixed = true
        session?.setEncoding(FrameEncoding(framing, deflates: connection.compressesOutput))
    }

    func received(binary: UnsafeRawBufferPointer, on connection: Connection) {
        close(.unsupportedData, reason: "binary frames are not taken here")
    }

    func closed(_ connection: Connection, code: UInt16?) {
        session?.closed(code: code, reason: code == nil ? "connection lost" : "closed")
        session = nil
    }

    // MARK: To the client

    func send(_ frames: [UInt8], isDroppable: Bool) { connection.send(frames, isDroppable: isDroppable) }
    func close(_ code: CloseCode, reason: String) { connection.close(code: code.rawValue, reason: reason) }
    var queuedBytes: Int { connection.queuedBytes }
    var untakenBytes: Int { connection.untakenBytes }
    func whenDrained(to bytes: Int, _ action: @escaping () -> Void) { connection.whenDrained(to: bytes, action) }
    func recognize() { connection.isStranger = false }
    var frameSink: (any FrameSink)? { connection }
    func pause() { connection.pause() }
    func resume() { connection.resume() }
}
