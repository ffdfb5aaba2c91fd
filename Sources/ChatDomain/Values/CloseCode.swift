/// Why the server ends a connection, and what the client should do about it (contract §11, RFC 6455 §7.4).
public enum CloseCode: UInt16, Sendable, CaseIterable {
    case normal = 1000
    case goingAway = 1001
    case protocolError = 1002
    case unsupportedData = 1003
    case invalidUTF8 = 1007
    case tooBig = 1009
    case restart = 1012
    case overloaded = 1013
    case slowConsumer = 4008
    case malformed = 4400
    case unauthorized = 4401
    case forbidden = 4403
    case replaced = 4409
    case rateLimited = 4429
}
