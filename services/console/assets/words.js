// The words of the pages, by language; English where there is none.
"use strict";
const WORDS = {
  en: {
    open: "Live", standby: "Soon", paused: "Paused", frozen: "Paused", closed: "Closed", verified: "Final",
    rehearsal: "Rehearsal", votes: n => n + (n === "1" ? " vote" : " votes"), posts: n => n + (n === "1" ? " post" : " posts"), stale: "updating…",
    last: (n, unit) => "last " + n + " " + unit, nothing: "Nothing said yet",
    pick: "Tap your choice", pickMany: n => "Choose up to " + n, score: "Give your scores", react: "Tap to react",
    vote: "Vote", voteFor: l => "Vote for " + l, send: "Send", sending: "Sending…",
    keep: "Bad connection. Your vote is kept and will be sent.",
    voted: "Your vote is in", votedSub: "Thank you for taking part.", yours: "Your vote", check: "Check my vote",
    soon: "Voting has not opened yet", soonSub: "Stay here: this page opens by itself.",
    pausedT: "Voting is paused", pausedSub: "Stay here: it may go on at any moment.",
    closedT: "Voting is closed", closedSub: "Thank you for watching.", lateSub: "Your vote came after the close and was not counted.",
    missing: "There is no such poll", missingSub: "Check the address.",
    offline: "No connection", offlineSub: "Trying again…",
    wait: "Too many votes from here. Trying again in a moment…", refused: "That vote was not accepted", again: "Try again",
    reconnect: "Reconnecting…", left: t => t + " left",
    state: { pending: "being counted", counted: "counted", superseded: "replaced by a later one", rejected: "not counted" },
  },
  pt: {
    open: "Ao vivo", standby: "Em breve", paused: "Pausada", frozen: "Pausada", closed: "Encerrada", verified: "Final",
    rehearsal: "Ensaio", votes: n => n + (n === "1" ? " voto" : " votos"), posts: n => n + (n === "1" ? " post" : " posts"), stale: "atualizando…",
    last: (n, unit) => (unit === "h" ? "últimas " : "últimos ") + n + " " + unit, nothing: "Ninguém falou ainda",
    pick: "Toque na sua escolha", pickMany: n => "Escolha até " + n, score: "Dê suas notas", react: "Toque para reagir",
    vote: "Votar", voteFor: l => "Votar em " + l, send: "Enviar", sending: "Enviando…",
    keep: "Conexão ruim. Seu voto está guardado e será enviado.",
    voted: "Seu voto foi registrado", votedSub: "Obrigado por participar.", yours: "Seu voto", check: "Conferir meu voto",
    soon: "A votação ainda não abriu", soonSub: "Fique aqui: esta página abre sozinha.",
    pausedT: "A votação está pausada", pausedSub: "Fique aqui: ela pode continuar a qualquer momento.",
    closedT: "A votação foi encerrada", closedSub: "Obrigado por assistir.", lateSub: "Seu voto chegou depois do encerramento e não contou.",
    missing: "Esta votação não existe", missingSub: "Confira o endereço.",
    offline: "Sem conexão", offlineSub: "Tentando de novo…",
    wait: "Muitos votos daqui. Tentando de novo em instantes…", refused: "Este voto não foi aceito", again: "Tentar de novo",
    reconnect: "Reconectando…", left: t => "faltam " + t,
    state: { pending: "em contagem", counted: "contado", superseded: "trocado por outro mais novo", rejected: "não contado" },
  },
  es: {
    open: "En vivo", standby: "Pronto", paused: "En pausa", frozen: "En pausa", closed: "Cerrada", verified: "Final",
    rehearsal: "Ensayo", votes: n => n + (n === "1" ? " voto" : " votos"), posts: n => n + (n === "1" ? " mensaje" : " mensajes"), stale: "actualizando…",
    last: (n, unit) => (unit === "h" ? "últimas " : "últimos ") + n + " " + unit, nothing: "Nadie ha hablado todavía",
    pick: "Toca tu opción", pickMany: n => "Elige hasta " + n, score: "Da tus puntos", react: "Toca para reaccionar",
    vote: "Votar", voteFor: l => "Votar por " + l, send: "Enviar", sending: "Enviando…",
    keep: "Mala conexión. Tu voto está guardado y se enviará.",
    voted: "Tu voto está registrado", votedSub: "Gracias por participar.", yours: "Tu voto", check: "Comprobar mi voto",
    soon: "La votación aún no ha abierto", soonSub: "Quédate aquí: esta página se abre sola.",
    pausedT: "La votación está en pausa", pausedSub: "Quédate aquí: puede seguir en cualquier momento.",
    closedT: "La votación está cerrada", closedSub: "Gracias por mirar.", lateSub: "Tu voto llegó después del cierre y no contó.",
    missing: "Esta votación no existe", missingSub: "Revisa la dirección.",
    offline: "Sin conexión", offlineSub: "Intentando de nuevo…",
    wait: "Demasiados votos desde aquí. Intentando de nuevo…", refused: "Este voto no fue aceptado", again: "Intentar de nuevo",
    reconnect: "Reconectando…", left: t => "quedan " + t,
    state: { pending: "en recuento", counted: "contado", superseded: "reemplazado por otro más nuevo", rejected: "no contado" },
  },
};

function wordsFor(...languages) {
  for (const language of languages) {
    const words = WORDS[String(language || "").toLowerCase().split(/[-_]/)[0]];
    if (words) return words;
  }
  return WORDS.en;
}
