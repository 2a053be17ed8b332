package latest

import (
	"sync"
	"testing"
)

func TestWatchersHearOfEveryChange(t *testing.T) {
	var v Value[int]
	if v.Get() != nil {
		t.Error("something is there at first")
	}
	const last = 1000
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for was := 0; was < last; {
				now, changed := v.Watch()
				if now == nil || *now == was {
					<-changed
					continue
				}
				if *now < was {
					t.Errorf("%d after %d", *now, was)
				}
				was = *now
			}
		})
	}
	for n := 1; n <= last; n++ {
		v.Set(&n)
	}
	all.Wait()
	if *v.Get() != last {
		t.Error(*v.Get())
	}
}
