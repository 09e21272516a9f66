// Advice of the API in the words of the command line.

import Console
import Testing

struct HintTextTests {
    @Test(arguments: [
        (
            #"POST /v1/deployments/iris:updateModel {"version": …}, or: penstock update iris …"#,
            "penstock update iris …"
        ),
        (
            #"promote the version: POST /v1/models/iris/versions/v1:deploy {"environment": …}"#,
            "promote the version: penstock models deploy iris v1 --to …"
        ),
        (
            "register it: POST /v1/models/iris/versions",
            "register it: penstock models register iris VERSION --artifact FILE"
        ),
        (
            "it has: viewer; GET /v1/whoami tells all of it",
            "it has: viewer; penstock whoami tells all of it"
        ),
        (
            "change it there; or take it over, with ?takeOver=true or --take-over",
            "change it there; or take it over, with --take-over"
        ),
        ("put the files back", "put the files back"),
    ])
    func `a hint is what can be typed`(said: String, typed: String) {
        #expect(HintText.typed(said) == typed)
    }

    @Test func `what only a program can do is not told`() {
        #expect(HintText.typed("GET /v1/deployments lists them") == nil)
    }
}
