/// One member of `Sec-WebSocket-Extensions` (RFC 6455 section 9.1).
struct WebSocketExtensionOffer: Equatable {
    struct Parameter: Equatable {
        let name: String
        /// A quoted value is given without its quotes.
        let value: String?
    }

    let name: String
    let parameters: [Parameter]

    /// The offers in a header value; nil when it does not follow the grammar.
    static func parse(_ value: String) -> [WebSocketExtensionOffer]? {
        var reader = Reader(rest: value.utf8[...])
        var offers: [WebSocketExtensionOffer] = []
        while true {
            if reader.take(",") { continue }
            if reader.isAtEnd { return offers }
            guard let offer = reader.offer(), reader.isAtEnd || reader.take(",") else { return nil }
            offers.append(offer)
        }
    }

    private struct Reader {
        var rest: Substring.UTF8View

        var isAtEnd: Bool {
            mutating get {
                rest = rest.drop(while: HTTPSyntax.isWhitespace)
                return rest.isEmpty
            }
        }

        mutating func take(_ character: Unicode.Scalar) -> Bool {
            guard !isAtEnd, rest.first == UInt8(ascii: character) else { return false }
            rest.removeFirst()
            return true
        }

        mutating func offer() -> WebSocketExtensionOffer? {
            guard let name = token() else { return nil }
            var parameters: [Parameter] = []
            while take(";") {
                guard let name = token() else { return nil }
                guard take("=") else {
                    parameters.append(Parameter(name: name, value: nil))
                    continue
                }
                guard let value = take("\"") ? quoted() : token() else { return nil }
                parameters.append(Parameter(name: name, value: value))
            }
            return WebSocketExtensionOffer(name: name, parameters: parameters)
        }

        mutating func token() -> String? {
            guard !isAtEnd else { return nil }
            let token = rest.prefix(while: HTTPSyntax.isTokenCharacter)
            rest = rest.dropFirst(token.count)
            return token.isEmpty ? nil : String(Substring(token))
        }

        /// The text between quotes has to be a token too.
        mutating func quoted() -> String? {
            let token = rest.prefix(while: HTTPSyntax.isTokenCharacter)
            rest = rest.dropFirst(token.count)
            guard !token.isEmpty, rest.first == UInt8(ascii: "\"") else { return nil }
            rest.removeFirst()
            return String(Substring(token))
        }
    }
}
