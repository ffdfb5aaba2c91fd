import ChatDomain

extension WriteSession {
    /// Whether a segment of the search index is being built or waits for that.
    var isIndexing: Bool { segmentBuild != nil || searchPositions.buildable != nil }

    /// Builds a little of a segment. Nothing waits for its flush.
    ///
    /// - Throws: `.unavailable`; the transaction must be rolled back then, and the segment is built from its beginning again.
    func indexSome() throws(StoreError) {
        guard let segment = segmentBuild?.segment ?? searchPositions.buildable else { return }
        // With a second owner every change of the lists would copy them.
        var build = segmentBuild.take() ?? SegmentBuild(segment)
        let step = build.step
        if !addMovedTexts(to: &build) {
            try begin(flushing: false)
            switch step {
            case .read(let positions): try connection.readMessages(at: positions, into: &build)
            case .write(let range):
                // An attempt that a crash or a change ended may have left some.
                if range.lowerBound == 0 { try connection.removePostings(of: segment) }
                try connection.write(build.lists, range, of: segment)
            case .finish:
                if build.lists.count == 0 { try connection.removePostings(of: segment) }
                try connection.markBuilt(segment)
            }
            try commit()
        }
        if case .finish = step {
            movedTexts.remove(through: SearchSegment.positions(segment).upperBound)
            return searchPositions.didBuild(segment)
        }
        build.didStep()
        segmentBuild = build
    }

    /// Adds the messages of a step that reads from memory; false where they are not there.
    private func addMovedTexts(to build: inout SegmentBuild) -> Bool {
        guard case .read(let positions) = build.step, let texts = movedTexts.texts(at: positions) else { return false }
        for text in texts { build.add(text) }
        return true
    }

    /// Has the index follow a message whose text changes, within the transaction under way.
    ///
    /// - Parameters:
    ///   - newText: nil when the message is deleted: then nothing is found by its room or author either.
    ///   - newAuthor: nil where the author stays.
    func reindex(
        _ key: Int64, author: UserID, from oldText: String, to newText: String?, newAuthor: UserID? = nil
    ) throws(StoreError) {
        journal.noteChangedText(of: Schema.sequence(ofKey: key), in: key >> Schema.sequenceBits)
        // What has no position yet, and what is in a segment without lists, is found by the text alone.
        guard let position = try connection.document(key) else { return }
        movedTexts.noteChange(at: position)
        let segment = SearchSegment.of(position)
        if segmentBuild?.segment == segment {
            try connection.removePostings(of: segment)
            segmentBuild = nil
        }
        guard try connection.isBuilt(segment) else { return }
        let room = key >> Schema.sequenceBits
        var difference = TermDifference()
        difference.addFormer(oldText, author: author, room: room)
        if let newText { difference.addPresent(newText, author: newAuthor ?? author, room: room) }
        try difference.forEach { term, change throws(StoreError) in
            switch change {
            case .removed: try connection.remove(position, from: term)
            case .added: try connection.add(position, to: term)
            }
        }
    }

    /// Gives messages from before there was an index their positions. Messages that have one, or get one when they leave the journal,
    /// are passed over.
    ///
    /// - Parameters:
    ///   - keys: going back in time.
    ///   - place: where the next ones begin; nil when these are the last.
    func indexOlder(_ keys: [Int64], next place: SearchBacklog?) throws(StoreError) {
        let unmoved = Set(journal.entries.map { Schema.messageKey(room: $0.room, $0.sequence) })
        for key in keys where !unmoved.contains(key) {
            guard try connection.document(key) == nil else { continue }
            try connection.addOlderDocument(key, at: searchPositions.appendOlder())
        }
        try connection.setSearchBacklog(place)
        searchPositions.hasBacklog = place != nil
    }
}
