import Testing

@testable import Engine

@Suite struct ConnectionInputTests {
    private var input = ConnectionInput(unread: [1, 2])

    @Test mutating func unreadBytesAreTakenOnce() {
        let first = input.takeUnread()
        #expect(first == [1, 2] && input.unread.isEmpty)
        input.keep([3])
        let next = input.takeUnread()
        #expect(next == [3])
    }

    @Test mutating func bytesAreWantedUnlessPausedOrAtTheEnd() {
        #expect(input.wantsBytes)
        let pauses = [input.pause(), input.pause()]
        #expect(pauses == [true, false], "a second pause changes nothing")
        #expect(input.isPaused && !input.wantsBytes)
        let resumptions = [input.resume(), input.resume()]
        #expect(resumptions == [true, false])
        #expect(input.wantsBytes)
        input.receivedEnd()
        #expect(!input.wantsBytes && !input.isPaused)
    }

    @Test mutating func decodingIsScheduledOnce() {
        let requests = [input.requestDecoding(hasMore: false), input.requestDecoding(hasMore: false)]
        #expect(requests == [true, false])
        input.beginScheduledDecoding()
        let again = input.requestDecoding(hasMore: false)
        #expect(again)
    }

    @Test mutating func decodingIsNotScheduledWithinItself() {
        input.beginDecoding()
        let within = input.requestDecoding(hasMore: true)
        input.endDecoding()
        let after = input.requestDecoding(hasMore: true)
        #expect(!within && after)
    }

    @Test mutating func nothingIsScheduledWithoutBytesExceptOverTLS() {
        _ = input.takeUnread()
        let plain = input.requestDecoding(hasMore: false)
        // The TLS layer may hold decrypted bytes that the socket does not report.
        let secure = input.requestDecoding(hasMore: true)
        #expect(!plain && secure)
    }

    @Test mutating func discardedInputIsReadOn() {
        _ = input.pause()
        input.discard()
        #expect(input.unread.isEmpty && input.wantsBytes)
    }
}
