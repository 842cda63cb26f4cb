// Command demo is the application evetwin brings along: an HTTP server that tells about the
// guest it runs in. That its answer carries the guest kernel's boot id proves that a guest
// answered, and which boot of it.
//
// It listens on port 8080, or where the variable DEMO_PORT says; over UDP it sends each datagram
// back, behind the boot id and a space. DEMO_LINES makes it write so many
// numbered lines first, for those who look after consoles and logs.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// stopWait is how long requests may take to end after SIGTERM.
const stopWait = 2 * time.Second

// answer is what GET / tells.
type answer struct {
	App      string            `json:"app"`
	BootID   string            `json:"boot_id"`
	UptimeS  float64           `json:"uptime_s"`
	Kernel   string            `json:"kernel"`
	Hostname string            `json:"hostname"`
	Dir      string            `json:"dir"`
	UID      int               `json:"uid"`
	Args     []string          `json:"args"`
	Env      map[string]string `json:"env"`
}

func main() {
	if err := run(); err != nil {
		fmt.Println("demo:", err)
		os.Exit(1)
	}
}

// lineText fills up a line of DEMO_LINES behind its number.
const lineText = "the quick brown fox jumps over the lazy dog"

func run() error {
	lines, _ := strconv.Atoi(os.Getenv("DEMO_LINES"))
	for i := range lines {
		fmt.Printf("line %d %s\n", i, lineText)
	}
	port := os.Getenv("DEMO_PORT")
	if port == "" {
		port = "8080"
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", tell)
	mux.HandleFunc("GET /file/{path...}", readFile)
	mux.HandleFunc("PUT /file/{path...}", writeFile)
	mux.HandleFunc("POST /exit", exit)
	listener, err := net.Listen("tcp", ":"+port)
	if err != nil {
		return err
	}
	datagrams, err := net.ListenPacket("udp", ":"+port)
	if err != nil {
		return err
	}
	go echo(datagrams)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		fmt.Println("demo: stopping")
		limit, cancel := context.WithTimeout(context.Background(), stopWait)
		defer cancel()
		stopped <- server.Shutdown(limit)
	}()
	fmt.Println("demo: listening on port", port)
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}

// tell answers with what this guest is.
func tell(w http.ResponseWriter, _ *http.Request) {
	host, _ := os.Hostname()
	dir, _ := os.Getwd()
	a := answer{
		App: "evetwin-demo", Hostname: host, Dir: dir, UID: os.Getuid(), Args: os.Args,
		BootID: line("/proc/sys/kernel/random/boot_id"),
		Kernel: line("/proc/sys/kernel/osrelease"),
		Env:    map[string]string{},
	}
	a.UptimeS, _ = strconv.ParseFloat(strings.Fields(line("/proc/uptime") + " 0")[0], 64)
	for _, pair := range os.Environ() {
		key, value, _ := strings.Cut(pair, "=")
		a.Env[key] = value
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(a)
}

// echo sends datagrams back.
func echo(conn net.PacketConn) {
	id := []byte(line("/proc/sys/kernel/random/boot_id") + " ")
	packet := make([]byte, len(id)+65507)
	copy(packet, id)
	for {
		n, from, err := conn.ReadFrom(packet[len(id):])
		if err != nil {
			return
		}
		_, _ = conn.WriteTo(packet[:len(id)+n], from) // lost, as datagrams are
	}
}

func line(path string) string {
	text, _ := os.ReadFile(path)
	return strings.TrimSpace(string(text))
}

// readFile and writeFile let a test leave a mark in the guest and look for it later.
func readFile(w http.ResponseWriter, r *http.Request) {
	text, err := os.ReadFile("/" + r.PathValue("path"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	_, _ = w.Write(text)
}

func writeFile(w http.ResponseWriter, r *http.Request) {
	file, err := os.Create("/" + r.PathValue("path"))
	if err == nil {
		_, err = file.ReadFrom(http.MaxBytesReader(w, r.Body, 1<<20))
		err = errors.Join(err, file.Sync(), file.Close())
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// exit ends the application with the code the request asks for.
func exit(_ http.ResponseWriter, r *http.Request) {
	code, err := strconv.Atoi(r.URL.Query().Get("code"))
	if err != nil {
		code = 1
	}
	os.Exit(code)
}
