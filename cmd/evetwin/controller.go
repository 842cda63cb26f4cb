package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/evetwin/evetwin/backends/sim/lab"
	"github.com/evetwin/evetwin/cmd/cli"
	"github.com/evetwin/evetwin/controllersim/httpd"
	"github.com/evetwin/evetwin/controllersim/store"
)

type controllerFlags struct {
	listen, admin, data string
	hosts               []string
	json                bool
}

func controllerCommand() *cobra.Command {
	var f controllerFlags
	c := &cobra.Command{Use: "controller", Args: cli.Usage(cobra.NoArgs),
		Short: "The bundled controller alone, for any EVE device",
		RunE:  func(c *cobra.Command, _ []string) error { return controller(c, f) }}
	c.Flags().StringVar(&f.listen, "listen", "127.0.0.1:0", "address for devices")
	c.Flags().StringVar(&f.admin, "admin", "127.0.0.1:0", "address of the admin interface (loopback)")
	c.Flags().StringVar(&f.data, "data", "", "folder to keep devices in (default: the state folder)")
	c.Flags().StringSliceVar(&f.hosts, "host", nil, "further names of the TLS certificate")
	c.Flags().BoolVar(&f.json, "json", false, "one object per line on stdout")
	return c
}

func controller(c *cobra.Command, f controllerFlags) error {
	dir := f.data
	if dir == "" {
		dir = filepath.Join(lab.DefaultDirs().State, "controller")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the controller's folder: %w", err)
	}
	s, err := httpd.Start(httpd.Options{Listen: f.listen, Admin: f.admin, Hosts: f.hosts,
		TokenFile: filepath.Join(dir, "admin.token"),
		Store:     store.NewFile(filepath.Join(dir, "fleet.json"))})
	if err != nil {
		return err
	}
	files := map[string][]byte{"root-certificate.pem": s.RootPEM()}
	cert, key, err := s.OnboardPEM()
	if err == nil {
		files["onboard.cert.pem"], files["onboard.key.pem"] = cert, key
		for name, b := range files { //order: each goes to its own file
			if e := os.WriteFile(filepath.Join(dir, name), b, 0o600); e != nil {
				err = e
			}
		}
	}
	if err != nil {
		return fmt.Errorf("write the controller's certificates: %w", err)
	}
	at := struct {
		URL         string `json:"url"`
		AdminURL    string `json:"admin_url"`
		TokenFile   string `json:"token_file"`
		RootCert    string `json:"root_cert"`
		OnboardCert string `json:"onboard_cert"`
		OnboardKey  string `json:"onboard_key"`
	}{s.URL(), s.AdminURL(), filepath.Join(dir, "admin.token"),
		filepath.Join(dir, "root-certificate.pem"), filepath.Join(dir, "onboard.cert.pem"),
		filepath.Join(dir, "onboard.key.pem")}
	if f.json {
		line(c.OutOrStdout(), at)
	} else {
		fmt.Fprintf(c.OutOrStdout(), "devices  %s\nadmin    %s\ntoken    %s\nroot     %s\n"+
			"onboard  %s\n", at.URL, at.AdminURL, at.TokenFile, at.RootCert, at.OnboardCert)
	}
	<-c.Context().Done()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return s.Close(ctx)
}
