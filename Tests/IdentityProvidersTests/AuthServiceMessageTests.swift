import ChatDomain
import HTTPClient
import Identity
import TestSupport
import Testing

@testable import IdentityProviders

/// An answer of the Auth Service, as its server would write it.
enum AuthAnswer {
    static func message(
        isValid: Bool = true, userID: String = "ann", username: String = "", roles: [String] = [], expiresAt: UInt64 = 0
    ) -> [UInt8] {
        var bytes: [UInt8] = isValid ? [0x08, 1] : []
        for (number, text) in [(2, userID), (3, username)] + roles.map({ (4, $0) }) where !text.isEmpty {
            bytes.append(UInt8(number << 3 | 2))
            ProtobufFields.appendVarint(UInt64(text.utf8.count), to: &bytes)
            bytes.append(contentsOf: text.utf8)
        }
        if expiresAt != 0 {
            bytes.append(0x28)
            ProtobufFields.appendVarint(expiresAt, to: &bytes)
        }
        return bytes
    }

    static func response(_ message: [UInt8], status: String? = "0") -> HTTPClientResponse {
        let length = UInt32(message.count)
        let prefix: [UInt8] = [0] + stride(from: 24, through: 0, by: -8).map { UInt8(length >> UInt32($0) & 0xFF) }
        var response = HTTPClientResponse(status: 200, body: prefix + message)
        response.fields.append((name: "content-type", value: "application/grpc"))
        if let status { response.fields.append((name: "grpc-status", value: status)) }
        return response
    }
}

@Suite("Messages of the Auth Service")
struct AuthServiceMessageTests {
    private typealias Response = ValidateToken.Response

    @Test("A request holds the token as field 1")
    func request() {
        #expect(ValidateToken.request(token: "abc") == [0x0A, 3] + Array("abc".utf8))
        let long = String(repeating: "t", count: 300)
        #expect(ValidateToken.request(token: long) == [0x0A, 0xAC, 0x02] + Array(long.utf8))
        let call = GRPCCall.request([1, 2], to: "http://h:1/a.B/C", deadline: .seconds(2), maximumBytes: 9)
        #expect(call.body == [0, 0, 0, 0, 2, 1, 2] && call.version == .http2)
        #expect(call.fields.contains { $0 == ("grpc-timeout", "2000m") })
        #expect(call.fields.contains { $0 == ("TE", "trailers") })
    }

    @Test("An answer is read, unknown fields and all")
    func response() throws {
        let bytes = AuthAnswer.message(userID: "ann", username: "Ann", roles: ["a", "b"], expiresAt: 1_767_229_200)
        let answer = try Response(bytes + [0x78, 1, 0x7D, 1, 2, 3, 4, 0x79, 1, 2, 3, 4, 5, 6, 7, 8, 0x7A, 1, 0])
        #expect(answer.isValid && answer.userID == "ann" && answer.username == "Ann" && answer.roles == ["a", "b"])
        #expect(answer.expiresAt == 1_767_229_200)
        #expect(try !Response([]).isValid)
    }

    @Test(
        "Fields of other types and broken messages are refused",
        arguments: [
            [0x0A, 1, 1], [0x10, 1], [0x18, 1], [0x20, 1], [0x2A, 1, 0x31], [0x0D, 1, 0, 0, 0], [0x12, 5, 0x61],
            [0x12, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1], [0x12, 1, 0xFF], [0x08], [0x08, 0x80],
            [0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 2], [0], [0x0B], [0x7D, 1], [0x0F, 1],
        ] as [[UInt8]])
    func broken(bytes: [UInt8]) { #expect(throws: ProtobufFields.Malformed.self) { try Response(bytes) } }

    @Test("Arbitrary bytes are read or refused")
    func arbitrary() {
        var random = SplitMix(seed: 7)
        for _ in 0..<5000 {
            let bytes = (0..<Int.random(in: 0...40, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            _ = try? Response(bytes)
        }
    }

    @Test("Too many roles are refused")
    func roles() {
        let roles = Array(repeating: "r", count: Response.maximumRoles + 1)
        #expect(throws: ProtobufFields.Malformed.self) { try Response(AuthAnswer.message(roles: roles)) }
    }

    private func failure(_ response: HTTPClientResponse) -> GRPCCall.Failure? {
        do throws(GRPCCall.Failure) {
            _ = try GRPCCall.message(of: response)
            return nil
        } catch { return error }
    }

    @Test("An answer without exactly one message, or with another status, is none")
    func framing() throws {
        let good = AuthAnswer.response([1, 2, 3])
        #expect(try GRPCCall.message(of: good) == [1, 2, 3])
        #expect(failure(AuthAnswer.response([], status: "14")) == .status(14))
        for status in [nil, "", "x", "99999999999999999999"] {
            guard case .notGRPC = failure(AuthAnswer.response([], status: status)) else {
                Issue.record("\(status ?? "none") is a status")
                continue
            }
        }
        let bodies: [[UInt8]] = [
            [], [0, 0, 0, 0], [1, 0, 0, 0, 0], [0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 9], [0, 0xFF, 0xFF, 0xFF, 0xFF, 1],
        ]
        for body in bodies {
            var answer = good
            answer.body = body
            guard case .notGRPC = failure(answer) else {
                Issue.record("\(body) is a message")
                continue
            }
        }
        guard case .notGRPC = failure(HTTPClientResponse(status: 404)) else {
            Issue.record("404 is an answer")
            return
        }
        guard case .notGRPC = failure(HTTPClientResponse(status: 200)) else {
            Issue.record("no type")
            return
        }
    }

    private func outcome(_ message: [UInt8]) -> CallOutcome {
        CallOutcome(.success(AuthAnswer.response(message)), now: Timestamp(milliseconds: 1_000_000))
    }

    @Test("Verdicts, at the edges of what a service may say")
    func verdicts() {
        guard case .accepted(let claims) = outcome(AuthAnswer.message(username: "Ann", expiresAt: 1001)) else {
            Issue.record("a good answer does not count")
            return
        }
        #expect(claims.userID == UserID(unchecked: "ann") && claims.username == "Ann")
        #expect(claims.expiresAt == Timestamp(milliseconds: 1_001_000))
        guard case .accepted(let lasting) = outcome(AuthAnswer.message(username: "\u{0}", expiresAt: 0)) else {
            Issue.record("a token without an end does not count")
            return
        }
        #expect(lasting.expiresAt == nil && lasting.username == nil)
        for message in [
            AuthAnswer.message(isValid: false), AuthAnswer.message(expiresAt: 1000), AuthAnswer.message(expiresAt: 1),
            AuthAnswer.message(expiresAt: UInt64(bitPattern: -5)),
        ] {
            guard case .refused = outcome(message) else {
                Issue.record("\(message) is not refused")
                continue
            }
        }
        guard case .accepted = outcome(AuthAnswer.message(expiresAt: UInt64(Int64.max))) else {
            Issue.record("a far end does not count")
            return
        }
        for message in [AuthAnswer.message(userID: ""), AuthAnswer.message(userID: String(repeating: "u", count: 999))]
        {
            guard case .failed(_, isServiceAway: false) = outcome(message) else {
                Issue.record("\(message) is a verdict")
                continue
            }
        }
    }
}
