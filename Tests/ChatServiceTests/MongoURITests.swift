import ChatDomain
import Testing

@testable import ChatService

@Suite struct MongoURITests {
    private func warnings(_ uri: String) throws -> [String] { try load(["MONGODB_URI": uri]).warnings }

    @Test(arguments: [
        "mongodb://h/?w=0", "mongodb://h/chat?retryWrites=false&W=0", "mongodb://u:p@h,i/chat?w=-1",
        "mongodb://h/?w=00", "mongodb://h/?w=%30", "mongodb://h/?w=1&w=0", "mongodb+srv://h/?w=0", "mongodb://h?w=0",
        "mongodb://h/?safe=false",
    ])
    func optionsThatAcknowledgeUnstoredMessagesAreRefused(_ uri: String) {
        let found = problems(["MONGODB_URI": uri])
        #expect(found.count == 1 && found[0].hasPrefix("MONGODB_URI"))
        #expect(!found.joined().contains("u:p"))
    }

    @Test(arguments: [
        ("mongodb://h/", 0), ("mongodb://h/?w=majority", 0), ("mongodb://h/?w=majority&j=true", 0),
        ("mongodb://h/?w=1", 1), ("mongodb://h/?w=backup", 1), ("mongodb://h/?j=false", 1),
        ("mongodb://h/?journal=false&w=1", 2), ("mongodb://h/?readConcernLevel=local", 1),
        ("mongodb://h/?readConcernLevel=majority", 0), ("mongodb://u:w=0@h/", 0), ("mongodb://h/w=0", 0),
    ])
    func optionsThatMayLoseMessagesCauseWarnings(_ uri: String, _ count: Int) throws {
        let found = try warnings(uri)
        #expect(found.count == count)
        #expect(found.allSatisfy { $0.hasPrefix("MONGODB_URI: ") })
    }

    @Test(arguments: [
        ("mongodb://h", "chat"), ("mongodb://h/", "chat"), ("mongodb://h/?w=1", "chat"), ("mongodb://h/a%62c", "abc"),
        ("mongodb://u:p@h1,h2:1/db?x=y", "db"), ("mongodb://u:p/q@h/db", "db"), ("mongodb://h?w=1", "chat"),
    ])
    func thePathNamesTheDatabase(_ uri: String, _ name: String) {
        #expect(MongoURI(uri).database == name)
    }

    @Test func theDeploymentIDIsTheDatabaseAndStoreUnlessItIsSet() throws {
        func deployment(_ environment: [String: String]) throws -> String {
            try load(environment).configuration.deployment.value
        }
        #expect(try deployment([:]) == "0-embedded")
        #expect(try deployment(["REDIS_URL": "redis://h/3", "MONGODB_URI": "mongodb://h/talk"]) == "3-talk")
        #expect(try deployment(["REDIS_HOST": "h", "MONGODB_URI": "mongodb://h/?w=1"]) == "0-chat")
        #expect(try deployment(["DEPLOYMENT_ID": "blue.2", "REDIS_URL": "redis://h/3"]) == "blue.2")
        let odd = try deployment(["MONGODB_URI": "mongodb://h/" + String(repeating: "%C3%A9", count: 60)])
        #expect(DeploymentID(odd)?.value == odd && odd.utf8.count == DeploymentID.maximumLength)
        #expect(problems(["DEPLOYMENT_ID": "two words"]).count == 1)
        #expect(problems(["DEPLOYMENT_ID": String(repeating: "x", count: 65)]).count == 1)
    }
}
