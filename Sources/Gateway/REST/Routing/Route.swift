import ChatCore
import ChatDomain
import WireProtocols

/// One call of the HTTP interface: the request it matches, its rules, its documentation and the function that answers it.
///
/// The dispatch, `Allow`, the table in `docs/protocol.md` and the tests of every route follow from these values. An object, as
/// every request passes its route on.
final class Route: Sendable {
    typealias Handler = @Sendable (Services, RESTRequest) async throws(ChatError) -> HTTPResponse

    /// The function that answers, by what streams.
    enum Work: Sendable {
        /// Request and answer are held as a whole.
        case whole(Handler)
        /// The same, for what is asked for often and mostly needs nothing that has to be waited for. It begins on the loop of the
        /// connection, where a task would cost more than the work.
        case prompt(@Sendable (Services, RESTRequest) throws(ChatError) -> Prompt<HTTPResponse>)
        /// The request's body is streamed.
        case upload(@Sendable (Services, RESTRequest) async throws(ChatError) -> any RequestBodyReader)
        /// The answer's body is streamed.
        case download(@Sendable (Services, RESTRequest) async throws(ChatError) -> RESTAnswer)

        /// - Parameter handler: a method of a group of handlers, which is made for each request.
        static func prompt<Group: RouteGroup>(
            by handler: @escaping @Sendable (Group) -> @Sendable (RESTRequest) throws(ChatError) -> Prompt<HTTPResponse>
        ) -> Self {
            .prompt { (services, request) throws(ChatError) in try handler(Group(services: services))(request) }
        }
    }

    let method: RouteMethod
    /// The documented pattern, then older ones that are served alike.
    let patterns: [RoutePattern]
    let access: RouteAccess
    /// Whether bad input is refused before a caller that the route does not answer. The handler then checks the caller
    /// when it has read the input. Ids in the path are validated before either.
    let refusesInputFirst: Bool
    let limit: RouteLimit
    /// One line for the documents.
    let summary: String
    let parameters: [RouteParameter]
    let answer: RouteAnswer
    /// The codes of refusals that are particular to this route. Refusals of credentials, parameters, bodies and rates
    /// follow from the other members.
    let refusals: [ChatError.Code]
    let work: Work
    /// Whether the handler runs on the loop of the connection: for what is asked for often and takes little time there. Changing threads
    /// would cost more.
    let runsOnLoop: Bool

    init(
        _ method: RouteMethod, _ pattern: RoutePattern, also otherPatterns: [RoutePattern] = [], access: RouteAccess,
        refusesInputFirst: Bool = false, limit: RouteLimit = .none, summary: String, parameters: [RouteParameter] = [],
        answer: RouteAnswer, refusals: [ChatError.Code] = [], work: Work, runsOnLoop: Bool = false
    ) {
        self.method = method
        patterns = [pattern] + otherPatterns
        self.access = access
        self.refusesInputFirst = refusesInputFirst
        self.limit = limit
        self.summary = summary
        self.parameters = parameters
        self.answer = answer
        self.refusals = refusals
        self.work = work
        self.runsOnLoop = runsOnLoop
    }

    convenience init(
        _ method: RouteMethod, _ pattern: RoutePattern, also otherPatterns: [RoutePattern] = [], access: RouteAccess,
        refusesInputFirst: Bool = false, limit: RouteLimit = .none, summary: String, parameters: [RouteParameter] = [],
        answer: RouteAnswer,
        refusals: [ChatError.Code] = [], runsOnLoop: Bool = false, handler: @escaping Handler
    ) {
        self.init(
            method, pattern, also: otherPatterns, access: access, refusesInputFirst: refusesInputFirst, limit: limit,
            summary: summary, parameters: parameters, answer: answer, refusals: refusals, work: .whole(handler),
            runsOnLoop: runsOnLoop)
    }

