// Package farm spreads an exploration over processes and machines, through NATS JetStream.
//
//	coordinator                   server                        workers, any number
//	explore.Explore ──jobs──▶  work queue         ──one each──▶  run, heartbeats while it runs
//	        ▲                  explorations (KV)  ──spec──────▶  same build? else refuse
//	        └──in seed order── results, one a seed ◀──result──   then acknowledge the job
//
// The coordinator draws all plans and takes all results, in order of the seeds, so what an
// exploration finds does not depend on who ran what: it is what one process finds.
//
// A job that was given out comes back to the queue when its worker has not been heard of for
// AckWait: a killed worker loses nothing. A job may so be run twice; its result counts once: the
// results stream takes one message for each seed, ever, and so does the coordinator. The result is
// stored before its job is acknowledged. A coordinator that is killed and begun again under the
// same name finds the results in the stream and goes on.
//
// Failures travel as results do: plan and rule. The coordinator makes them small and saves them.
package farm
