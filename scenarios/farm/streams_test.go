package farm_test

import (
	"context"
	"testing"

	"github.com/evetwin/evetwin/scenarios/farm"
)

// streams are the streams that are on the server.
func streams(t *testing.T, c *farm.Conn) []string {
	t.Helper()
	ctx, stop := context.WithTimeout(context.Background(), soon)
	defer stop()
	out, err := c.Streams(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
