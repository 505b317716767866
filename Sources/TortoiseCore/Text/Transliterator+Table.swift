import Foundation

/// What Unidecode makes of Latin, Greek, Cyrillic, punctuation, currency and symbols, as data.
///
/// Most of it follows from the Unicode compatibility decomposition (é is e and an accent, ﬁ is f and i), some from
/// rules (circled and squared letters, Braille); `exceptions` holds what neither gives.
extension Transliterator {
    /// The blocks where every scalar is rendered as Unidecode 1.4 renders it. `decomposes` is false where Unidecode
    /// knows no character though Unicode gives decompositions.
    static let exactRanges: [(range: ClosedRange<UInt32>, decomposes: Bool)] = [
        (0x0080...0x052F, true),  // Latin-1 … Latin Extended-B, IPA, modifiers, combining, Greek, Cyrillic
        (0x10140...0x1018F, false),  // Ancient Greek numbers
        (0x10780...0x107BF, false),  // Latin Extended-F
        (0x1C80...0x1C8F, true),  // Cyrillic Extended-C
        (0x1D00...0x2BFF, true),  // phonetic and Latin extensions, Greek Extended, punctuation … symbols and arrows
        (0x1D200...0x1D24F, false),  // Ancient Greek musical notation
        (0x1D400...0x1D7FF, true),  // mathematical letters and digits
        (0x1DF00...0x1DFFF, false),  // Latin Extended-G
        (0x1E030...0x1E08F, false),  // Cyrillic Extended-D
        (0x1F000...0x1F0FF, false),  // tiles and cards
        (0x1F100...0x1F1FF, true),  // enclosed letters and digits
        (0x1F200...0x1FBFF, false),  // pictographs, emoji, ornaments, legacy computing
        (0x2C60...0x2C7F, true),  // Latin Extended-C
        (0x2DE0...0x2E7F, true),  // Cyrillic Extended-A, supplemental punctuation
        (0x3000...0x303F, true),  // CJK punctuation
        (0xA640...0xA69F, true),  // Cyrillic Extended-B
        (0xA700...0xA7FF, true),  // tone letters, Latin Extended-D
        (0xAB30...0xAB6F, true),  // Latin Extended-E
        (0xFB00...0xFB06, true),  // Latin ligatures
        (0xFE00...0xFE6F, true),  // variation selectors, vertical and small forms
        (0xFF00...0xFF65, true),  // full-width forms
        (0xFFE0...0xFFEF, true),  // half- and full-width symbols
    ]

