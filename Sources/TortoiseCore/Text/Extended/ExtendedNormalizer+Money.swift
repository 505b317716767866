/// A currency's spoken names; a currency without a small unit has `cent` nil.
struct Currency: Sendable {
    let one: String
    let many: String
    let cent: String?
    let cents: String?

    init(_ one: String, _ many: String, _ cent: String? = nil, _ cents: String? = nil) {
        self.one = one
        self.many = many
        self.cent = cent
        self.cents = cents ?? cent.map { $0 + "s" }
    }
}

extension ExtendedNormalizer {
    static let symbolCurrencies: [Unicode.Scalar: Currency] = [
        "$": Currency("dollar", "dollars", "cent"), "£": Currency("pound", "pounds", "penny", "pence"),
        "€": Currency("euro", "euros", "cent"), "¥": Currency("yen", "yen"), "￥": Currency("yen", "yen"),
        "₹": Currency("rupee", "rupees", "paisa", "paise"), "₽": Currency("ruble", "rubles", "kopek"),
        "₩": Currency("won", "won"), "₪": Currency("shekel", "shekels", "agora", "agorot"),
        "₺": Currency("lira", "lira", "kurus", "kurus"), "₴": Currency("hryvnia", "hryvnias", "kopiyka"),
        "₦": Currency("naira", "naira", "kobo", "kobo"), "₱": Currency("peso", "pesos", "centavo"),
        "฿": Currency("baht", "baht", "satang", "satang"), "₫": Currency("dong", "dong"),
        "₿": Currency("bitcoin", "bitcoins"), "₵": Currency("cedi", "cedis"), "₲": Currency("guarani", "guaranis"),
        "₸": Currency("tenge", "tenge"), "₼": Currency("manat", "manat"), "₾": Currency("lari", "lari"),
        "₭": Currency("kip", "kip"), "₮": Currency("tugrik", "tugriks"), "₡": Currency("colon", "colons"),
        "₣": Currency("franc", "francs"), "₤": Currency("lira", "lire"),
    ]

    /// Country letters directly before a dollar sign.
    private static let dollarPrefixes: [String: Currency] = [
        "US": Currency("u s dollar", "u s dollars", "cent"),
        "A": Currency("australian dollar", "australian dollars", "cent"),
        "AU": Currency("australian dollar", "australian dollars", "cent"),
        "C": Currency("canadian dollar", "canadian dollars", "cent"),
        "CA": Currency("canadian dollar", "canadian dollars", "cent"),
        "NZ": Currency("new zealand dollar", "new zealand dollars", "cent"),
        "HK": Currency("hong kong dollar", "hong kong dollars", "cent"),
        "S": Currency("singapore dollar", "singapore dollars", "cent"), "R": Currency("real", "reais", "centavo"),
    ]

    private static let codeCurrencies: [String: Currency] = [
        "USD": Currency("u s dollar", "u s dollars", "cent"), "EUR": Currency("euro", "euros", "cent"),
        "GBP": Currency("pound", "pounds", "penny", "pence"), "JPY": Currency("yen", "yen"),
        "CNY": Currency("yuan", "yuan"),
        "CHF": Currency("swiss franc", "swiss francs"), "SEK": Currency("swedish krona", "swedish kronor"),
        "NOK": Currency("norwegian krone", "norwegian kroner"), "DKK": Currency("danish krone", "danish kroner"),
        "PLN": Currency("zloty", "zlotys"), "CZK": Currency("koruna", "korunas"), "HUF": Currency("forint", "forints"),
        "INR": Currency("rupee", "rupees", "paisa", "paise"), "KRW": Currency("won", "won"),
        "BTC": Currency("bitcoin", "bitcoins"),
        "AUD": Currency("australian dollar", "australian dollars", "cent"),
        "CAD": Currency("canadian dollar", "canadian dollars", "cent"),
        "NZD": Currency("new zealand dollar", "new zealand dollars", "cent"),
        "BRL": Currency("real", "reais", "centavo"),
        "MXN": Currency("mexican peso", "mexican pesos", "centavo"), "ZAR": Currency("rand", "rand", "cent"),
        "RUB": Currency("ruble", "rubles", "kopek"), "TRY": Currency("lira", "lira"),
        "ILS": Currency("shekel", "shekels"),
    ]

    private static let magnitudes: [String: String] = [
        "k": "thousand", "K": "thousand", "m": "million", "M": "million", "mn": "million", "bn": "billion",
        "B": "billion",
        "b": "billion", "tn": "trillion", "T": "trillion",
    ]
    private static let magnitudeWords: Set<String> = ["hundred", "thousand", "million", "billion", "trillion"]

