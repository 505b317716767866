import Foundation
import Testing

@testable import TortoiseCore

struct ExtendedNormalizerTests {
    /// What a person would read, rule by rule.
    @Test(arguments: [
        // Times
        ("It's 3:05 pm.", "it's three oh five p m."), ("at 15:00, or 3:00", "at fifteen hundred, or three o'clock"),
        ("I rose at 9 a.m. Then I ran.", "i rose at nine a m. then i ran."), ("5 p.m. Monday", "five p m monday"),
        ("10:30:15", "ten thirty and fifteen seconds"), ("4:30-5:30", "four thirty to five thirty"),
        ("25:10", "twenty-five to ten"),
        // Dates and years
        ("2024-03-01", "march first, twenty twenty-four"), ("03/04/2024", "march fourth, twenty twenty-four"),
        ("25/12/1999", "december twenty-fifth, nineteen ninety-nine"), ("1.3.2024", "march first, twenty twenty-four"),
        ("Mar. 3rd, 2005", "march third, two thousand five"),
        ("on 1 March 2024", "on the first of march twenty twenty-four"),
        ("May 10 be", "may tenth be"), ("in 1905 and 1999", "in nineteen oh five and nineteen ninety-nine"),
        ("the 1990s, '80s and 90s", "the nineteen nineties, eighties and nineties"),
        ("the 1800s", "the eighteen hundreds"),
        ("13/13/2024", "thirteen/thirteen/twenty twenty-four"),
        // Numbers
        ("3.14", "three point one four"), ("-5 or 0.5", "minus five or zero point five"), ("007", "zero zero seven"),
        ("1,234,567", "one million two hundred thirty-four thousand five hundred sixty-seven"),
        ("1st 22nd", "first twenty-second"),
        ("10,5", "ten,five"), ("pages 5–10", "pages five to ten"), ("10-15%", "ten to fifteen percent"),
        ("3-2-1", "three-two-one"),
        ("3/4 cup, 2½ kg", "three quarters cup, two and a half kilograms"), ("24/7", "twenty-four seven"),
        ("7/3", "seven over three"),
        ("v1.2.3", "v one point two point three"), ("192.168.0.1", "one nine two dot one six eight dot zero dot one"),
        // Telephone numbers
        ("+1 (555) 123-4567", "plus one, five five five, one two three, four five six seven"),
        ("555-1234", "five five five, one two three four"),
        ("0800 123 456", "zero eight zero zero, one two three, four five six"),
        // Money
        ("$3.50", "three dollars and fifty cents"), ("$1", "one dollar"), ("$0.99", "ninety-nine cents"),
        ("£5.01", "five pounds and one penny"),
        ("$3.5 million", "three point five million dollars"), ("5 €", "five euros"), ("20¢", "twenty cents"),
        ("¥500", "five hundred yen"),
        ("US$5", "five u s dollars"), ("5 USD", "five u s dollars"), ("-$20", "minus twenty dollars"),
        ("$5-10", "five to ten dollars"),
        ("$5/month", "five dollars per month"), ("£1.5bn", "one point five billion pounds"),
        ("$1.999", "one point nine nine nine dollars"),
        ("€1.234,56", "one thousand two hundred thirty-four euros and fifty-six cents"),
        ("3,50 € or €3,50", "three euros and fifty cents or three euros and fifty cents"),
        (
            "1.234.567,8 km",
            "one million two hundred thirty-four thousand five hundred sixty-seven point eight kilometers"
        ),
        ("see 3,50 and 1.234,567", "see three,fifty and one point two three four,five hundred sixty-seven"),
        // Units
        ("5kg, 10 km/h", "five kilograms, ten kilometers per hour"),
        ("72°F or 20 °C", "seventy-two degrees fahrenheit or twenty degrees celsius"),
        ("1 m", "one meter"), ("5'10\" tall", "five feet ten inches tall"), ("3 in a row", "three in a row"),
        ("100x", "one hundred times"),
        ("5-year-old", "five-year-old"),
        // Roman numerals
        ("Chapter IV", "chapter four"), ("World War II", "world war two"), ("Henry VIII", "henry the eighth"),
        ("Elizabeth II's", "elizabeth the second's"), ("Rocky II", "rocky two"), ("James I am", "james i am"),
        ("think I", "think i"),
        // Names
        ("Mr. Smith & Dr. Who", "mister smith and doctor who"), ("St. John on Main St.", "saint john on main street."),
        ("No. 5. No. No.", "number five. no. no."), ("James T. Kirk", "james t kirk"),
        ("e.g. this", "for example this"),
        ("the U.S. Army", "the u s army"), ("in the U.S. She", "in the u s. she"),
        ("Vitamin C. Take it.", "vitamin c. take it."),
        ("cats etc. Dogs", "cats et cetera. dogs"),
        // Initialisms
        ("The GPT model", "the g p t model"), ("GPT-4", "g p t four"), ("GPTs and NASA", "g p t's and nasa"),
        ("CEO's", "c e o's"),
        ("HELLO WORLD, DON'T STOP", "hello world, don't stop"), ("MP3 and H2O", "m p three and h two o"),
        ("AT&T", "at and t"),
        // Addresses
        ("https://www.example.com/a-b.", "w w w dot example dot com slash a dash b."),
        ("john.doe@mail.co.uk", "john dot doe at mail dot co dot u k"), ("end.Start", "end.start"),
        // Symbols
        ("5+3=8", "five plus three equals eight"), ("2*3, 5 - 3", "two times three, five minus three"),
        ("C# #1 #tag", "c sharp number one hashtag tag"),
        ("50 % of x^2", "fifty percent of x to the power of two"), ("[a] {b}", "(a) (b)"), ("so — yes", "so, yes"),
        ("α → ∞", "alpha to infinity"),
        // Characters
        ("“Curly” ‘quotes’…", "curly 'quotes'..."), ("café ﬁne Ｆｕｌｌ 𝐀𝐛", "cafe fine full ab"),
        ("١٢٣ 北京", "one hundred twenty-three bei jing"),
        ("a\u{200B}b \u{A0} c\td", "a b c d"), ("Wait!!!!! , ok ..", "wait!!! ok.."), ("", ""), (" \n ", ""),
    ])
    func reads(text: String, spoken: String) {
        #expect(ExtendedNormalizer().normalize(text) == spoken)
    }