    /// Rows of a first code point and what it and its successors become. `∅` is nothing, `·` leaves the scalar to its
    /// decomposition, `␣` is a blank, `⏎` a line feed, `x×3` three times x, and `¶` begins another row on the same
    /// line.
    private static let exceptions = #"""
        00A1 ! C/ PS $? Y= | SS " (c) · << ! · (r) - deg +- · · ' u P * , · · >> ␣1/4 ␣1/2 ␣3/4 ? ¶ 00C6 AE ¶ 00D0 D
        00D7 x O ¶ 00DE Th ss ¶ 00E6 ae ¶ 00F0 d ¶ 00F7 / o ¶ 00FE th ¶ 0110 D d ¶ 0126 H h ¶ 0131 i ¶ 0138 k ¶ 013F L
        0140 l L l ¶ 014A NG ng ¶ 0152 OE oe ¶ 0166 T t
        0180 b B B b 6 6 O C c D×3 d d 3 @ E F f G G hv I I K k l l W N n O · · OI oi P p YR 2 2 SH sh t T t T · · Y V Y
        01B4 y Z z ZH ZH zh zh 2 5 5 ts w ¶ 01C0 | || |= ! ¶ 01DD @ ¶ 01E4 G g ¶ 01EF zh ¶ 01F6 HV W
        021C Y y · · N d OU ou Z z ¶ 0234 l n t j db qp A C c L T s
        0240 z · · B U ^ E e J j q q R r Y y a×3 b o c d d e @ @ e×4 j g×4 u Y h h i i I l×3 lZ W W m n×3 o OE O F r×7
        0280 R R s S j S S t t u U v ^ w y Y z z Z Z ?×3 C @ B E G H j k L q ? ? dz dZ dz ts tS tC fN ls lz WW ]] h h
        02B6 r · · ' " ` ' ` ` ' ¶ 02C0 ? ? < > ^ V ^ V ' - / \ , _ \ / : . ` ' ^ V + - V . @ , ~ " R X G ¶ 02EC V = "
        0363 a e i o u c d h m r t v x ¶ 0375 , ¶ 037A ∅ ¶ 037E ? ¶ 0384 ∅ ∅ · ;
        0390 I A B G D E Z E Th I K L M N Ks O P R · S T U Ph Kh Ps O ¶ 03B1 a b g d e z e th i k l m n x o
        03C0 p r s s t u ph kh ps o ¶ 03D7 & · · St st W w Q q Sp sp Sh sh F f Kh kh H h G g CH ch Ti ti · · c j ∅ ∅
        03F9 ∅
        0400 Ie Io Dj Gj Ie Dz I Yi J Lj Nj Tsh Kj · · Dzh A B V G D E Zh Z I · K L M N O P R S T U F Kh Ts Ch Sh Shch '
        042B Y ' E Iu Ia a b v g d e zh z i · k l m n o p
        0440 r s t u f kh ts ch sh shch ' y ' e iu ia ie io dj gj ie dz i yi j lj nj tsh kj · · dzh O o E e Ie ie E e Ie
        0469 ie O o Io io Ks ks Ps ps F f Y y · · u u O o O o Ot ot ¶ 0480 Q q *1000*
        0488 *100.000* *1.000.000* · · " " R' r' G' g' G' g' G' g' Zh' zh' Z' z' K' k' K' k' K' k' K' k' N' n' Ng ng P'
        04A7 p' Kh kh S' s' T' t' U u U' u' Kh' kh' Tts tts Ch' ch' Ch' ch' H h Ch ch Ch' ch'
        04C0 ` · · K' k' · · N' n' · · Ch ch ¶ 04D0 a ¶ 04D4 Ae ae Ie ie @ @ ¶ 04E0 Dz dz ¶ 04E8 O o
        1D00 A AE ae B C D D E e i J K L M N O · O · O Oe Ou · · P R R T U u u m V W Z ¶ 1D2F B · · E ¶ 1D3B N · Ou
        1D4A ∅ ¶ 1D4E i · · ∅ · ∅ ¶ 1D5A m ¶ 1D60 f ∅ ¶ 1D69 f ∅ · b d f m n p r r s t z g ∅ ¶ 1D7D p
        1D80 b d f g k l m n p r s · v x z ¶ 1D9B ∅×37 ¶ 1E9A a S · · SS ¶ 1FBD ' · ' ¶ 1FC0 ~ "~ ¶ 1FCD '` '' '~
        1FDD `' `' `~ ¶ 1FE4 R R ¶ 1FED "` "' ¶ 1FFD ' ` ¶ 200B ␣ ¶ 2010 - · - - -- -- || _ ' ' , ' " " ,, " + ++ * *>
        2027 . ⏎ ⏎⏎ ¶ 2030 %0 %00 ' · · ` · · ^ < > * · !? - _ ¶ 2040 - ^ *** -- / -[ ]- ¶ 204A & PP (] [) * ¶ 2052 % ~
        2094 ∅ ¶ 20A0 ECU CL Cr FF L mil N Pts · W NS D EUR K T Dr Pf P G A UAH C| L Sm T Rs L M m R l BTC
        2100 ␣a/c␣ ␣a/s␣ ¶ 2105 ␣c/o␣ ␣c/u␣ ∅ ¶ 210F ∅ ¶ 2116 No.␣ (p) ¶ 211F R/ (sm) · (tm) V/ · · ohm ¶ 212E e
        2132 F · · ∅×4 ¶ 213C ∅×4
        214D A/S F · ␣1/7␣ ␣1/9␣ ␣1/10␣ ␣1/3␣ ␣2/3␣ ␣1/5␣ ␣2/5␣ ␣3/5␣ ␣4/5␣ ␣1/6␣ ␣5/6␣ ␣1/8␣ ␣3/8␣ ␣5/8␣ ␣7/8␣ ␣1/
        2180 (D D) ((|)) ) ¶ 2189 ␣0/3␣
        2190 - | - | - | \ / \ / · · ~ ~ - | - | -×3 | - | | -×5 · |×7 ^ V \ = V ^ - - | |
        21C0 - - | | = | = = | = | = = ¶ 21D0 = | = | = | \ / \ / = = ~ ~ | | - | - | -×3 | - |×7 - \ \ |
        2212 - · · / \ * ¶ 2223 | ∅ · ∅ ¶ 2236 : ¶ 223C ~ ¶ 2241 ∅ ¶ 2260 ∅ ¶ 2264 <= >= <= >= ¶ 226E ∅×4 ¶ 2303 ^
        24EB 11 12 13 14 15 16 17 18 19 20 1 2 3 4 5 6 7 8 9 10 0 ¶ 2500 - - | | - - | | - - | | +×52
        2540 +×12 - - | | - | +×31 / \ X - | - | - | - | - | - | ¶ 2580 #×20 - | ¶ 25A0 #×18 ^×4 >×6 V×4
        25C0 <×6 *×33 #×5 ^×3 O #×8
        2654 white␣king white␣queen white␣rook white␣bishop white␣knight white␣pawn black␣king black␣queen black␣rook
        265D black␣bishop black␣knight black␣pawn spades hearts diamonds clubs spades hearts diamonds clubs ¶ 266F #
        2731 * ¶ 2758 | ¶ 275C ' " " , ,, · ! ¶ 27E6 [ · < >␣
        2800 ␣ a 1 b ' k 2 l @ c i f / m s p " e 3 h 9 o 6 r ^ d j g > n t q , * 5 < - u 8 v . % [ $ + x ! & ; : 4 \ 0 z
        2836 7 ( _ ? w ] # y ) = ¶ 2983 { }␣ ¶ 2C60 L l L P R a t H h K k Z z · M A ¶ 2C7C ∅ ∅ ¶ 2E00 r r.
        2E06 T T. · s · [] \ / · __ · · > % · · > = · / - ~ \ / ~ ~ |- -| ¶ 2E26 <= => (( )) · · :: · ? ' o . , . , ;
        2E3A ---- ------ x | ¶ 2E40 = , " `--
        3001 ,␣ .␣ " [JIS] " / 0 < >␣ << >>␣ [ ]␣ { }␣ [( )]␣ @ X␣ [ ]␣ [[ ]]␣ (( ))␣ [[ ]]␣ ~␣ `` '' ,, @ 1 2 3 4 5 6 7
        3028 8 9 ¶ 3030 ~ +×4 · · ␣//␣ +10+ +20+ +30+ ¶ A69C ∅ ∅ ¶ A7F2 ∅×3 ¶ A7F8 ∅ ∅ ¶ AB5E ∅ ¶ AB69 ∅ ¶ FE10 ∅×10
        FE23 ~ ¶ FE36 )␣ · }␣ ¶ FE44 } · · ∅×9 · , ¶ FE58 - ¶ FE5D { } ¶ FF5F ∅ ∅ . · ] , *
        FFE0 /C · · - · · W= ¶ FFEE O
        1D6A8 Alpha Beta Gamma Delta Epsilon Zeta Eta Theta Iota Kappa Lamda Mu Nu Xi Omicron Pi Rho Theta Sigma Tau
        1D6BC Upsilon Phi Chi Psi
        1D6C0 Omega nabla alpha beta gamma delta epsilon zeta eta theta iota kappa lamda mu nu xi omicron pi rho sigma
        1D6D4 sigma tau upsilon phi chi psi omega · ∅×240 ¶ 1F12A <S> (C) (R) ∅ ∅ ¶ 1F14A ∅×6 ¶ 1F16A (mc) (md) (mr)
        1F191 [CL] [COOL] [FREE] [ID] [NEW] [NG] [OK] [SOS] [UP!] [VS] [3D] [2nd-Scr] [2K] [4K] [8K] [5.1] [7.1] [22.2]
        1F1A3 [60P] [120P] [d] [HC] [HDR] [Hi-res] [Lossless] [SHV] [UHD] [VOD] (m) ¶ 1F670 et×4 & & " " ,, !?×3
        """#

    /// Rendering by scalar over all exact ranges.
    static let exactRenderings = ExactRenderings()

    /// A two-level table: pages of 256 slots, each the place of a rendering in one array of bytes.
    struct ExactRenderings: Sendable {
        private static let emptyPage = Int32(-1)
        private var pages = [Int32](repeating: emptyPage, count: 0x1FC)
        /// Zero outside the exact ranges, otherwise offset × 256 + length + 1.
        private var slots: [UInt32] = []
        private var bytes: [UInt8] = []

        /// The ASCII for a scalar (empty for none); nil outside the exact ranges.
        func rendering(of scalar: Unicode.Scalar) -> ArraySlice<UInt8>? {
            let page = Int(scalar.value >> 8)
            guard page < pages.count, pages[page] != Self.emptyPage else { return nil }
            let slot = slots[Int(pages[page]) << 8 + Int(scalar.value & 0xFF)]
            guard slot != 0 else { return nil }
            let offset = Int(slot >> 8)
            return bytes[offset..<offset + Int(slot & 0xFF) - 1]
        }

        fileprivate init() {
            let exceptions = Transliterator.parsedExceptions()
            for (range, decomposes) in Transliterator.exactRanges {
                for value in range {
                    guard let scalar = Unicode.Scalar(value) else { continue }
                    let text =
                        exceptions[value] ?? (decomposes ? Transliterator.derived(scalar, exceptions) : "")
                    insert(text, for: value)
                }
            }
        }

        private mutating func insert(_ text: String, for value: UInt32) {
            let page = Int(value >> 8)
            if pages[page] == Self.emptyPage {
                pages[page] = Int32(slots.count >> 8)
                slots.append(contentsOf: repeatElement(0, count: 256))
            }
            let slot = Int(pages[page]) << 8 + Int(value & 0xFF)
            let length = UInt32(text.utf8.count) + 1
            slots[slot] = UInt32(bytes.count) << 8 + length
            bytes.append(contentsOf: text.utf8)
        }
    }

    private static func parsedExceptions() -> [UInt32: String] {
        var table: [UInt32: String] = [:]
        for row in exceptions.split(whereSeparator: { $0 == "\n" || $0 == "¶" }) {
            let fields = row.split(separator: " ")
            guard let first = fields.first, var value = UInt32(first, radix: 16) else { continue }
            for field in fields.dropFirst() {
                let parts = field.split(separator: "×", maxSplits: 1)
                let count = parts.count == 2 ? UInt32(parts[1]) ?? 1 : 1
                for _ in 0..<count {
                    if field != "·" { table[value] = parts.first.map(plain) }
                    value += 1
                }
            }
        }
        return table
    }

    private static func plain(_ field: Substring) -> String {
        field == "∅" ? "" : String(field).replacing("␣", with: " ").replacing("⏎", with: "\n")
    }

    /// A rule's rendering, or that of the parts of the scalar's decomposition; empty when there is none.
    private static func derived(_ scalar: Unicode.Scalar, _ exceptions: [UInt32: String]) -> String {
        if let rendering = ruled(scalar.value) { return rendering }
        let parts = Array(String(scalar).decomposedStringWithCompatibilityMapping.unicodeScalars)
        guard parts != [scalar] else { return "" }
        return parts.map { part in
            if part.isASCII { return String(part) }
            if part.properties.generalCategory == .nonspacingMark { return "" }
            if let rendering = exceptions[part.value] { return rendering }
            let latin = String(part).applyingTransform(StringTransform("Any-Latin; Latin-ASCII"), reverse: false) ?? ""
            return latin.utf8.allSatisfy { $0 < 0x80 } ? latin : ""
        }.joined()
    }

    /// Letters in boxes and circles, and Braille with dots 7 or 8, which is no letter.
    private static func ruled(_ value: UInt32) -> String? {
        func letter(_ first: UInt32) -> String { String(UnicodeScalar(UInt8(0x41 + value - first))) }
        switch value {
        case 0x1F130...0x1F149: return "[" + letter(0x1F130) + "]"
        case 0x1F150...0x1F169: return "(" + letter(0x1F150) + ")"
        case 0x1F170...0x1F189: return "[" + letter(0x1F170) + "]"
        case 0x2840...0x28FF:
            let dots = (1...8).filter { dot in (value >> UInt32(dot - 1)) & 1 == 1 }
            return "[d" + dots.map(String.init).joined() + "]"
        default: return nil
        }
    }
}