    /// An amount with its sign or code before or behind it: "$3.50" is "three dollars and fifty cents".
    static let money = RewriteRule(
        "money", starts: { StartsWith.wordCharacter($0) || $0 == "." || symbolCurrencies[$0] != nil }
    ) { text, start in
        guard let (currency, amountStart) = currencyBefore(in: text, at: start) else {
            return amountFirst(in: text, at: start)
        }
        guard let amount = Amount(in: text, at: amountStart) else { return nil }
        // "$5-10" and "$5-$10".
        if amount.magnitude == nil, text[amount.end] == "-" {
            let second = text[amount.end + 1] == text[start] ? amount.end + 2 : amount.end + 1
            if text.isDigit(second), let upper = Amount(in: text, at: second) {
                return .init(end: upper.end, spoken: amount.number.words + " to " + upper.words(currency))
            }
        }
        // "$5-a-day", "$20-per-night".
        for article in ["a", "an", "per"] where text.matches("-\(article)-", at: amount.end) {
            return .init(end: amount.end + article.count + 2, spoken: amount.words(currency) + " \(article) ")
        }
        return .init(
            end: amount.end, spoken: amount.words(currency, isAdjective: amount.isAdjective(text, from: start)))
    }

    /// A currency sign or code at a position, and where the amount behind it begins.
    private static func currencyBefore(in text: RuleText, at start: Int) -> (Currency, amountStart: Int)? {
        if let currency = symbolCurrencies[text[start]] {
            let amount = text.skippingBlank(start + 1)
            return isAmountStart(text, amount) ? (currency, amount) : nil
        }
        guard text.isStart(start), text.isUpper(start) else { return nil }
        let end = text.endOfLetters(start)
        guard end - start <= 3 else { return nil }
        let letters = text.string(start..<end)
        if text[end] == "$", let currency = dollarPrefixes[letters] {
            let amount = text.skippingBlank(end + 1)
            return isAmountStart(text, amount) ? (currency, amount) : nil
        }
        guard let currency = codeCurrencies[letters] else { return nil }
        let amount = text.skippingBlank(end)
        return isAmountStart(text, amount) ? (currency, amount) : nil
    }

    private static func isAmountStart(_ text: RuleText, _ position: Int) -> Bool {
        text.isDigit(position) || (text[position] == "." && text.isDigit(position + 1))
    }

    /// "5 €", "20¢", "5 USD".
    private static func amountFirst(in text: RuleText, at start: Int) -> RewriteRule.Match? {
        guard text.isNumberStart(start), text.isStart(start), let amount = Amount(in: text, at: start) else {
            return nil
        }
        let next = text.skippingBlank(amount.end)
        if text[next] == "¢" {
            return .init(end: next + 1, spoken: amount.number.words + (amount.number.isOne ? " cent" : " cents"))
        }
        // "5 $10" is an amount behind a number.
        if let currency = symbolCurrencies[text[next]], !isAmountStart(text, next + 1) {
            let isAdjective = isAdjective(text, from: start, to: next + 1)
            return .init(end: next + 1, spoken: amount.words(currency, isAdjective: isAdjective))
        }
        let end = text.endOfLetters(next)
        guard end - next == 3, let currency = codeCurrencies[text.string(next..<end)], !text.isDigit(end) else {
            return nil
        }
        return .init(end: end, spoken: amount.words(currency))
    }

    /// A number with an optional magnitude ("5M", "3.5 million").
    private struct Amount {
        let number: WrittenNumber
        let magnitude: String?
        let end: Int

        init?(in text: RuleText, at start: Int) {
            guard let number = text.number(at: start) else { return nil }
            self.number = number
            // "$100-million" is as good as "$100 million".
            let word = text[number.end] == "-" ? number.end + 1 : text.skippingBlank(number.end)
            let wordEnd = text.endOfLetters(word)
            let letters = wordEnd - word <= 8 ? text.string(word..<wordEnd) : ""
            if magnitudeWords.contains(letters) {
                (magnitude, end) = (letters, wordEnd)
            } else if word == number.end, let name = magnitudes[letters], !text.isDigit(wordEnd) {
                (magnitude, end) = (name, wordEnd)
            } else {
                (magnitude, end) = (nil, number.end)
            }
        }

        /// Whether a noun stands behind the amount: "$100-million deal", "a $20 bill".
        func isAdjective(_ text: RuleText, from start: Int) -> Bool {
            (magnitude != nil && text[number.end] == "-" && text[end] == " " && text.isLetter(end + 1))
                || (text[end] == "-" && text.isLetter(end + 1))
                || ExtendedNormalizer.isAdjective(text, from: start, to: end)
        }

        func words(_ currency: Currency, isAdjective: Bool = false) -> String {
            let many = isAdjective ? currency.one : currency.many
            if let magnitude { return "\(number.words) \(magnitude) \(many)" }
            guard let cent = currency.cent, (1...2).contains(number.fraction.count) else {
                return number.words + " " + (number.isOne ? currency.one : many)
            }
            let cents = isAdjective ? cent : currency.cents ?? cent
            let small = number.fraction.reduce(0) { $0 * 10 + Int($1 &- 0x30) } * (number.fraction.count == 1 ? 10 : 1)
            let change = "\(NumberWords.belowHundred(small)) \(small == 1 ? cent : cents)"
            if number.smallWhole == 0, small > 0 { return change }
            let whole = spokenCardinal(number.whole) + " " + (number.smallWhole == 1 ? currency.one : many)
            return small == 0 ? whole : whole + " and " + change
        }
    }
}