    @Test func reportsWhatItDrops() {
        var log = CleaningLog(isRecording: true)
        #expect(ExtendedNormalizer().normalize("hi 😀 `x` \u{E000}", log: &log) == "hi x")
        #expect(log.dropped == ["😀", "`", "`", "\u{E000}"])
        #expect(log.steps.map(\.rule).contains("vocabulary"))
    }

    @Test func keepsTheLettersOfItsAlphabet() {
        let german = ExtendedNormalizer(alphabet: ExtendedNormalizer.publishedAlphabet.union("äöüß".unicodeScalars))
        #expect(german.normalize("Über Straße, café") == "über straße, cafe")
    }

    /// Random Unicode, from every plane and full of what the rules look for: no trap, only the alphabet, and what is
    /// spoken once is not changed by speaking it again into something else than its alphabet.
    @Test func anyUnicodeGivesOnlyTheAlphabet() {
        let normalizer = ExtendedNormalizer()
        let allowed = normalizer.alphabet.union([" "])
        let bait = Array("0123456789.,-:/$£€%°'\"#@+=()[]<>~^*_ \n\tIVXMSTabcmkgh½²⁵⁻⁺₂✓😀é北".unicodeScalars)
        let words = [
            "12:30", "Mr.", "U.S.", "1990s", "$5", "GPT-4", "www.a.com", "5'10\"", "3/4", "Henry VIII", "p.m.", "1,000",
            "+1 (555)", "St.", "Part I", "1939-45", "2-4pm", "3m 20s", "6.02e-23", "-a-", " km", "IT'S", "H.264",
            "v2.1",
            "3:59.4", "1000s of", "1-800-", "10⁻³", " in.", "--",
        ]
        var generator = SplitMix(state: 4)
        for _ in 0..<3000 {
            var text = ""
            for _ in 0..<Int.random(in: 0..<24, using: &generator) {
                switch Int.random(in: 0..<8, using: &generator) {
                case 0:
                    text.unicodeScalars.append(
                        Unicode.Scalar(UInt32.random(in: 0...0x10FFFF, using: &generator)) ?? "x")
                case 1: text += words.randomElement(using: &generator) ?? ""
                default: text.unicodeScalars.append(bait.randomElement(using: &generator) ?? "x")
                }
            }
            let spoken = normalizer.normalize(text)
            #expect(spoken.unicodeScalars.allSatisfy(allowed.contains), "\(text.debugDescription)")
            #expect(
                !spoken.hasPrefix(" ") && !spoken.hasSuffix(" ") && !spoken.contains("  "), "\(text.debugDescription)")
            let english = EnglishCleaners.clean(text)
            #expect(english.utf8.allSatisfy { $0 < 0x80 && !ASCII.isDigit($0) }, "\(text.debugDescription)")
        }
    }

    /// Long runs of one kind, which would take for ever if a rule looked at them again from every position.
    @Test(
        .timeLimit(.minutes(1)),
        arguments: [
            "1", "a", "A", "a.", "1.", "1,", "$", "-", "+", "(", "1-", "www.", "I", "'", "北", "½", ". ", "a@", "(a.",
            "<",
            "A ", "No I ", "St. ", "1/", "1:", "⁵", "₂", "12\"", "1am-", "1s ", "1.5-", "1 km ", "a1", "-- ",
        ])
    func longRunsAreLinear(unit: String) {
        let text = String(repeating: unit, count: 4000)
        _ = ExtendedNormalizer().normalize(text)
        _ = EnglishCleaners.clean(text)
    }
}

struct PronunciationDictionaryTests {
    private func dictionary(_ text: String) throws -> PronunciationDictionary {
        try PronunciationDictionary(text: text, at: "words.txt")
    }

    @Test func longestWordsWinAndCapitalsMatchExactly() throws {
        let words = try dictionary(
            "\u{FEFF}# mine\r\nsql\tsequel\n\nSQL\tmy sequel\nnew york\tthe big apple\n"
                + "new york city\tn y c\nC++\tsee plus plus\n"
        )
        #expect(words.count == 5)
        let normalizer = ExtendedNormalizer(dictionary: words)
        #expect(normalizer.normalize("sql, Sql, SQL, mysql") == "sequel, sequel, my sequel, mysql")
        #expect(normalizer.normalize("New York City and New York, C++.") == "n y c and the big apple, see plus plus.")
    }

    @Test func laterLinesWin() throws {
        #expect(ExtendedNormalizer(dictionary: try dictionary("gif\tjif\ngif\tghif")).normalize("a gif") == "a ghif")
    }

    @Test(arguments: ["word", "word\t", "\tspoken", "a\tb\tc", "ok\tfine\nbad line"])
    func refusesBadLines(text: String) {
        let error = #expect(throws: InputError.self) { try dictionary(text) }
        #expect(error?.description.contains("words.txt, line") == true)
    }
}