    /// - Parameter handler: a method of a group of handlers, which is made for each request.
    convenience init<Group: RouteGroup>(
        _ method: RouteMethod, _ pattern: RoutePattern, also otherPatterns: [RoutePattern] = [], access: RouteAccess,
        refusesInputFirst: Bool = false, limit: RouteLimit = .none, summary: String, parameters: [RouteParameter] = [],
        answer: RouteAnswer,
        refusals: [ChatError.Code] = [], runsOnLoop: Bool = false,
        handler: @escaping @Sendable (Group) -> @Sendable (RESTRequest) async throws(ChatError) -> HTTPResponse
    ) {
        self.init(
            method, pattern, also: otherPatterns, access: access, refusesInputFirst: refusesInputFirst, limit: limit,
            summary: summary,
            parameters: parameters, answer: answer, refusals: refusals, runsOnLoop: runsOnLoop,
            handler: { (services, request) async throws(ChatError) in
                try await handler(Group(services: services))(request)
            })
    }

    /// Whether the request's body is streamed.
    var takesStream: Bool { if case .upload = work { true } else { false } }

    func reads(_ name: String, from place: RouteParameter.Place) -> Bool {
        parameters.contains { $0.place == place && $0.name == name }
    }
}

/// Handlers of one subject, as methods over the services.
protocol RouteGroup: Sendable {
    init(services: Services)
}

/// A method that routes are declared with, in the order in which `Allow` lists them.
enum RouteMethod: String, CaseIterable, Sendable {
    case get = "GET"
    case post = "POST"
    case put = "PUT"
    case patch = "PATCH"
    case delete = "DELETE"

    /// The method whose route answers a request. HEAD is answered as GET, and the engine leaves the body out
    /// (RFC 9110 section 9.3.2).
    ///
    /// nil for methods that no route takes.
    init?(answering method: String) { self.init(rawValue: method == "HEAD" ? "GET" : method) }

    /// The methods of requests that a route of this method answers.
    var answered: [String] { self == .get ? ["GET", "HEAD"] : [rawValue] }
}

/// Which limit a call counts against. Services are not limited.
enum RouteLimit: Hashable, Sendable {
    case none
    /// The caller's rate of calls. The router counts it.
    case calls
    /// The user's rate of messages on all instances. The handler counts it, because only a valid message counts.
    case messages
    /// The rate of calls, and the rate of new rooms. The handler counts the second, because only a valid room counts.
    case rooms

    var countsCalls: Bool { self == .calls || self == .rooms }
}

/// The answer to a call that succeeds.
struct RouteAnswer: Hashable, Sendable {
    /// The name of the answer's form in the documents.
    enum Shape: String, CaseIterable, Sendable {
        case auditPage = "AuditPage"
        case banPage = "BanPage"
        case blockPage = "BlockPage"
        case changedMessage = "ChangedMessage"
        case changesPage = "ChangesPage"
        case content = "Content"
        case deadLetterPage = "DeadLetterPage"
        case delivery = "Delivery"
        case document = "Document"
        case done = "Done"
        case drainedInstance = "DrainedInstance"
        case endedSessions = "EndedSessions"
        case erasure = "Erasure"
        case export = "Export"
        case file = "File"
        case fleetStats = "FleetStats"
        case flagPage = "FlagPage"
        case health = "Health"
        case historyPage = "HistoryPage"
        case liveRoomPage = "LiveRoomPage"
        case message = "StoredMessage"
        case metrics = "Metrics"
        case onlineStatusList = "OnlineStatusList"
        case onlineUserPage = "OnlineUserPage"
        case page = "Page"
        case people = "People"
        case presenceList = "PresenceList"
        case readMarkPage = "ReadMarkPage"
        case readiness = "Readiness"
        case reloads = "Reloads"
        case replayedDeadLetters = "ReplayedDeadLetters"
        case rolePage = "RolePage"
        case room = "Room"
        case roomPage = "RoomPage"
        case sanctionPage = "SanctionPage"
        case searchPage = "SearchPage"
        case sentMessage = "SentMessage"
        case sessionPage = "SessionPage"
        case settledFlags = "SettledFlags"
        case standing = "Standing"
        case styleSheet = "StyleSheet"
        case uploadedFile = "UploadedFile"
        case userBan = "UserBan"
    }

    let shape: Shape
    /// The usual status first.
    let statuses: [Int]

    init(_ shape: Shape, _ statuses: Int...) {
        self.shape = shape
        self.statuses = statuses.isEmpty ? [200] : statuses
    }
}
