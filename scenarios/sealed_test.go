package scenarios

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-tpm/tpm2"

	"github.com/evetwin/evetwin/backends/sim/board"
	"github.com/evetwin/evetwin/backends/sim/lab/labtest"
	"github.com/evetwin/evetwin/core/agent"
	"github.com/evetwin/evetwin/core/agents/roster"
	"github.com/evetwin/evetwin/core/bus"
	"github.com/evetwin/evetwin/core/device/tpm"
	"github.com/evetwin/evetwin/core/host"
	"github.com/evetwin/evetwin/core/host/sim"
	"github.com/evetwin/evetwin/scenarios/scenario"
	"github.com/evetwin/evetwin/scenarios/twin"
)

// heldRef is a reference that an agent holds.
type heldRef struct{ Name, Ref string }

// Key is the name.
func (h heldRef) Key() string { return h.Name }

// heldRefs outlive the boot, so that they are in the journal, too.
var heldRefs = bus.NewTopic[heldRef](bus.Decl{Owner: "vaultmgr", Name: "HeldRef",
	Life: bus.Persistent})

// heldNames are the names of the rows, in order.
var heldNames = []string{"agreed", "credential", "sealed 0", "sealed 1", "sealed 2"}

// holder is who has a TPM seal, unseal, agree and activate: the agent, and what it is given, which
// is the same in all its lives.
type holder struct {
	peer *ecdh.PrivateKey
	mu   sync.Mutex
	// activate is made for the keys of the module that asks first.
	activate *tpm.ActivateReq
	err      error
}

func newHolder(t *testing.T) *holder {
	t.Helper()
	peer, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &holder{peer: peer}
}

// credential is one that holds the mark, for a module with these keys.
func (h *holder) credential(endorsement, identity []byte) tpm.ActivateReq {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.activate == nil {
		h.activate = &tpm.ActivateReq{}
		ek, err := tpm2.Unmarshal[tpm2.TPMTPublic](endorsement)
		id, err2 := tpm2.Unmarshal[tpm2.TPMTPublic](identity)
		if err == nil && err2 == nil {
			err = h.encrypt(ek, id)
		}
		h.err = err
	}
	return *h.activate
}

func (h *holder) encrypt(ek, id *tpm2.TPMTPublic) error {
	to, err := tpm2.ImportEncapsulationKey(ek)
	if err != nil {
		return err
	}
	name, err := tpm2.ObjectName(id)
	if err != nil {
		return err
	}
	h.activate.Blob, h.activate.Secret, err = tpm2.CreateCredential(rand.Reader, to, name.Buffer,
		[]byte(mark+" in a credential"))
	return err
}

// entry is the agent, by the name of the one that may seal.
func (h *holder) entry() agent.Entry { return agent.Entry{Name: "vaultmgr", New: h.agent} }

// keyholder is the agent.
type keyholder struct {
	h        *holder
	rows     *bus.Pub[heldRef]
	public   *agent.Calls[tpm.PublicReq, tpm.PublicRes]
	agree    *agent.Calls[tpm.AgreeReq, tpm.AgreeRes]
	activate *agent.Calls[tpm.ActivateReq, tpm.ActivateRes]
	seal     *agent.Calls[tpm.SealReq, tpm.SealRes]
	unseal   *agent.Calls[tpm.UnsealReq, tpm.UnsealRes]
}

func (h *holder) agent(p bus.Port) agent.Agent {
	return &keyholder{h, bus.Publish(p, heldRefs), agent.Use(p, tpm.Public), agent.Use(p, tpm.Agree),
		agent.Use(p, tpm.Activate), agent.Use(p, tpm.Seal), agent.Use(p, tpm.Unseal)}
}

// Step asks for one thing after the other, and seals what it got.
func (a *keyholder) Step(*agent.Turn) {
	a.rows.Complete()
	ek := a.public.Want("ek", tpm.PublicReq{Name: tpm.Endorsement})
	id := a.public.Want("id", tpm.PublicReq{Name: tpm.Identity})
	if ek.Phase != agent.Done || id.Phase != agent.Done {
		return
	}
	agreed := a.agree.Want("peer", tpm.AgreeReq{Peer: a.h.peer.PublicKey().Bytes()})
	opened := a.activate.Want("credential", a.h.credential(ek.Res.Area, id.Res.Area))
	if agreed.Phase != agent.Done || opened.Phase != agent.Done {
		return
	}
	a.rows.Put(heldRef{"agreed", agreed.Res.Point})
	a.rows.Put(heldRef{"credential", opened.Res.Credential})
	to := []uint32{0, 7}
	for n, ref := range []string{"", agreed.Res.Point, opened.Res.Credential} {
		key := fmt.Sprint("sealed ", n)
		if a.seal.Want(key, tpm.SealReq{Secret: ref, Registers: to}).Phase != agent.Done {
			return
		}
		got := a.unseal.Want(key, tpm.UnsealReq{Registers: to})
		if got.Phase != agent.Done {
			return
		}
		a.rows.Put(heldRef{key, got.Res.Secret})
	}
}

