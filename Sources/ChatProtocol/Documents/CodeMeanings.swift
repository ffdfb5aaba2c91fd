import ChatDomain

extension ChatError.Code {
    /// One line for the documents.
    package var meaning: String {
        switch self {
        case .authUnavailable: "the token cannot be verified now; try again"
        case .badFrame: "the frame is no JSON, has neither or both of event and type, or is nested too deep"
        case .badRequest: "a field is missing, of the wrong type or too long; the message names it"
        case .banned: "banned from the room, or from the deployment"
        case .conflict: "the id is in use for something else"
        case .forbidden: "not allowed"
        case .methodNotAllowed: "the path does not take this method; Allow names those it takes"
        case .muted: "muted in the room: the user may read and not send"
        case .notFound: "there is nothing at this path"
        case .notJoined: "join the room first"
        case .overloaded: "too much waits; try again"
        case .payloadTooLarge: "the body is larger than the server takes"
        case .replaced: "a newer connection took over"
        case .rateLimited: "too often; wait for retryAfterMs, or Retry-After"
        case .storageUnavailable: "the store cannot take this now; try again"
        case .unauthenticated: "authenticate first"
        case .unauthorized: "the token or the service key is missing, invalid or expired"
        case .unknownEvent: "the event does not exist"
        case .unsupportedMediaType: "the body is no JSON by its Content-Type"
        }
    }
}

extension CloseCode {
    /// One line for the documents.
    package var meaning: String {
        switch self {
        case .normal: "normal closure"
        case .goingAway: "the endpoint goes away"
        case .protocolError: "a protocol error"
        case .unsupportedData: "binary data where none is taken"
        case .invalidUTF8: "text that is no UTF-8"
        case .tooBig: "a message that is too big"
        case .restart: "the instance restarts or drains"
        case .overloaded: "the instance is overloaded, or cannot verify the token now"
        case .slowConsumer: "the client reads too slowly: more waits for it than the limit"
        case .malformed: "ten malformed frames in a row"
        case .unauthorized: "no token, or a bad or expired one"
        case .forbidden: "not allowed: the origin or the user; banned users too"
        case .replaced: "a newer connection of the user took over"
        case .rateLimited: "the rate limit was exceeded again and again"
        }
    }

    /// What the client should do.
    package var advice: String {
        switch self {
        case .normal: "nothing"
        case .goingAway: "reconnect"
        case .protocolError, .unsupportedData, .invalidUTF8, .tooBig: "do not send the same again"
        case .restart: "reconnect after a random delay, and resume"
        case .overloaded, .rateLimited: "back off, then reconnect"
        case .slowConsumer: "reconnect, and resume"
        case .malformed, .forbidden: "do not retry"
        case .unauthorized: "get a new token"
        case .replaced: "do not retry at once"
        }
    }
}
