package topic

import (
	"strings"
	"sync"

	"github.com/clamor-live/clamor/pkg/enrich"
	"github.com/clamor-live/clamor/pkg/enrich/lang"
)

// stopWords are words that say nothing about a theme, by language: articles,
// pronouns, prepositions, auxiliary verbs, and what posts are full of. They are
// written without accents where both spellings are usual.
func stopWords() map[string]string {
	return map[string]string{
		"en": `a about after again all also am an and any are aren as at be because been before being but by can cant could
			did didn didnt do does doesn doesnt doing don dont down for from get gets getting go going gonna got had has have haven
			having he her here hers him his how i if im in into is isn isnt it its ive just know let lets like ll me more most much
			my no not now of off oh on one only or other our out over own per re really rt s said same say says she should so some
			still such t than that thats the their them then there these they theyre thing think this those though through to too
			u under up us ve very via want was wasn we well went were what when where which while who why will with won would
			y yeah yes yet you your youre yours amp`,
		"es": `a al algo alguien ahora ahi alla aqui asi aun aunque bien cada como con contra cual cuando da de del desde donde dos
			e el ella ellas ellos en entre era eran eres es esa esas ese eso esos esta estaba estan estar estas este esto estos estoy
			fue fueron gente ha haber habia hace hacer hacia han hasta hay he hoy ir ja jaja jajaja jajajaja la las le les lo los mas me
			mi mis mismo mucha mucho muchos muy nada ni no nos nosotros nuestra nuestro o os otra otro otros para pero poco por porque
			pq pues q que quien quiere quiero rt sabe se sea ser si sido siempre sin sobre solo son soy su sus tal tambien tan tanto te
			tener tengo tiene tienen toda todas todo todos tu tus un una unas uno unos va vamos van ver vez voy x xq y ya yo`,
		"pt": `a agora ai ainda algo alguem alguma ao aos aquela aquele aqui as ate bem cada ce com como d da das de dela dele deles
			demais depois desde dessa desse desta deste do dos e ela elas ele eles em entao entre era essa essas esse esses esta
			estao estar estava este esteja estou eu faz fazer foi for foram fosse gente ha hj hoje isso isto ja kk kkk kkkk la lhe lo
			mais mas me mesma mesmo meu meus mim minha minhas mt mto muita muito muitos n na nada nao nas nem nessa nesse neste ninguem
			no nos nossa nosso num numa nunca o oq os ou outra outro p pq pra pras pro pros para pela pelas pelo pelos perto pode por
			porque pois q qual quando que quem quer quero rt sabe se seja sem sempre sendo ser sera seu seus si sim so sobre sou sua
			suas ta tah tal tambem tanto tao tava tb tbm te tem tenho tendo ter teve tinha to toda todas todo todos tu tudo um uma umas
			uns vai vamos vc vcs vem ver vez voce voces vou`,
		"fr": `a ai au aux avec c ca ce ces cest cette comme d dans de des du elle elles en es est et etait ete etre eu fait faut ils il
			j jai je l la le les leur lui m ma mais me mes meme moi mon n ne nos notre nous on ont ou par pas plus pour qu quand que
			qui quoi rt s sa sans se ses si son sont sur t ta te tes toi ton tous tout tres tu un une va vos votre vous y`,
		"it": `a ad ai al alla alle anche ancora c che chi ci come con cosa cosi da dai dal dalla de degli dei del della delle di dopo e ed
			era essere fa fare gli ha hai hanno ho i il in io l la le lei lo loro lui ma me mi mia mio molto ne nei nel nella no noi non
			o ogni per perche piu poi puo quando quella quello questa questo qui rt se sei senza si sia siamo solo sono sta su sua sul
			sulla suo te ti tra tu tutta tutte tutti tutto un una uno va vi voi`,
		"de": `aber alle als am an auch auf aus bei bin bis bist da damit dann das dass de dem den der des die dir doch du ein eine einem
			einen einer er es euch fur habe haben hat hatte ich ihm ihn ihr im in ist ja jetzt kann kein keine mal man mehr mein meine
			mich mir mit muss nach nicht nichts noch nun nur ob oder rt schon sein seine sich sie sind so um und uns vom von vor war
			was weil wenn wer werden wie wir wird wo zu zum zur`,
	}
}

// stopSet answers, for the key of a word, in which languages it is a stop word.
// Every word of every post asks, so most get their answer from one look.
type stopSet struct {
	languages map[string]uint8 // code → bit
	keys      [1 << 12]uint64  // four times as many as words; 0 is free
	bits      [1 << 12]uint8
}

// stops is built once and never changes.
var stops = sync.OnceValue(func() *stopSet {
	s := &stopSet{languages: map[string]uint8{}}
	tokens := enrich.NewTokenizer()
	for i, code := range []string{"en", "es", "pt", "fr", "it", "de"} {
		s.languages[code] = 1 << i
		for _, w := range strings.Fields(stopWords()[code]) {
			for _, word := range tokens.Words(w) {
				at := s.place(word.Folded)
				s.keys[at] = word.Folded
				s.bits[at] |= 1 << i
			}
		}
	}
	return s
})

// of is the bits of some languages; of none, those of all.
func (s *stopSet) of(languages ...string) (bits uint8) {
	for _, code := range languages {
		bits |= s.languages[BaseLanguage(code)]
	}
	if bits == 0 {
		return 0xFF
	}
	return bits
}

// has says whether a word is a stop word of one of the languages.
func (s *stopSet) has(key uint64, bits uint8) bool { return s.bits[s.place(key)]&bits != 0 }

// place is where a key stands, or would.
func (s *stopSet) place(key uint64) uint64 {
	at := home(key) % uint64(len(s.keys))
	for s.keys[at] != 0 && s.keys[at] != key {
		at = (at + 1) % uint64(len(s.keys))
	}
	return at
}

// counting is the bits by which words of a post in a language are left out: those
// of its own language, and of an unsure one all.
func (s *stopSet) counting(language string) uint8 {
	if language == lang.Undetermined {
		return 0xFF
	}
	return s.languages[language]
}

// BaseLanguage is a language without its region, in lower case.
func BaseLanguage(code string) string {
	base, _, _ := strings.Cut(strings.ReplaceAll(code, "_", "-"), "-")
	return strings.ToLower(base)
}
