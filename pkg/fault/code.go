package fault

import "net/http"

// Code is the stable name of a problem, in kebab-case. Clients decide by it.
type Code string

// Every code of the HTTP contract.
const (
	BadJSON              Code = "bad-json"
	BadRequest           Code = "bad-request"
	VoterRequired        Code = "voter-required"
	VoterInvalid         Code = "voter-invalid"
	TokenRequired        Code = "token-required"
	TokenInvalid         Code = "token-invalid"
	SourceKeyInvalid     Code = "source-key-invalid"
	SignatureInvalid     Code = "signature-invalid"
	Forbidden            Code = "forbidden"
	NotFound             Code = "not-found"
	PollNotFound         Code = "poll-not-found"
	RoundNotFound        Code = "round-not-found"
	PostNotFound         Code = "post-not-found"
	MethodNotAllowed     Code = "method-not-allowed"
	PollNotOpen          Code = "poll-not-open"
	NeedsReset           Code = "needs-reset"
	RevisionConflict     Code = "revision-conflict"
	WrongPhase           Code = "wrong-phase"
	RevealNever          Code = "reveal-never"
	AlreadyExists        Code = "already-exists"
	NotSealed            Code = "not-sealed"
	PreconditionFailed   Code = "precondition-failed"
	BodyTooLarge         Code = "body-too-large"
	UnsupportedMediaType Code = "unsupported-media-type"
	InvalidRequest       Code = "invalid-request"
	InvalidBallot        Code = "invalid-ballot"
	NoClosingTime        Code = "no-closing-time"
	PreconditionRequired Code = "precondition-required"
	RateLimited          Code = "rate-limited"
	Internal             Code = "internal"
	NoSearch             Code = "no-search"
	LogUnavailable       Code = "log-unavailable"
	Overloaded           Code = "overloaded"
	Unavailable          Code = "unavailable"
)

type meaning struct {
	status int
	title  string
}

// meanings is the one table from a problem to HTTP.
var meanings = map[Code]meaning{
	BadJSON:              {http.StatusBadRequest, "The body is not the JSON expected"},
	BadRequest:           {http.StatusBadRequest, "The request cannot be read"},
	VoterRequired:        {http.StatusUnauthorized, "A voter token is needed"},
	VoterInvalid:         {http.StatusUnauthorized, "The voter token is not valid"},
	TokenRequired:        {http.StatusUnauthorized, "An API token is needed"},
	TokenInvalid:         {http.StatusUnauthorized, "The API token is not valid"},
	SourceKeyInvalid:     {http.StatusUnauthorized, "The source's key is not valid"},
	SignatureInvalid:     {http.StatusUnauthorized, "The platform's signature is not valid"},
	Forbidden:            {http.StatusForbidden, "The token's role does not allow this"},
	NotFound:             {http.StatusNotFound, "There is no such thing"},
	PollNotFound:         {http.StatusNotFound, "There is no such poll"},
	RoundNotFound:        {http.StatusNotFound, "The poll has no such round"},
	PostNotFound:         {http.StatusNotFound, "There is no such post"},
	MethodNotAllowed:     {http.StatusMethodNotAllowed, "The method is not allowed here"},
	PollNotOpen:          {http.StatusConflict, "The poll is not open"},
	NeedsReset:           {http.StatusConflict, "The change needs a new round"},
	RevisionConflict:     {http.StatusConflict, "Somebody else was first"},
	WrongPhase:           {http.StatusConflict, "The poll's phase does not allow this"},
	RevealNever:          {http.StatusConflict, "The poll never reveals its figures"},
	AlreadyExists:        {http.StatusConflict, "The id is taken"},
	NotSealed:            {http.StatusConflict, "The round is not sealed yet"},
	PreconditionFailed:   {http.StatusPreconditionFailed, "The revision is not the current one"},
	BodyTooLarge:         {http.StatusRequestEntityTooLarge, "The body is too large"},
	UnsupportedMediaType: {http.StatusUnsupportedMediaType, "The body's media type is not supported"},
	InvalidRequest:       {http.StatusUnprocessableEntity, "The request is not valid"},
	InvalidBallot:        {http.StatusUnprocessableEntity, "The poll does not allow this ballot"},
	NoClosingTime:        {http.StatusUnprocessableEntity, "The poll has no closing time"},
	PreconditionRequired: {http.StatusPreconditionRequired, "If-Match is needed"},
	RateLimited:          {http.StatusTooManyRequests, "Too many requests"},
	Internal:             {http.StatusInternalServerError, "Something went wrong here"},
	NoSearch:             {http.StatusNotImplemented, "Posts are not searched here"},
	LogUnavailable:       {http.StatusServiceUnavailable, "The log cannot be reached"},
	Overloaded:           {http.StatusServiceUnavailable, "Too much is in flight"},
	Unavailable:          {http.StatusServiceUnavailable, "Not available at the moment"},
}

// Status is the HTTP status of the code; 500 for one that is not in the table.
func (c Code) Status() int {
	if m, ok := meanings[c]; ok {
		return m.status
	}
	return http.StatusInternalServerError
}

// Title is a short sentence that is the same for every occurrence of the code.
func (c Code) Title() string {
	if m, ok := meanings[c]; ok {
		return m.title
	}
	return meanings[Internal].title
}

// Codes lists every code, in no order; tests and the API's description use it.
func Codes() []Code {
	all := make([]Code, 0, len(meanings))
	for c := range meanings {
		all = append(all, c)
	}
	return all
}
