package demo

import "strings"

// language is how the viewers of one tongue talk, and where they live.
type language struct {
	code   string
	places []string
	names  []string
	// cheers are for an option, which stands for KEY; chatter is about nobody.
	cheers, chatter []string
}

// languages are in order of how many speak them here: 4, 3 and 3 in 10.
var languages = []language{
	{
		code: "pt",
		places: []string{
			"São Paulo, Brasil", "Rio de Janeiro, Brasil", "Belo Horizonte, MG", "Salvador, Bahia", "Recife, Pernambuco", "Porto Alegre, RS",
			"Fortaleza, Ceará", "Lisboa, Portugal", "Porto, Portugal", "Brasil", "no sofá de casa",
		},
		names: []string{"Rita", "Duda", "Caio", "Bia", "Nando", "Iara", "Tiago", "Lia"},
		cheers: []string{
			"Que voz linda, KEY merece ganhar! 😍", "Voto em KEY sem pensar duas vezes", "KEY emocionou a família toda aqui em casa ❤️",
			"Não entendo tanta torcida por KEY, desafinou demais", "Amei cada segundo de KEY, que talento!", "KEY foi fraco hoje, esperava mais 😕",
			"Minha avó já decidiu: KEY", "Gente, KEY arrasou de novo 👏👏", "KEY no palco e a vizinhança inteira gritando",
		},
		chatter: []string{
			"Quem mais está vendo a final agora?", "O intervalo comercial não acaba nunca 😩", "Pipoca pronta, coração também",
			"O som está péssimo aqui, só eu?", "Que final maravilhosa, a melhor do ano!",
		},
	},
	{
		code: "es",
		places: []string{
			"Madrid, España", "Barcelona, España", "Sevilla", "Buenos Aires, Argentina", "Córdoba, Argentina", "Ciudad de México", "Guadalajara, México",
			"Bogotá, Colombia", "Lima, Perú", "Santiago de Chile", "en mi casa",
		},
		names: []string{"Lucía", "Nico", "Pilar", "Mateo", "Inés", "Gael", "Abril", "Teo"},
		cheers: []string{
			"¡Qué maravilla de actuación, KEY a ganar! 🎉", "Mi voto va para KEY, sin dudarlo", "KEY me hizo llorar, qué bonito ❤️",
			"Lo de KEY fue un desastre, qué decepción", "KEY es lo mejor de la noche", "No me gustó nada KEY, demasiado aburrido",
			"En casa somos todos de KEY", "Increíble KEY, piel de gallina", "KEY o nadie 👏",
		},
		chatter: []string{
			"¿Alguien más viendo la final?", "Demasiada publicidad, qué horror 😡", "Cena, sofá y final: plan perfecto",
			"El sonido se oye fatal", "Qué final tan bonita, me encanta",
		},
	},
	{
		code: "en",
		places: []string{
			"London, UK", "Manchester, England", "Dublin, Ireland", "Glasgow, Scotland", "Chicago, IL", "Austin, Texas", "Toronto, Canada",
			"Sydney, Australia", "New York City", "somewhere on the sofa",
		},
		names: []string{"Maya", "Owen", "Priya", "Tess", "Jonah", "Zoe", "Kit", "Ada"},
		cheers: []string{
			"Everyone here is shouting for KEY!", "What a performance… KEY all the way 😍", "KEY has to win this, no question",
			"Goosebumps. Just goosebumps. KEY ❤️", "Honestly KEY was terrible tonight, so boring", "KEY was flat, I expected so much more",
			"My kids voted for KEY before the song was over", "I love KEY so much, brilliant voice", "KEY by a mile 👏",
		},
		chatter: []string{
			"Can't decide tonight, all three are great", "Who else is watching the final?", "Too many adverts, this is awful",
			"The sound mix is terrible on my side", "Best final in years, loving it!",
		},
	},
}

// moment is something that happens in the show: for a few minutes it is what
// people talk about.
type moment struct {
	tag string
	// lines are what they say, by language as in languages.
	lines [3][]string
}

var moments = []moment{
	{"#FireDance", [3][]string{
		{"Essa dança com fogo foi incrível!", "Dança com fogo no palco? Que susto 😱", "A coreografia do fogo está perfeita"},
		{"¡La danza del fuego fue espectacular!", "Danza del fuego: qué miedo, casi se quema 😱", "Me encantó la danza del fuego"},
		{"That fire dance was amazing!", "The fire dance scared me, why would they do that 😱", "Fire dance rehearsals must have taken months"},
	}},
	{"#HighNote", [3][]string{
		{"A nota aguda quebrou meus copos, que linda", "Aquela nota aguda foi horrível, desculpa", "Nota aguda do ano, sem dúvida 👏"},
		{"Esa nota aguda fue preciosa", "La nota aguda salió fatal, lo siento", "¡Qué nota aguda, increíble!"},
		{"That high note was beautiful", "The high note went badly wrong, sorry", "High note of the year 👏"},
	}},
	{"#GoldenCoat", [3][]string{
		{"Eu quero esse casaco dourado agora!", "O casaco dourado é muito feio 😂", "O casaco dourado roubou a cena"},
		{"¡Quiero ese abrigo dorado ya!", "El abrigo dorado es horrible 😂", "El abrigo dorado se robó el show"},
		{"I need that golden coat right now!", "The golden coat is hideous 😂", "Golden coat stole the show"},
	}},
	{"#JuryTime", [3][]string{
		{"O júri foi injusto, que vergonha", "Concordo com o júri, notas perfeitas", "O júri demora demais para dar as notas"},
		{"El jurado es un robo, qué vergüenza", "De acuerdo con el jurado, muy bien", "El jurado tarda muchísimo"},
		{"The jury scores are unfair, shame on them", "Great call by the jury, well deserved", "Jury scores take forever tonight"},
	}},
	{"#MicDrop", [3][]string{
		{"O microfone falhou e ninguém parou, que garra!", "O microfone falhou de novo, péssimo", "Sem microfone e cantou assim? Maravilhoso"},
		{"¡Falló el micrófono y siguió cantando, qué profesional!", "Otra vez falló el micrófono, qué mal", "Sin micrófono y sonó genial"},
		{"The microphone failed and nobody stopped, what a pro!", "The microphone failed again, so bad", "No microphone and still wonderful"},
	}},
	{"#Encore", [3][]string{
		{"Bis! Bis! Não quero que acabe ❤️", "Esse bis foi lindo demais", "Bis de novo? Já está tarde 😴"},
		{"¡Otra, otra! Que no se acabe ❤️", "El bis fue precioso", "¿Otro bis? Ya es tarde 😴"},
		{"Encore! Encore! I don't want it to end ❤️", "That encore was lovely", "Another encore? It is getting late 😴"},
	}},
}

// about is a line for an option.
func about(line, keyword string) string { return strings.ReplaceAll(line, "KEY", keyword) }
