import Testing

@testable import TortoiseCore

@Suite struct TypedLineTests {
    @Test(arguments: [
        ("save\n", ["save"], ""), ("save\rqu", ["save"], "qu"), ("quix\u{7F}t\n", ["quit"], ""),
        ("\u{8}\u{7F}", [], ""),
        ("lr 1e-4\u{17}2e-4\n", ["lr 2e-4"], ""), ("junk\u{15}eval\n", ["eval"], ""), ("sä\u{7F}", [], "s"),
        ("sa\u{1B}[A\u{1B}[3~\u{1B}OBve\n", ["save"], ""), ("a\u{1B}xb", [], "ab"), ("\u{4}\u{1}x", [], "x"),
    ])
    func keysBecomeLines(keys: String, lines: [String], rest: String) {
        var line = TypedLine()
        #expect(line.append(Array(keys.utf8)) == lines && line.text == rest)
        // One key at a time makes no difference.
        var slow = TypedLine()
        #expect(keys.utf8.flatMap { slow.append([$0]) } == lines && slow.text == rest)
    }
}
