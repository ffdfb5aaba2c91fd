import ChatDomain
import HTTPClient
import Identity
import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import IdentityProviders

/// An Auth Service without a network: a test holds calls back, and says what they bring.
private final class ServiceDouble: Sendable {
    typealias Answer = Result<HTTPClientResponse, HTTPClientError>

    private struct State {
        var answer: Answer = .failure(.unreachable("away"))
        var calls = 0
        var isHolding = false
        var held: [CheckedContinuation<Answer, Never>] = []
        var now = Now(wall: Timestamp(milliseconds: 1_000_000_000), monotonic: Moment(milliseconds: 5_000))
    }

    private let state = Mutex(State())

    var calls: Int { state.withLock { $0.calls } }
    var now: Now { state.withLock { $0.now } }

    func advance(by span: Duration) {
        state.withLock { state in
            state.now.monotonic = state.now.monotonic + span
            state.now.wall = Timestamp(
                milliseconds: state.now.wall.milliseconds + Int64(span / .milliseconds(1)))
        }
    }

    func answers(_ answer: Answer) { state.withLock { $0.answer = answer } }
    func accepts(expiresAt: UInt64 = 0) {
        answers(.success(AuthAnswer.response(AuthAnswer.message(expiresAt: expiresAt))))
    }

    func hold() { state.withLock { $0.isHolding = true } }

    func release() {
        let (held, answer) = state.withLock { state in
            defer { state.held = [] }
            state.isHolding = false
            return (state.held, state.answer)
        }
        for call in held { call.resume(returning: answer) }
    }

    func call() async -> Answer {
        await withCheckedContinuation { continuation in
            let answer = state.withLock { state -> Answer? in
                state.calls += 1
                if state.isHolding { state.held.append(continuation) }
                return state.isHolding ? nil : state.answer
            }
            if let answer { continuation.resume(returning: answer) }
        }
    }
}

@Suite("Verifying by the Auth Service")
struct AuthServiceTests {
    private let double: ServiceDouble
    private let service: AuthService

    init() {
        let double = ServiceDouble()
        self.double = double
        service = AuthService(
            url: "http://auth:1/a.B/C", clock: { double.now }, logger: .disabled, registry: MetricsRegistry()
        ) { _ in await double.call() }
    }

    private func known(_ token: String) -> String? { service.knownVerdict(on: token, now: double.now)?.name }
    private func verdict(_ token: String) async -> String { await service.verdict(on: token, now: double.now).name }

    @Test("An answer is kept for a minute")
    func kept() async {
        double.accepts()
        #expect(known("t") == nil)
        #expect(await verdict("t") == "valid")
        #expect(known("t") == "valid" && known("other") == nil)
        double.advance(by: .milliseconds(59_999))
        #expect(known("t") == "valid")
        double.advance(by: .milliseconds(1))
        #expect(known("t") == nil && double.calls == 1)
    }

    @Test("An answer is not kept past the token's end")
    func keptToItsEnd() async {
        double.accepts(expiresAt: UInt64(double.now.wall.milliseconds / 1000 + 10))
        #expect(await verdict("t") == "valid")
        double.advance(by: .milliseconds(9_999))
        #expect(known("t") == "valid")
        double.advance(by: .milliseconds(1))
        #expect(known("t") == nil)
    }

    @Test("A refusal is kept for five seconds")
    func refused() async {
        double.answers(.success(AuthAnswer.response(AuthAnswer.message(isValid: false))))
        #expect(await verdict("t") == "refused")
        double.advance(by: .milliseconds(4_999))
        #expect(known("t") == "refused")
        double.advance(by: .milliseconds(1))
        #expect(known("t") == nil)
    }

    @Test("A token that is too long is refused without a call")
    func tooLong() {
        #expect(known(String(repeating: "t", count: TokenVerifier.maximumTokenBytes + 1)) == "refused")
    }

