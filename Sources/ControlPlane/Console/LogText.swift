// A line of a replica's output as it is shown: which replica, which stream, when, if asked.

package import Notation

package struct LogText: Sendable {
    package var showsReplica: Bool
    package var showsTime: Bool
    package var paint: Paint

    package init(showsReplica: Bool, showsTime: Bool, paint: Paint) {
        self.showsReplica = showsReplica
        self.showsTime = showsTime
        self.paint = paint
    }

    package func line(_ line: JSONValue, of replica: String) -> String {
        var text = ""
        if showsReplica { text += paint(replica, .cyan) + "  " }
        if showsTime { text += paint(Words.clock(line["time"]), .dim) + "  " }
        let said = line["text"]?.text ?? ""
        switch line["stream"]?.text {
        case "stderr": return text + paint(said, .red)
        case "penstock": return text + paint("· " + said, .dim)
        default: return text + said
        }
    }
}
