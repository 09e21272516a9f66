// Finding one cookie in a `Cookie` field (RFC 6265, 4.2.1).

import Proxying
import Reactor
import Testing

@Suite struct CookiesTests {
    private func value(of name: String, in list: String) -> String? {
        let (name, list) = (TextBytes(name), TextBytes(list))
        return withExtendedLifetime((name, list)) {
            Cookies.value(of: name.bytes, in: list.bytes)?.text
        }
    }

    @Test(arguments: [
        ("a=1", "1"), ("a=1; b=2", "1"), ("b=2; a=1", "1"), ("b=2;a=1", "1"), (";; a=1 ;", "1 "),
        ("a=\"1\"", "1"), ("a=\"", "\""), ("a=", ""), ("a=x=y", "x=y"), ("aa=2; a=1", "1"),
        ("a=1; a=2", "1"),
    ])
    func `the first pair of that name has the value`(list: String, expected: String) {
        #expect(value(of: "a", in: list) == expected)
    }

    @Test(arguments: ["", "b=1", "A=1", "a", "ab=1", "b=a=1", "=1", "; ;", "xa=1"])
    func `other pairs are none of it`(list: String) {
        #expect(value(of: "a", in: list) == nil)
    }
}
