package tally

// pages is a list that grows without copying and forgets from its front: rows
// are numbered from 0 for ever, in pages of 4,096.
type pages[T any] struct {
	list  [][]T
	first uint32 // number of list[0]
	next  uint32 // the next row's number
}

const (
	pageShift = 12
	pageRows  = 1 << pageShift
)

// at is a row that was appended and not dropped.
func (p *pages[T]) at(row uint32) *T {
	return &p.list[row>>pageShift-p.first][row&(pageRows-1)]
}

// append gives the new row's number. Small lists stay small: the first page
// grows like any slice.
func (p *pages[T]) append(v T) uint32 {
	row := p.next
	i := row>>pageShift - p.first
	if int(i) == len(p.list) {
		var page []T
		if row >= pageRows {
			page = make([]T, 0, pageRows)
		}
		p.list = append(p.list, page)
	}
	p.list[i] = append(p.list[i], v)
	p.next++
	return row
}

// drop gives back the pages wholly below a row.
func (p *pages[T]) drop(below uint32) {
	for len(p.list) > 0 && (p.first+1)<<pageShift <= below {
		p.list[0] = nil
		p.list = p.list[1:]
		p.first++
	}
}
