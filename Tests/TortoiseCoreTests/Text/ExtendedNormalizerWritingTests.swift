import Testing

@testable import TortoiseCore

/// Ways of writing in which the plain rule would say something else than a reader.
struct ExtendedNormalizerWritingTests {
    @Test(arguments: [
        // The pronoun
        ("For the most part I agree", "for the most part i agree"), ("No I won't do it", "no i won't do it"),
        ("The next day I left", "the next day i left"), ("In the war I fought", "in the war i fought"),
        ("what part I played", "what part i played"), ("I figure I can", "i figure i can"),
        ("Paul I love you", "paul i love you"), ("John I told you", "john i told you"),
        ("the stage I was on", "the stage i was on"),
        // Letters as labels
        ("Medicare Part D and Part C", "medicare part d and part c"),
        ("grade C, Group C, Appendix D", "grade c, group c, appendix d"), ("James C. Is", "james c. is"),
        ("No CD, no CV", "no c d, no c v"), ("The IV drip", "the i v drip"),
        // Numerals
        ("World War I began", "world war one began"), ("Part I. The end", "part one. the end"),
        ("Act I, Scene II", "act one, scene two"), ("Louis XIV", "louis the fourteenth"),
        ("Elizabeth II", "elizabeth the second"), ("King James I was", "king james the first was"),
        ("Type I diabetes, a type I error", "type one diabetes, a type one error"),
        ("Super Bowl LVIII", "super bowl fifty-eight"), ("Malcolm X", "malcolm x"),
    ])
    func numeralsAndLetters(text: String, spoken: String) {
        #expect(ExtendedNormalizer().normalize(text) == spoken)
    }

    @Test(arguments: [
        ("In St. Louis", "in saint louis"), ("On St. Patrick's Day", "on saint patrick's day"),
        ("The St. Lawrence River", "the saint lawrence river"), ("Mount St. Helens", "mount saint helens"),
        ("Port St. Lucie", "port saint lucie"), ("Visit St. Louis", "visit saint louis"),
        ("St John's Wood", "saint john's wood"), ("123 Main St.", "one hundred twenty-three main street."),
        ("5th St. The shop", "fifth street. the shop"), ("on Wall St. They", "on wall street. they"),
        ("12 Oak St., Springfield", "twelve oak street, springfield"), ("Broad St. Station", "broad street station"),
        ("8 A.M. EST.", "eight a m e s t."), ("Est. 1920", "established nineteen twenty"),
        ("Hello, Max.", "hello, max."), ("He left.It was", "he left.it was"), ("see amazon.it", "see amazon dot i t"),
    ])
    func abbreviations(text: String, spoken: String) {
        #expect(ExtendedNormalizer().normalize(text) == spoken)
    }

    @Test(arguments: [
        ("in her 30s", "in her thirties"), ("20s and 30s", "twenties and thirties"), ("80s kids", "eighties kids"),
        ("Low 70s", "low seventies"), ("100s of people", "hundreds of people"), ("1000s of", "thousands of"),
        ("10,000s of", "tens of thousands of"), ("it took 20s, or 20 s", "it took twenty seconds, or twenty seconds"),
        ("20s timeout", "twenty seconds timeout"), ("a 30s delay", "a thirty second delay"),
        ("wait 20-30s", "wait twenty to thirty seconds"), ("~30s", "about thirty seconds"),
        // Years
        ("1939–45", "nineteen thirty-nine to forty-five"), ("2010-11", "twenty ten to eleven"),
        ("2023/24", "twenty twenty-three to twenty-four"), ("1999-00", "nineteen ninety-nine to two thousand"),
        ("2000-05", "two thousand to two thousand five"),
        ("$1500-2000", "one thousand five hundred to two thousand dollars"),
        ("pre-1914", "pre-nineteen fourteen"), ("post-1945", "post-nineteen forty-five"),
        ("mid-1990s", "mid-nineteen nineties"), ("windows-1252", "windows one thousand two hundred fifty-two"),
        ("5 Nov. Then", "the fifth of november. then"), ("on 5 Nov. we", "on the fifth of november we"),
        // Times
        ("9am-5pm", "nine a m to five p m"), ("9am - 5pm", "nine a m to five p m"), ("2-4pm", "two to four p m"),
        ("9-10 a.m. daily", "nine to ten a m daily"), ("3m 20s", "three minutes twenty seconds"),
        ("1h30m", "one hour thirty minutes"), ("5m", "five meters"),
        ("3:59.4", "three fifty-nine point four"), ("1:02:05.3", "one oh two oh five point three"),
    ])
    func timesAndYears(text: String, spoken: String) {
        #expect(ExtendedNormalizer().normalize(text) == spoken)
    }

