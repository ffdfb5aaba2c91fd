import Testing

@testable import ChatDomain

@Suite struct ContactTests {
    private var contact = Contact()

    @Test mutating func nothingIsVouchedForBeforeThereIsAProof() {
        #expect(!contact.vouches(for: .at(0), at: .at(0)))
        contact.prove(sentAt: .at(10), at: .at(20))
        #expect(!contact.vouches(for: .at(19), at: .at(20)), "read before contact was made")
        #expect(contact.vouches(for: .at(20), at: .at(20)))
    }

    @Test mutating func aProofHoldsFromWhenItWasSent() {
        contact.prove(sentAt: .at(0), at: .at(100))
        #expect(contact.vouches(for: .at(100), at: .at(Contact.validity - .milliseconds(1))))
        #expect(!contact.vouches(for: .at(100), at: .at(Contact.validity)))
        // In time, nothing was missed; too late, and everything before counts as outdated.
        contact.prove(sentAt: .at(2500), at: .at(2600))
        #expect(contact.vouches(for: .at(100), at: .at(Contact.validity + .milliseconds(2499))))
        contact.prove(sentAt: .at(20_000), at: .at(20_001))
        #expect(!contact.vouches(for: .at(20_000), at: .at(20_001)))
        #expect(contact.vouches(for: .at(20_001), at: .at(20_001)))
    }

    @Test mutating func whatWasReadBeforeARestartIsOutdated() {
        contact.prove(sentAt: .at(0), at: .at(1))
        let restarted = contact.restarted(at: .at(50))
        #expect(!restarted.vouches(for: .at(49), at: .at(60)))
        #expect(restarted.vouches(for: .at(50), at: .at(60)))
        #expect(contact.restarted(at: .at(0)) == contact)
        #expect(!Contact().restarted(at: .at(50)).vouches(for: .at(60), at: .at(60)))
    }

    @Test mutating func aBrokenWayIsMadeGoodByTheNextProofOnly() {
        contact.prove(sentAt: .at(0), at: .at(1))
        contact.lose()
        #expect(!contact.vouches(for: .at(2), at: .at(2)))
        contact.prove(sentAt: .at(3), at: .at(4))
        #expect(!contact.vouches(for: .at(2), at: .at(4)))
        #expect(contact.vouches(for: .at(4), at: .at(4)))
    }

    @Test func anInstanceByItselfMissesNothing() {
        #expect(Contact.always.vouches(for: .at(0), at: .at(1_000_000_000)))
    }
}
