import ArgumentParser
import TortoiseCore

/// Shows what becomes of a text before it is spoken.
struct Text: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show how a text is spoken, and its tokens.",
        discussion: "Reads standard input when the text is \"-\".")

    @Argument(help: "The text, or \"-\" for standard input.")
    var text: String

    @Flag(help: "Show every rule that changed something, the tokens, and characters that could not be used.")
    var explain = false

    @Option(help: "english (as the published models were trained), extended (years, units, money, …) or basic.")
    var cleaners = "extended"

    @Option(help: ArgumentHelp("A file of words and how they are spoken, a tab between.", valueName: "file"))
    var dictionary: String?

    @Option(help: ArgumentHelp("A vocabulary other than the published one.", valueName: "file"))
    var tokenizer: String?

    func run() throws {
        let frontEnd = try TextFrontEnd(
            cleaners: TextCleaners(named: cleaners, at: "--cleaners"), tokenizer: tokenizer, dictionary: dictionary,
            of: nil)
        for line in text == "-" ? Array(Self.standardInput) : [text] {
            if explain {
                print(frontEnd.explain(line).explanation)
            } else {
                print(frontEnd.spoken(line))
                print(frontEnd.encode(line).map(String.init).joined(separator: " "))
            }
        }
    }

    private static var standardInput: some Sequence<String> { sequence(state: ()) { _ in readLine() } }
}