    @Test("Callers with one token share one call")
    func singleFlight() async {
        double.accepts()
        double.hold()
        async let first = verdict("t")
        #expect(await eventually { double.calls == 1 })
        async let others = withTaskGroup(of: String.self) { group in
            for _ in 0..<20 { group.addTask { await verdict("t") } }
            return await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        async let another = verdict("u")
        #expect(await eventually { double.calls == 2 })
        #expect(known("t") == nil)
        double.release()
        let verdicts = await (first, others, another)
        #expect(verdicts.0 == "valid" && verdicts.1 == ["valid"] && verdicts.2 == "valid")
        #expect(double.calls == 2)
    }

    @Test("A service that is away is left alone, and tried again one call at a time")
    func away() async {
        for token in ["a", "b", "c"] { #expect(await verdict(token) == "unavailable") }
        #expect(known("d") == "unavailable")
        #expect(await verdict("d") == "unavailable")
        #expect(double.calls == CallGate.maximumFailures)
        double.accepts()
        double.advance(by: .seconds(5))
        #expect(known("d") == nil)
        #expect(await verdict("d") == "valid")
        #expect(await verdict("e") == "valid")
        #expect(service.failureReason() == nil)
    }

    @Test("An answer that makes no sense fails one token and does not count against the service")
    func nonsense() async {
        double.answers(.success(AuthAnswer.response([0x10, 1])))
        for number in 0..<10 { #expect(await verdict("t\(number)") == "unavailable") }
        #expect(double.calls == 10)
        double.answers(.failure(.tooLarge))
        for number in 0..<10 { #expect(await verdict("t\(number)") == "unavailable") }
        #expect(double.calls == 20)
        #expect(service.failureReason() != nil)
    }

    @Test("Verdicts that are kept are bounded, the oldest goes first")
    func bounded() {
        let now = Moment(milliseconds: 0)
        var cache = VerdictCache<Int>(capacity: 3)
        for number in 0..<5 { cache.insert(number, on: [UInt8(number)], until: now + .seconds(60), now: now) }
        #expect(cache.count == 3)
        #expect((0..<5).map { cache.verdict(on: [UInt8($0)], now: now) } == [nil, nil, 2, 3, 4])
        for _ in 0..<10_000 { cache.insert(9, on: [4], until: now + .seconds(61), now: now) }
        #expect(cache.count <= 3 && cache.verdict(on: [4], now: now) == 9)
        cache.insert(7, on: [7], until: now + .seconds(200), now: now + .seconds(100))
        #expect(cache.count == 1)
    }
}

@Suite("Whether a failing server is asked")
struct CallGateTests {
    private let start = Moment(milliseconds: 0)
    private var random = SplitMix(seed: 3)

    private mutating func fail(_ gate: inout CallGate, now: Moment) throws {
        let permit = gate.begin(now: now)
        gate.failed(try #require(permit), now: now, using: &random)
    }

    @Test("Three failures in a row close it; a success between them does not")
    mutating func closing() throws {
        var gate = CallGate()
        for _ in 0..<2 { try fail(&gate, now: start) }
        gate.succeeded()
        for _ in 0..<2 { try fail(&gate, now: start) }
        #expect(gate.admits(now: start))
        try fail(&gate, now: start)
        #expect(!gate.admits(now: start))
        let permit = gate.begin(now: start)
        #expect(permit == nil)
    }

    @Test("A closed gate admits one trial at a time, after a wait of five seconds at most")
    mutating func trial() throws {
        var gate = CallGate()
        var now = start
        for _ in 0..<3 { gate.failed(.usual, now: now, using: &random) }
        // Calls that were under way when it closed.
        for _ in 0..<100 { gate.failed(.usual, now: now, using: &random) }
        for _ in 0..<20 {
            now = now + .seconds(5)
            let (trial, another) = (gate.begin(now: now), gate.begin(now: now))
            #expect(trial == .trial && another == nil)
            gate.failed(.trial, now: now, using: &random)
            #expect(!gate.admits(now: now))
        }
        now = now + .seconds(5)
        let abandoned = gate.begin(now: now)
        gate.abandoned(try #require(abandoned))
        let trial = gate.begin(now: now)
        #expect(trial == .trial)
        gate.succeeded()
        let usual = [gate.begin(now: now), gate.begin(now: now)]
        #expect(usual == [.usual, .usual])
    }
}
