// Package device is the hardware contract: one package per part of a device, each with the part's
// ops and the topics in which it publishes what it sees.
//
// The rules hold for every part and every backend; backends/conform tests them:
//
//   - A part is named like its package and owns its Seen topics. It publishes what is, not what was
//     asked for, and declares a table Complete when it has looked at everything once since boot.
//   - A change that an op makes is fed into the Seen topics before the call is done: the outcome
//     travels behind the rows.
//   - Each applied spec comes back in a Seen row as it was applied, so that a plan is a difference
//     of tables, also after a restart of the agent.
//   - Every op is idempotent. Doing what is done already is a success that changes nothing; undoing
//     what is not there is a success.
//   - A call that is cancelled ends within a second, unless the op says otherwise; what it had done
//     by then stays and shows in Seen rows.
//   - Errors are agent.Fault values; their codes are constants of the part's package. Retry says
//     whether the same call may succeed later without a change of its request.
//   - Observations change without ops, too: a cable is pulled, a guest powers itself off.
package device
