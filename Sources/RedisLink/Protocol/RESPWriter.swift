/// Writes commands as Redis reads them: arrays of bulk strings (RESP2).
enum RESPWriter {
    static func write(_ words: some Collection<RedisArgument>, into bytes: inout [UInt8]) {
        head(UInt8(ascii: "*"), words.count, into: &bytes)
        for word in words {
            head(UInt8(ascii: "$"), word.bytes.count, into: &bytes)
            bytes.append(contentsOf: word.bytes)
            bytes.append(13)
            bytes.append(10)
        }
    }

    /// A script's run: by its digest where Redis has it, else in full.
    static func write(
        _ script: RedisScript, keys: [RedisArgument], arguments: [RedisArgument], isKnown: Bool,
        into bytes: inout [UInt8]
    ) {
        let head = [
            isKnown ? "EVALSHA" : "EVAL", RedisArgument(isKnown ? script.digest : script.source),
            RedisArgument(keys.count),
        ]
        write(head + keys + arguments, into: &bytes)
    }

    private static func head(_ type: UInt8, _ count: Int, into bytes: inout [UInt8]) {
        bytes.append(type)
        bytes.append(contentsOf: String(count).utf8)
        bytes.append(13)
        bytes.append(10)
    }
}
