import JSON

/// The bounds of a Socket.IO server. Times are used to the millisecond.
public struct SocketIOSettings: Hashable, Sendable {
    /// More namespaces than this are a programming error.
    public static let maximumNamespaces = 32

    /// The namespaces clients may ask for, each with its `/`.
    public let namespaces: [String]
    /// How long a connection may be in no namespace.
    public var connectTimeout: Duration = .seconds(45)
    /// Binary messages that may belong to one packet.
    public var maximumAttachments = 10
    /// Whether the application wants attachments. Otherwise a packet is delivered when it comes, and its attachments are
    /// dropped: no byte of it is kept.
    public var keepsAttachments = true
    /// Bytes one packet and its attachments may have together.
    public var maxPayload = 131_072

    public init(namespaces: [String] = ["/"]) {
        precondition(namespaces.count <= Self.maximumNamespaces, "too many namespaces")
        self.namespaces = namespaces
    }
}

/// The server's side of Socket.IO over one Engine.IO session.
///
/// Every method takes an event and the time (monotonic milliseconds), changes only the session and returns what the caller has
/// to do. After a `close` nothing more is taken.
public struct SocketIOSession: Sendable {
    /// A binary packet whose attachments are not all here.
    private struct Partial: Sendable {
        let packet: SocketIOPacketType
        let namespace: Int
        let id: UInt64?
        let payload: [UInt8]
        let attachmentsDue: Int
        var attachments: [[UInt8]] = []
        var bytes: Int
    }

    /// Attachments still to come of a packet that was delivered without them, and bytes they may have.
    private struct Unwanted: Sendable {
        var count: Int
        var bytes: Int
    }

    /// What the binary messages to come are for. On the heap, because few sessions wait for any.
    private enum Awaited: Sendable {
        case nothing
        case attachments(Shared<Partial>)
        case unwanted(Shared<Unwanted>)
    }

    /// Namespaces by their place in the settings, as bits.
    private struct Namespaces: Hashable, Sendable {
        private var bits: UInt32 = 0

        var isEmpty: Bool { bits == 0 }

        subscript(index: Int) -> Bool {
            get { bits & 1 << UInt32(index) != 0 }
            set { if newValue { bits |= 1 << UInt32(index) } else { bits &= ~(1 << UInt32(index)) } }
        }
    }

    private let sharedSettings: Shared<SocketIOSettings>
    private var isClosed = false
    /// Asked for, and not yet accepted or refused.
    private var asked = Namespaces()
    private var connected = Namespaces()
    /// Ended by the server: packets that crossed its DISCONNECT are dropped.
    private var ended = Namespaces()
    private var connectDeadline: Int64
    private var awaited = Awaited.nothing

    /// - Parameter settings: shared by all sessions of one server.
    public init(settings: Shared<SocketIOSettings>, now: Int64) {
        sharedSettings = settings
        connectDeadline = now + settings.value.connectTimeout.wholeMilliseconds
    }

    public var settings: SocketIOSettings { sharedSettings.value }

    /// Whether the client is in `namespace`.
    public func isConnected(to namespace: String) -> Bool {
        settings.namespaces.firstIndex(of: namespace).map { connected[$0] } ?? false
    }

    // MARK: - Receiving

    /// A text message came.
    /// - Parameters:
    ///   - range: the message's content within `bytes`, behind the Engine.IO type.
    ///   - json: parses the payload of a binary packet; elements that it returned before are no longer valid then.
    public mutating func receiveText(
        _ bytes: UnsafeRawBufferPointer, in range: Range<Int>, json: JSONParser, now: Int64
    ) -> SocketIOAction {
        guard !isClosed else { return .nothing }
        guard case .nothing = awaited else { return close(.missingAttachment) }
        guard range.count <= settings.maxPayload else { return close(.tooBig) }
        do throws(SocketIOPacketError) {
            let packet = try SocketIOPacket.decode(bytes, in: range, maximumAttachments: settings.maximumAttachments)
            return take(packet, in: bytes, json: json, now: now)
        } catch {
            return close(.malformed(error))
        }
    }

    /// A binary message came.
    public mutating func receiveBinary(_ bytes: [UInt8]) -> SocketIOAction {
        guard !isClosed else { return .nothing }
        switch awaited {
        case .nothing: return close(.unexpectedAttachment)
        case .unwanted(let unwanted): return drop(bytes.count, of: unwanted.value)
        case .attachments(let partial): return add(bytes, to: partial.value)
        }
    }

    private mutating func add(_ bytes: [UInt8], to partial: Partial) -> SocketIOAction {
        var partial = partial
        awaited = .nothing
        partial.bytes += bytes.count
        guard partial.bytes <= settings.maxPayload else { return close(.tooBig) }
        partial.attachments.append(bytes)
        guard partial.attachments.count == partial.attachmentsDue else {
            awaited = .attachments(Shared(partial))
            return .nothing
        }
        return deliver(
            partial.packet, namespace: partial.namespace, id: partial.id, payload: .kept(partial.payload),
            attachments: partial.attachments)
    }

