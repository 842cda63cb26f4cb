// Package metadata is what the metadata service of every part bridge does with a guest's request,
// over a model or over a real network: it finds who asks, answers by what was offered, and
// publishes what was posted. It uses the keeper of secrets and so belongs to the device's loop.
package metadata