    @Test(arguments: [
        ("v2.1", "v two point one"), ("H.264", "h dot two six four"), ("iOS17.2", "ios seventeen point two"),
        ("2.5K views, 4.7B", "two point five thousand views, four point seven billion"), ("4K", "four k"),
        ("6.02e23, 1e-5", "six point zero two times ten to the twenty-third, one times ten to the minus five"),
        ("802.11ac", "eight hundred two point one one a c"), ("end.5", "end.five"),
        // Ranges and fractions
        ("2.5-3.0%", "two point five to three point zero percent"),
        ("98.6-99.1", "ninety-eight point six to ninety-nine point one"), ("3-1/2", "three and a half"),
        ("120/80", "one hundred twenty over eighty"), ("1/1000", "one over one thousand"),
        // Telephone numbers
        ("555.123.4567", "five five five, one two three, four five six seven"),
        ("1-800-FLOWERS", "one eight hundred flowers"), ("1-888-GO-FEDEX", "one eight eight eight go-fedex"),
        // Raised and lowered
        ("H₂O, CO₂", "h two o, c o two"), ("H₂SO₄", "h two s o four"), ("2⁵", "two to the fifth"),
        ("x⁴", "x to the fourth"), ("10⁻³", "ten to the minus three"), ("Ca²⁺", "ca two plus"),
        ("x², 5 m², 3 m³", "x squared, five square meters, three cubic meters"),
        // Comparisons
        (">90%", "greater than ninety percent"), ("<5 km", "less than five kilometers"),
        ("<$5", "less than five dollars"), ("~20 km", "about twenty kilometers"),
        ("<= -5 °C", "less than or equal to minus five degrees celsius"),
    ])
    func numbers(text: String, spoken: String) {
        #expect(ExtendedNormalizer().normalize(text) == spoken)
    }

    @Test(arguments: [
        ("$100-million deal", "one hundred million dollar deal"),
        ("$1.5-million fund", "one point five million dollar fund"), ("a $20 bill", "a twenty dollar bill"),
        ("a $20 or so", "a twenty dollars or so"), ("a £20 note", "a twenty pound note"),
        ("a $3.50 coffee", "a three dollar and fifty cent coffee"), ("$5-a-day", "five dollars a day"),
        ("$20-per-night", "twenty dollars per night"),
        ("A 5 km run", "a five kilometer run"), ("10-km race", "ten kilometer race"), ("60-W", "sixty watt"),
        ("6-ft.", "six foot."), ("a 6-ft. fence", "a six foot fence"), ("2-in-1", "two-in-one"),
        ("12\" pizza", "twelve inch pizza"), ("12\" long", "twelve inches long"),
        ("a 6'2\" man", "a six foot two inch man"), ("he said \"it is 12\" then", "he said it is twelve then"),
        ("10 lbs., 6", "ten pounds, six"), ("10 lbs. It", "ten pounds. it"),
        ("6 ft. 2 in. tall", "six feet two inches tall"),
    ])
    func amounts(text: String, spoken: String) {
        #expect(ExtendedNormalizer().normalize(text) == spoken)
    }

    @Test(arguments: [
        ("MAN BITES DOG", "man bites dog"), ("NASA AND FBI PROBE", "nasa and f b i probe"), ("WAIT!", "wait!"),
        ("The HUGE dog is DEAD.", "the huge dog is dead."), ("MINE, TODAY, NOPE", "mine, today, nope"),
        ("IT'S OVER.", "it's over."), ("WHERE'S JOHN?", "where's john?"), ("MARLEY'S GHOST", "marley's ghost"),
        ("NOOO! HAHA!", "nooo! haha!"), ("I'LL GO. WE'VE WON.", "i'll go. we've won."), ("STEVE'S CAR", "steve's car"),
        ("FBI, USA, CEO, HTML, PDF", "f b i, u s a, c e o, h t m l, p d f"), ("THE FBI'S", "the f b i's"),
        ("US and IT", "u s and i t"), ("TELL US. GIVE IT UP", "tell us. give it up"), ("THE US ARMY", "the u s army"),
        // Dashes
        ("this -- and", "this, and"), ("left--quickly", "left, quickly"), ("\"Wait--\" he", "wait, he"),
        ("use --help", "use --help"),
    ])
    func capitalsAndDashes(text: String, spoken: String) {
        #expect(ExtendedNormalizer().normalize(text) == spoken)
    }
}
