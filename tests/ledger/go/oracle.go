// Oracle answers, with Go's golang.org/x/mod/sumdb/tlog and .../note, questions
// about a transparency log: one JSON question on each line of standard input,
// one JSON answer on each line of standard output. An answer without "error"
// means that Go agrees.
package main

import (
	"bufio"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

type question struct {
	Ask     string
	Size    int64
	OldSize int64
	Index   int64
	Leaf    []byte
	Proof   [][]byte
	Root    []byte
	OldRoot []byte
	Note    []byte
	Text    string
	VKeys   []string
	SKey    string
	Path    string
	Log     string
	Leaves  [][]byte
}

type answer struct {
	Error  string     `json:"error,omitempty"`
	Signed []string   `json:"signed,omitempty"`
	Text   string     `json:"text,omitempty"`
	Root   []byte     `json:"root,omitempty"`
	Proof  [][]byte   `json:"proof,omitempty"`
	Note   []byte     `json:"note,omitempty"`
	Tile   *tlog.Tile `json:"tile,omitempty"`
	Tiles  []string   `json:"tiles,omitempty"`
}

var answers = map[string]func(question) (answer, error){
	"root":            rootOfLeaves,
	"prove inclusion": proveInclusion,
	"prove history":   proveHistory,
	"inclusion":       checkInclusion,
	"consistency":     checkConsistency,
	"open":            openNote,
	"sign":            signNote,
	"tile":            parseTile,
	"tiles":           listTiles,
	"published log":   checkLog,
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<26)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var q question
		var a answer
		err := json.Unmarshal(lines.Bytes(), &q)
		if err == nil {
			ask, known := answers[q.Ask]
			if !known {
				err = fmt.Errorf("unknown question %q", q.Ask)
			} else {
				a, err = ask(q)
			}
		}
		if err != nil {
			a.Error = err.Error()
		}
		if err := out.Encode(a); err != nil {
			panic(err)
		}
	}
	if err := lines.Err(); err != nil {
		panic(err)
	}
}

func hash(b []byte) (h tlog.Hash) {
	if len(b) != tlog.HashSize {
		panic(fmt.Sprintf("a hash of %d bytes", len(b)))
	}
	copy(h[:], b)
	return h
}

func hashes(list [][]byte) (hs []tlog.Hash) {
	for _, b := range list {
		hs = append(hs, hash(b))
	}
	return hs
}

func raw(hs []tlog.Hash) [][]byte {
	list := [][]byte{}
	for i := range hs {
		list = append(list, hs[i][:])
	}
	return list
}

// stored is a log kept in memory, as tlog wants it.
type stored []tlog.Hash

func (s stored) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var found []tlog.Hash
	for _, i := range indexes {
		found = append(found, s[i])
	}
	return found, nil
}

func store(leaves [][]byte) (s stored, err error) {
	for i, leaf := range leaves {
		more, err := tlog.StoredHashes(int64(i), leaf, s)
		if err != nil {
			return nil, err
		}
		s = append(s, more...)
	}
	return s, nil
}

func rootOfLeaves(q question) (a answer, err error) {
	s, err := store(q.Leaves)
	if err != nil {
		return a, err
	}
	h, err := tlog.TreeHash(int64(len(q.Leaves)), s)
	a.Root = h[:]
	return a, err
}

func proveInclusion(q question) (a answer, err error) {
	s, err := store(q.Leaves)
	if err != nil {
		return a, err
	}
	p, err := tlog.ProveRecord(q.Size, q.Index, s)
	a.Proof = raw(p)
	return a, err
}

func proveHistory(q question) (a answer, err error) {
	s, err := store(q.Leaves)
	if err != nil {
		return a, err
	}
	p, err := tlog.ProveTree(q.Size, q.OldSize, s)
	a.Proof = raw(p)
	return a, err
}

func checkInclusion(q question) (a answer, err error) {
	return a, tlog.CheckRecord(hashes(q.Proof), q.Size, hash(q.Root), q.Index, hash(q.Leaf))
}

func checkConsistency(q question) (a answer, err error) {
	return a, tlog.CheckTree(hashes(q.Proof), q.Size, hash(q.Root), q.OldSize, hash(q.OldRoot))
}

func openNote(q question) (a answer, err error) {
	var verifiers []note.Verifier
	for _, vkey := range q.VKeys {
		v, err := verifier(vkey)
		if err != nil {
			return a, err
		}
		verifiers = append(verifiers, v)
	}
	n, err := note.Open(q.Note, note.VerifierList(verifiers...))
	if err != nil {
		return a, err
	}
	a.Text = n.Text
	for _, s := range n.Sigs {
		a.Signed = append(a.Signed, fmt.Sprintf("%s+%08x", s.Name, s.Hash))
	}
	return a, nil
}

func signNote(q question) (a answer, err error) {
	s, err := note.NewSigner(q.SKey)
	if err != nil {
		return a, err
	}
	a.Note, err = note.Sign(&note.Note{Text: q.Text}, s)
	return a, err
}

