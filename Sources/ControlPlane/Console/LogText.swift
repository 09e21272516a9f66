// A line of a replica's output as it is shown: which replica, which stream, when, if asked. A
// terminal obeys nothing of what it says; a file or a program gets it as it was said.

package import Notation

package struct LogText: Sendable {
    package var showsReplica: Bool
    package var showsTime: Bool
    package var isForTerminal: Bool
    package var paint: Paint

    package init(showsReplica: Bool, showsTime: Bool, isForTerminal: Bool, paint: Paint) {
        self.isForTerminal = isForTerminal
        self.showsReplica = showsReplica
        self.showsTime = showsTime
        self.paint = paint
    }

    package func line(_ line: JSONValue, of replica: String) -> String {
        var text = ""
        if showsReplica { text += paint(replica, .cyan) + "  " }
        if showsTime { text += paint(Words.clock(line["time"]), .dim) + "  " }
        let words = line["text"]?.text ?? ""
        let said = isForTerminal ? words.visible : words
        switch line["stream"]?.text {
        case "stderr": return text + paint(said, .red)
        case "penstock": return text + paint("· " + said, .dim)
        default: return text + said
        }
    }
}
