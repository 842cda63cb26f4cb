// Package data serves what devices download: files over HTTP, with ranges, and images of an OCI
// registry. One Store holds the content of one server.
//
// Store.Handle is a function from a request to an answer, for virtual time. Store.Server is the
// same content behind net/http, where the registry is go-containerregistry's, so that images
// can be pushed to it as well.
//
// A Store with a Guard asks for credentials, as private datastores and registries do: a header for
// files, user and password or a token for images.
//
// # Content that nobody has
//
// A simulated world must be able to run any configuration, also one that names images of
// servers far away. With Options.MakeUp a store makes up what it does not hold, from its name:
// a disk image, or an OCI image for amd64 and arm64. Made lists what was made up, so that
// nobody is misled.
//
// A configuration may demand a digest of such an image, and no content can be made up to match it:
// nobody inverts SHA-256. A store with Options.Pretend then serves its made-up bytes under the
// demanded digest and says so, in the header Pretended of the answer and in Made. The virtual store
// part takes the digest of such bytes as the header states it, instead of computing it. Everything
// around it stays real: sizes, ranges, what is downloaded in which order, and the digest of every
// other content. Servers of real time never pretend: their clients compute digests themselves.
//
// A demand is known in one of two ways: an OCI manifest is asked for by its digest, or the one who
// has read the configuration declares it with Store.Demand.
package data
