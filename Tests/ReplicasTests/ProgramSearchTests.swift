// Where programs are sought: beside the executable as it was when the process started, then in
// PATH.

import Foundation
import Replicas
import Testing

@Suite struct ProgramSearchTests {
    @Test(arguments: [
        ("/opt/penstock/bin/penstock", "/opt/penstock/bin"),
        ("/opt/penstock/bin/penstock (deleted)", "/opt/penstock/bin"),
        ("/penstock", "/"), ("", "/"),
    ])
    func `the place of a program is its directory, also when its file is gone`(
        executable: String, directory: String
    ) {
        #expect(ProgramSearch.directory(ofExecutable: executable) == directory)
    }

    @Test func `a name is sought beside this program first`() {
        let search = ProgramSearch(environment: ["PATH": "/nowhere"])
        let error = #expect(throws: ReplicaError.self) { try search.program("no-such-program") }
        #expect(
            error
                == .programNotFound(
                    "no-such-program", searched: [ProgramSearch.ownDirectory, "/nowhere"]))
    }
}