    private mutating func drop(_ bytes: Int, of unwanted: Unwanted) -> SocketIOAction {
        let left = Unwanted(count: unwanted.count - 1, bytes: unwanted.bytes - bytes)
        awaited = left.count > 0 ? .unwanted(Shared(left)) : .nothing
        return left.bytes < 0 ? close(.tooBig) : .nothing
    }

    private mutating func take(
        _ packet: SocketIOPacket, in bytes: UnsafeRawBufferPointer, json: JSONParser, now: Int64
    ) -> SocketIOAction {
        guard let namespace = index(of: packet.namespace, in: bytes) else {
            guard packet.type == .connect else { return close(.notConnected) }
            return .reply(SocketIOEncoder.invalidNamespace(packet.namespace.map { bytes[$0] }))
        }
        switch packet.type {
        case .connect:
            guard !connected[namespace], !asked[namespace] else { return close(.alreadyConnected) }
            asked[namespace] = true
            return .connect(
                namespace: settings.namespaces[namespace], auth: packet.payload.isEmpty ? nil : packet.payload)
        case .connectError:
            return close(.unexpectedPacket(.connectError))
        case .disconnect, .event, .ack, .binaryEvent, .binaryAck:
            guard connected[namespace] || ended[namespace] else { return close(.notConnected) }
        }
        if packet.type == .disconnect {
            return connected[namespace] ? leave(namespace, now: now) : .nothing
        }
        guard packet.type.isBinary else {
            return deliver(
                packet.type, namespace: namespace, id: packet.id, payload: .inPlace(packet.payload), attachments: [])
        }
        return keep(packet, namespace: namespace, in: bytes, json: json)
    }

    private func index(of namespace: Range<Int>?, in bytes: UnsafeRawBufferPointer) -> Int? {
        guard let namespace else { return settings.namespaces.firstIndex(of: "/") }
        return settings.namespaces.firstIndex { $0.utf8.elementsEqual(bytes[namespace]) }
    }

    private mutating func keep(
        _ packet: SocketIOPacket, namespace: Int, in bytes: UnsafeRawBufferPointer, json: JSONParser
    ) -> SocketIOAction {
        let payload = UnsafeRawBufferPointer(rebasing: bytes[packet.payload])
        guard SocketIOPlaceholders.match(payload, count: packet.attachments, json: json) else {
            return close(.invalidPlaceholders)
        }
        guard settings.keepsAttachments else {
            awaited = .unwanted(
                Shared(Unwanted(count: packet.attachments, bytes: settings.maxPayload - payload.count)))
            return deliver(
                packet.type, namespace: namespace, id: packet.id, payload: .inPlace(packet.payload), attachments: [])
        }
        awaited = .attachments(
            Shared(
                Partial(
                    packet: packet.type, namespace: namespace, id: packet.id, payload: Array(payload),
                    attachmentsDue: packet.attachments, bytes: payload.count)))
        return .nothing
    }

    private mutating func deliver(
        _ type: SocketIOPacketType, namespace: Int, id: UInt64?, payload: SocketIOMessage.Payload,
        attachments: [[UInt8]]
    ) -> SocketIOAction {
        // No event of the server asks for an ack: an ack that comes all the same answers nothing.
        guard connected[namespace], type == .event || type == .binaryEvent else { return .nothing }
        let message = SocketIOMessage(
            namespace: settings.namespaces[namespace], id: id, payload: payload, attachments: attachments,
            hasBinary: type.isBinary)
        return .event(message)
    }

    private mutating func leave(_ namespace: Int, now: Int64) -> SocketIOAction {
        remove(namespace, now: now)
        return .disconnect(namespace: settings.namespaces[namespace])
    }

    private mutating func close(_ reason: SocketIOCloseReason) -> SocketIOAction {
        isClosed = true
        awaited = .nothing
        return .close(reason)
    }

    // MARK: - Decisions of the application

    /// The application takes the client into a namespace it asked for.
    public mutating func accept(_ namespace: String) {
        guard let index = settings.namespaces.firstIndex(of: namespace), asked[index] else { return }
        asked[index] = false
        connected[index] = true
        ended[index] = false
        connectDeadline = .max
    }

    /// The application does not take the client into a namespace it asked for.
    public mutating func refuse(_ namespace: String) {
        guard let index = settings.namespaces.firstIndex(of: namespace) else { return }
        asked[index] = false
    }

    /// The application ended a namespace by a DISCONNECT.
    public mutating func disconnect(_ namespace: String, now: Int64) {
        guard let index = settings.namespaces.firstIndex(of: namespace), connected[index] else { return }
        remove(index, now: now)
        ended[index] = true
    }

    private mutating func remove(_ namespace: Int, now: Int64) {
        connected[namespace] = false
        if connected.isEmpty { connectDeadline = now + settings.connectTimeout.wholeMilliseconds }
    }

    // MARK: - Time

    public enum TimerAction: Hashable, Sendable {
        case nothing
        /// Close the Engine.IO session.
        case close(SocketIOCloseReason)
    }

    /// When `tick` is due next; `Int64.max` when never.
    public var nextDeadline: Int64 { isClosed ? .max : connectDeadline }

    public mutating func tick(now: Int64) -> TimerAction {
        guard now >= nextDeadline else { return .nothing }
        _ = close(.connectTimeout)
        return .close(.connectTimeout)
    }
}
