package bluesky

// maxHandles bounds each of the two maps of handles.
const maxHandles = 8192

// handles remembers the handles of those who told theirs last: two maps, the
// older of which goes when the newer one is full.
type handles struct {
	newer, older map[string]string // by did
}

func (h *handles) put(did, handle string) {
	if did == "" || len(did)+len(handle) > 1024 {
		return
	}
	if h.newer == nil || len(h.newer) >= maxHandles {
		h.older, h.newer = h.newer, make(map[string]string)
	}
	h.newer[did] = handle
}

func (h *handles) get(did string) string {
	if handle, ok := h.newer[did]; ok {
		return handle
	}
	return h.older[did]
}
