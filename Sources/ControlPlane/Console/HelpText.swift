// Help as people read it: what the verb is for, then examples, then everything else. The argument
// parser knows the same, in another order; and the flags of fields only the field table knows.

package enum HelpText {
    /// - Parameter text: as the argument parser writes it; what has no such form stays as it is.
    package static func arranged(_ text: String, width: Int) -> String {
        var blocks = blocks(of: text)
        guard let first = blocks.first, first.hasPrefix(overview),
            let usage = blocks.firstIndex(where: { $0.hasPrefix(Self.usage) })
        else { return text }
        var examples = blocks.remove(at: usage)
        // Examples go on behind a blank line that the parser has put between them.
        examples = examples.replacing(Self.usage, with: "EXAMPLES:\n  ", maxReplacements: 1)
            .split(separator: "\n", omittingEmptySubsequences: false).map { line in
                line.hasPrefix("       ") ? "  " + line.dropFirst(7) : String(line)
            }.joined(separator: "\n")
        blocks[0] = String(first.dropFirst(overview.count))
        blocks.insert(examples, at: 1)
        // What is mostly found by itself comes after what the verb is about.
        if let place = blocks.firstIndex(where: { $0.hasPrefix(gateway) }) {
            let block = blocks.remove(at: place)
            let end = blocks.last?.hasPrefix("  See ") == true ? blocks.count - 1 : blocks.count
            blocks.insert(block, at: end)
        }
        blocks = blocks.map { $0.replacing(" SUBCOMMANDS:\n", with: ":\n") }
        if text.contains("--set <field=value>") {
            blocks.append(
                "FIELDS (penstock explain tells more):\n" + FieldGuide.flags(width: width))
        }
        return blocks.joined(separator: "\n\n")
    }

    private static let overview = "OVERVIEW: "
    private static let usage = "USAGE: "
    private static let gateway = "WHERE THE GATEWAY IS:"

    private static func blocks(of text: String) -> [String] {
        var blocks: [String] = []
        var block: [Substring] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            guard line.isEmpty else {
                block.append(line)
                continue
            }
            if !block.isEmpty { blocks.append(block.joined(separator: "\n")) }
            block = []
        }
        if !block.isEmpty { blocks.append(block.joined(separator: "\n")) }
        return blocks
    }
}
