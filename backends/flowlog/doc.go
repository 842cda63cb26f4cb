// Package flowlog is the records of a flow log as every part bridge keeps them, over a model or
// over a real network: numbered, bounded, and kept until they were collected.
//
//	q := flowlog.New(life)
//	q.Flow(f); q.Lookup(l)            // something was noticed
//	res := q.Collect(req.After)       // forgets what came before the mark, tells what is behind
//	q.Forget("nbu1x1")                // the flow log of an interface was turned off
package flowlog
