// Package exchange is what every part web does with an HTTP exchange, over a model or over a real
// network: before it leaves, references become credentials; when it has come, what no agent may see
// is taken out of it. It uses the keeper of secrets and so belongs to the device's loop.
package exchange