// held are the references that the agent of a kernel holds, by name; none while some are missing,
// or unknown to the parts, which did not make them in this boot then. secrets are what they stand
// for.
func held(k *host.Kernel, b *board.Board) (refs map[string]string, secrets []string) {
	refs = map[string]string{}
	for _, r := range twin.Rows(k, heldRefs) {
		text, ok := b.Keeper().Reveal(r.Ref)
		if !ok {
			return nil, nil
		}
		refs[r.Name] = r.Ref
		secrets = append(secrets, text)
	}
	if len(refs) != len(heldNames) {
		return nil, nil
	}
	return refs, secrets
}

// Shape has the device run the agent, too.
func (h *holder) Shape(_ scenario.World, o *twin.DeviceOptions) {
	o.Agents = append(roster.Agents(), h.entry())
}

// Made does nothing.
func (h *holder) Made(scenario.World, *twin.Device) {}

// judge wants references in the recording and in everything else, and no secret anywhere. refs are
// of two boots.
func (h *holder) judge(t *testing.T, spy *spy, refs [2]map[string]string, secrets []string) {
	t.Helper()
	if err := spy.rec.Close(); err != nil || h.err != nil {
		t.Fatal(err, h.err)
	}
	spy.recorded(t)
	for _, op := range []string{"Seal", "Unseal", "Agree", "Activate"} {
		if !spy.kinds["request tpm."+op] || !spy.kinds["outcome tpm."+op] {
			t.Errorf("there was no tpm.%s: the test looks at too little", op)
		}
	}
	// The references of what the module drew itself, and drew anew in the second boot, differ.
	if refs[0]["sealed 0"] == refs[1]["sealed 0"] {
		t.Error("two secrets of the module's own have one reference")
	}
	for _, name := range heldNames {
		if name != "sealed 0" && refs[0][name] != refs[1][name] {
			t.Errorf("%s is %s, and %s in the next boot", name, refs[0][name], refs[1][name])
		}
	}
	if len(secrets) != 2*len(heldNames) || !strings.HasPrefix(secrets[1], mark) ||
		len(secrets[0]) != 64 || secrets[3] != secrets[0] {
		t.Fatalf("the secrets are %q", secrets)
	}
	if where := spy.found(refs[0]["sealed 1"]); len(where) < 3 {
		t.Errorf("a reference stands in %q alone: the test looks at too little", where)
	}
	for _, where := range spy.found(secrets...) {
		t.Errorf("a secret stands in %s", where)
	}
}

// An agent has a TPM seal, unseal, agree and activate, in two boots: it sees references, and so
// does whoever gets the recording.
func TestNoAgentSeesASecretOfTheTPM(t *testing.T) {
	spy, h := newSpy(), newHolder(t)
	o := sim.Options{Seed: 1, Rebuild: 7, FullTurn: 7}
	w, err := scenario.NewVirtualWorld(o, spy.watch, spy, h)
	if err != nil {
		t.Fatal(err)
	}
	var refs [2]map[string]string
	var secrets []string
	r := scenario.New("sealed-secrets", func(s *scenario.S) {
		d := s.Device("edge")
		d.Boot()
		for n := range refs {
			s.Wait(time.Minute)
			k := d.Machine().Kernel()
			spy.tables(k)
			now, more := held(k, d.Twin().Board)
			refs[n], secrets = now, append(secrets, more...)
			d.PowerCut(time.Second)
		}
	}).Run(w, 1)
	if !r.OK {
		t.Fatalf("%s\n%s", r.Error, r.Causes)
	}
	h.judge(t, spy, refs, secrets)
}

// The same with a TPM that is none of ours, in real time.
func TestNoAgentSeesASecretOfARealTPM(t *testing.T) {
	labtest.Program(t, "swtpm")
	spy, h := newSpy(), newHolder(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	moved := make(chan struct{}, 1)
	watch := spy.watch("edge")
	l, err := twin.NewLive(ctx, twin.LiveOptions{Dir: t.TempDir(), Hyper: twin.Model, Tpm: twin.SWTPM,
		DeviceOptions: twin.DeviceOptions{Name: "edge", Seed: 1,
			Agents: append(roster.Agents(), h.entry()),
			OnTurn: func(p *host.Proc, in *host.Input, out *host.Output) {
				watch(p, in, out)
				select {
				case moved <- struct{}{}:
				default:
				}
			}}})
	if err != nil {
		t.Fatal(err)
	}
	l.Start()
	var booted uint64
	var refs [2]map[string]string
	var secrets []string
	for n := range refs {
		for refs[n] == nil && err == nil {
			select {
			case <-moved:
			case <-ctx.Done():
				t.Errorf("boot %d: the agent does not get all", n+1)
			}
			err = l.Device.Do(ctx, func(k *host.Kernel) {
				if k.BootCount() <= booted {
					return
				}
				var more []string
				if refs[n], more = held(k, l.Board); refs[n] != nil {
					booted = k.BootCount()
					spy.tables(k)
					secrets = slices.Concat(secrets, more)
					l.Device.Reboot(time.Millisecond)
				}
			})
		}
	}
	if e := l.Close(); err != nil || e != nil {
		t.Fatal(err, e)
	}
	h.judge(t, spy, refs, secrets)
}
