/// The only protocol offered inside TLS, by its ALPN name (RFC 7301 §6).
enum ApplicationProtocol {
    static let name: StaticString = "http/1.1"

    /// Whether `names` contains it. Each name is a length in one byte, then that many characters.
    static func isOffered(in names: some Collection<UInt8>) -> Bool {
        let name = UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
        var rest = names[...]
        while let length = rest.popFirst() {
            if Int(length) == name.count, rest.prefix(name.count).elementsEqual(name) { return true }
            rest = rest.dropFirst(Int(length))
        }
        return false
    }
}
