package embedded

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// version is the layout of the data folder that this program writes.
const version = 1

var (
	// ErrInUse says that another process has the data folder.
	ErrInUse = errors.New("the data folder is in use")
	// ErrNewer says that a newer program wrote the data folder.
	ErrNewer = errors.New("the data folder is of a newer version")
	// ErrDamaged says that the log in the data folder is not as it was written.
	ErrDamaged = errors.New("the log is damaged")
)

// folder is a data folder that this process has to itself.
type folder struct{ lock *os.File }

func takeFolder(dir string) (*folder, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	f, err := lockFolder(dir)
	if err != nil {
		return nil, err
	}
	if err := checkVersion(dir); err != nil {
		return nil, errors.Join(err, f.free())
	}
	return f, nil
}

// lockFolder holds a lock that the system drops with the process, so a crash
// leaves none behind.
func lockFolder(dir string) (*folder, error) {
	path := filepath.Join(dir, "lock")
	lock, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the data folder: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		holder, _ := os.ReadFile(path)
		_ = lock.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("%w: process %s has %s; stop it, or choose another data folder",
				ErrInUse, strings.TrimSpace(string(holder)), dir)
		}
		return nil, fmt.Errorf("lock the data folder: %w", err)
	}
	pid := strconv.Itoa(os.Getpid()) + "\n"
	// The lock holds without the number in it, which a full disk may not take.
	if err := errors.Join(lock.Truncate(0), writeAt(lock, pid)); err != nil && !errors.Is(err, syscall.ENOSPC) {
		return nil, fmt.Errorf("lock the data folder: %w", errors.Join(err, lock.Close()))
	}
	return &folder{lock}, nil
}

func writeAt(f *os.File, text string) error {
	_, err := f.WriteAt([]byte(text), 0)
	return err
}

// free gives the folder up. The file stays: removing it would let two processes
// lock two files of one name.
func (f *folder) free() error {
	if err := errors.Join(f.lock.Truncate(0), f.lock.Close()); err != nil {
		return fmt.Errorf("free the data folder: %w", err)
	}
	return nil
}

func checkVersion(dir string) error {
	path := filepath.Join(dir, "version")
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return writeVersion(path)
	}
	if err != nil {
		return fmt.Errorf("read the data folder's version: %w", err)
	}
	got, err := strconv.Atoi(strings.TrimSpace(string(text)))
	switch {
	case err != nil:
		return fmt.Errorf("%s holds %.20q, not a version: it is not a data folder of clamor, or %w", path, text, ErrDamaged)
	case got > version:
		return fmt.Errorf("%w: %s has version %d and this program knows %d; run the newer program, or choose another data folder",
			ErrNewer, dir, got, version)
	}
	return nil
}

// writeVersion appears whole or not at all.
func writeVersion(path string) error {
	part := path + ".part"
	err := os.WriteFile(part, []byte(strconv.Itoa(version)+"\n"), 0o600)
	if err == nil {
		err = os.Rename(part, path)
	}
	if err != nil {
		return fmt.Errorf("write the data folder's version: %w", err)
	}
	return nil
}
