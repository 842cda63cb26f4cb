package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/evetwin/evetwin/backends/linux/store/vault"
	"github.com/evetwin/evetwin/core/agent"
	device "github.com/evetwin/evetwin/core/device/store"
)

// maxDocument is the largest blob that ReadBlob hands out.
const maxDocument = 4 << 20

// verify makes a blob of a download that has the hash it should have.
func (x *session) verify(ctx context.Context, q *device.VerifyReq) (out device.VerifyRes,
	f *agent.Fault,
) {
	what := "verify " + q.Target
	if x.vaultState() == vault.Locked {
		return out, fault(what, errLocked)
	}
	state, here := x.o.Downloads.Get(q.Target)
	if row, ok := x.lookAtBlob(q.Sha256); ok && !here {
		return device.VerifyRes{Sha256: q.Sha256, Size: row.Size}, nil // verified before
	}
	switch {
	case !here || !state.Done:
		return out, missing("%s: no whole download", what)
	case !device.IsSha256(q.Sha256):
		return out, refusal(device.FaultRefused, "%s: the expected hash is not 64 digits of hex", what)
	}
	got, size, err := hashFile(ctx, x.o.Downloads.Locate(q.Target))
	if err != nil {
		return out, fault(what, err)
	}
	if got != q.Sha256 {
		return out, &agent.Fault{Code: device.FaultCorrupt, Text: "computed " + got, Retry: true}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := x.makeDir(x.host(blobsDir)); err != nil {
		return out, fault(what, err)
	}
	err = x.o.Downloads.Take(q.Target, x.blobPath(got))
	x.showBlob(got)
	if err != nil {
		return out, fault(what, err)
	}
	return device.VerifyRes{Sha256: got, Size: size}, nil
}

// hashFile is the SHA-256 and the size of a file.
func hashFile(ctx context.Context, path string) (sha string, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	h := sha256.New()
	size, err = io.Copy(h, patient{ctx, f})
	return hex.EncodeToString(h.Sum(nil)), size, errors.Join(err, f.Close())
}

// patient reads as long as nobody has given up.
type patient struct {
	ctx context.Context
	r   io.Reader
}

// Read reads, or says that it was given up.
func (p patient) Read(b []byte) (int, error) {
	if err := p.ctx.Err(); err != nil {
		return 0, err
	}
	return p.r.Read(b)
}

// readBlob hands out a small blob that still has its hash.
func (x *session) readBlob(_ context.Context, q *device.BlobReq) (out device.BlobRes,
	f *agent.Fault,
) {
	what := "read blob " + q.Sha256
	if x.vaultState() == vault.Locked {
		return out, fault(what, errLocked)
	}
	row, ok := x.lookAtBlob(q.Sha256)
	switch {
	case !ok:
		return out, missing("%s: no such blob", what)
	case row.Size > maxDocument:
		return out, refusal(device.FaultRefused, "%s: it is no small document", what)
	}
	data, err := x.document(q.Sha256)
	if err != nil {
		return out, fault(what, err)
	}
	return device.BlobRes{Data: data}, nil
}

// document is the content of a small blob, checked.
func (s *Store) document(sha string) ([]byte, error) {
	f, err := os.Open(s.blobPath(sha))
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, maxDocument+1))
	err = errors.Join(err, f.Close())
	switch {
	case err != nil:
		return nil, err
	case len(data) > maxDocument:
		return nil, errLarge
	case sum(data) != sha:
		return nil, errCorrupt
	}
	return data, nil
}

// removeBlob deletes a blob.
func (x *session) removeBlob(_ context.Context, q *device.BlobReq) (none device.None,
	f *agent.Fault,
) {
	what := "remove blob " + q.Sha256
	if x.vaultState() == vault.Locked {
		return none, fault(what, errLocked)
	}
	if !device.IsSha256(q.Sha256) {
		return none, nil // there is none of that name
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	defer x.showBlob(q.Sha256)
	err := x.o.Disk.Remove(x.blobPath(q.Sha256))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return none, fault(what, err)
	}
	return none, nil
}