// verifier is note.NewVerifier, and for the keys of witnesses (type 4), which
// it doesn't know, a verifier of C2SP tlog-cosignature.
func verifier(vkey string) (note.Verifier, error) {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 {
		return nil, errors.New("malformed vkey")
	}
	key, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(key) != 33 || key[0] != 4 {
		return note.NewVerifier(vkey)
	}
	sum := sha256.Sum256([]byte(parts[0] + "\n" + string(key)))
	return &witness{parts[0], binary.BigEndian.Uint32(sum[:]), key[1:]}, nil
}

type witness struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func (w *witness) Name() string    { return w.name }
func (w *witness) KeyHash() uint32 { return w.hash }
func (w *witness) Verify(msg, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	signed := fmt.Sprintf("cosignature/v1\ntime %d\n%s", binary.BigEndian.Uint64(sig), msg)
	return ed25519.Verify(w.key, []byte(signed), sig[8:])
}

// sumdbPath turns a path of C2SP tlog-tiles into one of the Go checksum
// database, which has the height in front, and "data" for entries.
func sumdbPath(path string) string {
	path = strings.Replace(path, "tile/", fmt.Sprintf("tile/%d/", height), 1)
	return strings.Replace(path, "/entries/", "/data/", 1)
}

func tilesPath(t tlog.Tile) string {
	path := strings.Replace(t.Path(), fmt.Sprintf("tile/%d/", height), "tile/", 1)
	return strings.Replace(path, "/data/", "/entries/", 1)
}

func parseTile(q question) (a answer, err error) {
	t, err := tlog.ParseTilePath(sumdbPath(q.Path))
	a.Tile = &t
	return a, err
}

// listTiles leaves out the narrower tiles that a log may publish on its way to
// the new size, and Go lists.
func listTiles(q question) (a answer, err error) {
	widest := map[[2]int64]tlog.Tile{}
	var order [][2]int64
	for _, t := range tlog.NewTiles(height, q.OldSize, q.Size) {
		place := [2]int64{int64(t.L), t.N}
		if _, seen := widest[place]; !seen {
			order = append(order, place)
		}
		widest[place] = t
	}
	for _, place := range order {
		t := widest[place]
		if (q.Size>>(height*t.L))-(q.OldSize>>(height*t.L)) > 0 {
			a.Tiles = append(a.Tiles, tilesPath(t))
		}
	}
	return a, nil
}

// read returns what is published under a path: in a folder, or at a URL.
func read(log, path string) ([]byte, error) {
	if !strings.HasPrefix(log, "http://") {
		return os.ReadFile(filepath.Join(log, path))
	}
	reply, err := http.Get(log + "/" + path)
	if err != nil {
		return nil, err
	}
	defer reply.Body.Close()
	if reply.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", path, reply.Status)
	}
	return io.ReadAll(reply.Body)
}

// published reads tiles of a log laid out as C2SP tlog-tiles asks.
type published string

func (p published) Height() int                     { return height }
func (p published) SaveTiles([]tlog.Tile, [][]byte) {}
func (p published) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var list [][]byte
	for _, t := range tiles {
		b, err := read(string(p), tilesPath(t))
		if err != nil {
			return nil, err
		}
		list = append(list, b)
	}
	return list, nil
}

// checkLog reads a whole log, in a folder or at a URL: the checkpoint by the log's key,
// every leaf hash from the tiles (tlog proves each to be in the tree), every
// entry from the bundles. It proves leaf q.Index, and says what it found.
func checkLog(q question) (a answer, err error) {
	signed, err := read(q.Log, "checkpoint")
	if err != nil {
		return a, err
	}
	a, err = openNote(question{Note: signed, VKeys: q.VKeys})
	if err != nil {
		return a, err
	}
	// ParseTree knows one origin only, that of the checksum database.
	_, body, _ := strings.Cut(a.Text, "\n")
	tree, err := tlog.ParseTree([]byte("go.sum database tree\n" + body))
	if err != nil {
		return a, err
	}
	var indexes []int64
	for i := int64(0); i < tree.N; i++ {
		indexes = append(indexes, tlog.StoredHashIndex(0, i))
	}
	reader := tlog.TileHashReader(tree, published(q.Log))
	leaves, err := reader.ReadHashes(indexes)
	if err != nil {
		return a, err
	}
	if err := checkEntries(q.Log, leaves); err != nil {
		return a, err
	}
	p, err := tlog.ProveRecord(tree.N, q.Index, reader)
	a.Proof = raw(p)
	return a, err
}

func checkEntries(log string, leaves []tlog.Hash) error {
	for n := 0; n<<height < len(leaves); n++ {
		t := tlog.Tile{H: height, L: -1, N: int64(n), W: 1 << height}
		if rest := len(leaves) - n<<height; rest < t.W {
			t.W = rest
		}
		b, err := read(log, tilesPath(t))
		if err != nil {
			return err
		}
		for i := 0; i < t.W; i++ {
			if len(b) < 2 || len(b)-2 < int(binary.BigEndian.Uint16(b)) {
				return fmt.Errorf("%s ends within entry %d", tilesPath(t), i)
			}
			end := 2 + int(binary.BigEndian.Uint16(b))
			if tlog.RecordHash(b[2:end]) != leaves[n<<height+i] {
				return fmt.Errorf("entry %d of %s is not its leaf", i, tilesPath(t))
			}
			b = b[end:]
		}
		if len(b) != 0 {
			return fmt.Errorf("%s goes on after its last entry", tilesPath(t))
		}
	}
	return nil
}
